import { describe, expect, it } from 'vitest'
import { bytesEqual } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { readCheckpoint, writeCheckpoint } from '../../src/store/checkpoint.ts'
import type { LogRange } from '../../src/store/segment-scan.ts'
import { appendAll, idOf, idsOf, LogPlace, payloadOf, range } from './log-place.ts'

const segmentPath = 'store/log/0000000000000000.seg'

/** A disk with other bytes in one file. */
async function withFile(disk: SimulatedDisk, path: string, bytes: Uint8Array): Promise<SimulatedDisk> {
  const copy = disk.afterCrash()
  const file = await copy.open(path, { create: false })
  await file.truncate(bytes.length)
  await file.write(0, bytes)
  await file.sync()
  return copy
}

describe('S2 a torn tail', () => {
  const tailBytes = 4 * 1024
  const damages: Record<string, (whole: Uint8Array, from: number) => Uint8Array> = {
    cut: (whole, from) => whole.slice(0, from),
    zeroed: (whole, from) => whole.slice().fill(0, from),
    scrambled: (whole, from) => {
      const bytes = whole.slice()
      bytes.set(new SeededRandom(from).bytes(whole.length - from), from)
      return bytes
    },
  }

  it.each(Object.keys(damages))(
    '%s at each offset: the longest whole prefix opens, the rest is kept aside',
    async (how) => {
      const disk = new SimulatedDisk()
      const log = await new LogPlace(disk).open()
      const ends: number[] = []
      for (let id = 1; id <= 90; id += 3) {
        await appendAll(log, range(id, id + 2))
        ends.push(log.end)
      }
      await log.close()
      const whole = disk.files().get(segmentPath) as Uint8Array
      const place = new LogPlace(disk)
      await place.open()
      const records = place.seen.map(({ position, payload }) => position + 10 + payload.length)
      for (let from = whole.length - tailBytes; from < whole.length; from += 1) {
        const damaged = damages[how]?.(whole, from) as Uint8Array
        if (bytesEqual(damaged, whole)) continue
        // A scrambled byte may be the one that was there.
        let first = from
        while (damaged[first] === whole[first] && first < damaged.length) first += 1
        const torn = new LogPlace(await withFile(disk, segmentPath, damaged))
        const again = await torn.open()
        const expected = records.filter((end) => end <= first).length
        expect(torn.seen.length, `${how} at ${from}`).toBe(expected)
        const { torn: reported, rot, isClean } = again.report
        expect(rot).toEqual([])
        expect(isClean).toBe(false)
        const boundary = Math.max(records[expected - 1] ?? 0, ...ends.filter((end) => end <= first))
        if (damaged.length > boundary) {
          expect(reported).toMatchObject({ position: boundary, bytes: damaged.length - boundary })
          const aside = (torn.disk as SimulatedDisk).files().get(reported?.path ?? '')
          expect(aside).toEqual(damaged.slice(boundary))
        } else expect(reported).toBeUndefined()
      }
    },
  )
})

/** A store of all kinds of files: plain and compacted segments, a checkpoint. */
async function storeOfAllKinds(): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits: { segmentBytes: 1_500 } })
  const log = await place.open()
  for (let id = 1; id <= 60; id += 3) await appendAll(log, range(id, id + 2))
  await log.compact((record) => idOf(record) > 40 || idOf(record) % 3 !== 0)
  for (let id = 61; id <= 120; id += 3) await appendAll(log, range(id, id + 2))
  await writeCheckpoint(disk, 'store', { logId: log.id, position: log.safe, payload: payloadOf(120, 100) })
  for (let id = 121; id <= 140; id += 1) await appendAll(log, [id])
  await log.close()
  return disk
}

it('S3 detects each of 1,000 flipped bits, or it is harmless: nothing wrong is shown, nothing is deleted on doubt', async () => {
  const disk = await storeOfAllKinds()
  const original = new LogPlace(disk.afterCrash(), { limits: { segmentBytes: 1_500 } })
  await (await original.open()).abort()
  const files = [...disk.files()]
  expect(files.length).toBeGreaterThan(6)
  const totalBytes = files.reduce((sum, [, bytes]) => sum + bytes.length, 0)
  const random = new SeededRandom('rot')
  const outcomes = { lost: 0, lostMost: 0, harmless: 0, torn: 0 }
  for (let flip = 0; flip < 1_000; flip += 1) {
    let bit = random.integer(0, totalBytes * 8 - 1)
    const [path, before] = files.find(([, { length }]) => {
      if (bit < length * 8) return true
      bit -= length * 8
      return false
    }) as [string, Uint8Array]
    const rotten = disk.afterCrash()
    rotten.flip(path, bit)
    const place = new LogPlace(rotten, { limits: { segmentBytes: 1_500 } })
    const where = `bit ${bit} of ${path}`
    const log = await place.open({ fromCheckpoint: flip % 2 === 1 })
    const { rot, torn, from } = log.report
    const seen = new Map(place.seen.map((record) => [record.position, record]))
    let lost = 0
    for (const [index, record] of original.seen.entries()) {
      const found = seen.get(record.position)
      seen.delete(record.position)
      if (found !== undefined) expect(found, where).toEqual(record)
      else if (record.position >= from) {
        lost += 1
        const isReported = (torn !== undefined && record.position >= torn.position) || isWithin(rot, record.position)
        expect(isReported, `${where}: ${record.position} is missing, and nobody says so`).toBe(true)
      }
      if (found !== undefined && index % 8 !== flip % 8) continue
      const read = await log.read(record.position).catch((error: unknown) => error)
      if (PlaitError.is(read)) expect(read.code, where).toBe('CORRUPT')
      else expect(read, where).toEqual({ kind: record.kind, feed: record.feed, payload: record.payload })
    }
    expect(seen.size, `${where}: what was never there is shown`).toBe(0)
    await log.compact(() => true, { deadShare: 0 })
    await log.close()
    expectNothingGone(rotten, path, before, bit, where)
    outcomes.lost += lost > 0 ? 1 : 0
    outcomes.lostMost = Math.max(outcomes.lostMost, lost)
    outcomes.torn += torn === undefined ? 0 : 1
    outcomes.harmless += rot.length === 0 && torn === undefined ? 1 : 0
  }
  // One bit costs one record, or those of one commit when it is in a length.
  expect(outcomes.lostMost).toBeLessThanOrEqual(3)
  expect(outcomes.lost).toBeGreaterThan(300)
})

function isWithin(ranges: readonly LogRange[], position: number): boolean {
  return ranges.some((range) => position >= range.position && position < range.end)
}

/** The bytes of the file are where they were, or, cut off its end, in `torn/`. A segment that is whole may have been written again. */
function expectNothingGone(disk: SimulatedDisk, path: string, before: Uint8Array, bit: number, where: string): void {
  const damaged = before.slice()
  damaged[bit >> 3]! ^= 1 << (bit & 7)
  const after = disk.files().get(path) as Uint8Array
  let shared = 0
  while (shared < damaged.length && after[shared] === damaged[shared]) shared += 1
  if (shared === damaged.length) return
  const aside = [...disk.files()].filter(([name]) => name.startsWith('store/torn/')).map(([, bytes]) => bytes)
  const isAside = aside.some((bytes) => bytesEqual(bytes, damaged.subarray(damaged.length - bytes.length)))
  expect(isAside, `${where}: bytes are gone from ${shared} on`).toBe(true)
}

it('takes a whole record that has got to another place, or is of another log, for damage', async () => {
  const disk = new SimulatedDisk()
  const log = await new LogPlace(disk).open()
  const [first = 0] = await appendAll(log, [5, 6])
  await appendAll(log, [5])
  await appendAll(log, [7])
  await log.close()
  const bytes = disk.files().get(segmentPath) as Uint8Array
  const moved = bytes.slice()
  const length = 10 + payloadOf(5).length
  const [, , third] = await positionsOf(disk)
  moved.set(bytes.subarray(first, first + length), third)
  const place = new LogPlace(await withFile(disk, segmentPath, moved))
  const again = await place.open()
  expect(again.report.rot).toEqual([{ position: third, end: (third as number) + length }])
  expect(idsOf(place.seen)).toEqual([5, 6, 7])
})

async function positionsOf(disk: SimulatedDisk): Promise<number[]> {
  const place = new LogPlace(disk.afterCrash())
  await (await place.open()).abort()
  return place.seen.map(({ position }) => position)
}

it('opens when segments are missing, says so, and uses no position again', async () => {
  const whole = await storeOfAllKinds()
  const segments = [...whole.files().keys()].filter((name) => name.endsWith('.seg'))
  const place = new LogPlace(whole.afterCrash(), { limits: { segmentBytes: 1_500 } })
  await (await place.open()).abort()
  for (const name of segments) {
    const disk = whole.afterCrash()
    await disk.remove(name)
    const less = new LogPlace(disk, { limits: { segmentBytes: 1_500 } })
    const log = await less.open()
    const missing = place.seen.filter(({ position }) => !less.seen.some((other) => other.position === position))
    if (name !== segments.at(-1)) {
      expect(log.report.rot.length).toBe(1)
      expect(missing.every(({ position }) => isWithin(log.report.rot, position))).toBe(true)
    }
    const checkpoint = await readCheckpoint(disk, 'store')
    await log.close()
    const from = new LogPlace(disk, { limits: { segmentBytes: 1_500 } })
    const again = await from.open({ fromCheckpoint: true })
    expect(again.end).toBeGreaterThan(checkpoint?.position ?? 0)
    const [position = 0] = await appendAll(again, [999])
    expect(position).toBeGreaterThan(checkpoint?.position ?? 0)
    await again.close()
  }
})

it('opens when the last segment is shorter than its checkpoint says, cuts nothing off, and uses no position again', async () => {
  const whole = new SimulatedDisk()
  const first = await new LogPlace(whole).open()
  await appendAll(first, range(1, 20))
  const { safe } = first
  await writeCheckpoint(whole, 'store', { logId: first.id, position: safe, payload: new Uint8Array(0) })
  await first.close()
  const bytes = whole.files().get(segmentPath) as Uint8Array
  for (const length of [bytes.length - 100, 1_000, 130, 128]) {
    const disk = await withFile(whole, segmentPath, bytes.slice(0, length))
    const place = new LogPlace(disk)
    const log = await place.open({ fromCheckpoint: true })
    expect(log.report).toMatchObject({ isClean: false, torn: undefined, rot: [{ position: length, end: safe }] })
    const [position = 0] = await appendAll(log, [21])
    expect(position).toBeGreaterThan(safe)
    await log.close()
    expect(disk.files().get(segmentPath)).toEqual(bytes.slice(0, length))
    // Without the checkpoint: what is left of it, and what came later.
    const again = await place.open()
    expect(again.report.rot.length).toBe(1)
    expect(again.report.rot[0]?.end).toBe(safe)
    expect(idsOf(place.seen).at(-1)).toBe(21)
    await again.close()
  }
})

it('refuses a log without a whole header, one of a newer format, and the checkpoint of another log; and changes nothing', async () => {
  const disk = new SimulatedDisk()
  const log = await new LogPlace(disk).open()
  await appendAll(log, range(1, 10))
  await log.close()
  const bytes = disk.files().get(segmentPath) as Uint8Array
  for (const [headers, code] of [
    [bytes.slice().fill(9, 0, 128), 'CORRUPT'],
    [bytes.slice(0, 40), 'CORRUPT'],
    [new Uint8Array(0), 'CORRUPT'],
  ] as const) {
    const broken = await withFile(disk, segmentPath, headers)
    await expect(new LogPlace(broken).open()).rejects.toMatchObject({ code })
    expect(broken.files().get(segmentPath)).toEqual(headers)
  }
  const foreign = { logId: new Uint8Array(16), position: log.safe, payload: new Uint8Array(0) }
  const refused = { code: 'CORRUPT', facts: { reason: 'checkpoint' } }
  await expect(new LogPlace(disk, { checkpoint: foreign }).open()).rejects.toMatchObject(refused)
  await expect(new LogPlace(undefined, { checkpoint: foreign }).open()).rejects.toMatchObject(refused)
  const place = new LogPlace(disk)
  await place.open()
  expect(idsOf(place.seen)).toEqual(range(1, 10))
})
