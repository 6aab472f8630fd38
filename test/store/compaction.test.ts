import { expect, it } from 'vitest'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { appendAll, idOf, idsOf, LogPlace, payloadOf, range } from './log-place.ts'

const limits = { segmentBytes: 2_000 }
const absent = { code: 'CORRUPT', facts: { reason: 'absent' } }

it('takes out what nobody needs; the rest is where it was, in its order', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits })
  const log = await place.open()
  const positions: number[] = []
  for (let id = 1; id <= 100; id += 5) positions.push(...(await appendAll(log, range(id, id + 4))))
  const isNeeded = (id: number): boolean => id % 6 === 0 || id > 95
  const asked = new Set<number>()
  const report = await log.compact((record, position) => {
    expect(positions[idOf(record) - 1]).toBe(position)
    asked.add(idOf(record))
    return isNeeded(idOf(record))
  })
  expect(report.after).toBeLessThan(report.before)
  expect(report.freedBytes).toBeGreaterThan(1_000)
  expect(log.segmentCount).toBeLessThan(4)
  expect(place.probe.counts().get('segments joined')).toBeGreaterThan(0)
  const check = async (): Promise<void> => {
    for (const [index, position] of positions.entries()) {
      const isKept = isNeeded(index + 1) || !asked.has(index + 1)
      if (isKept) expect((await log.read(position)).payload).toEqual(payloadOf(index + 1))
      else await expect(log.read(position)).rejects.toMatchObject(absent)
    }
  }
  await check()
  await expect(log.read(positions[0]! + 1)).rejects.toMatchObject(absent)
  const kept = positions.filter((_position, index) => isNeeded(index + 1))
  expect((await log.readMany(kept)).map((record) => idOf(record))).toEqual(
    kept.map((position) => positions.indexOf(position) + 1),
  )
  expect((await log.compact((record) => isNeeded(idOf(record)))).before).toBe(0)
  await log.close()
  const again = await place.open()
  expect(idsOf(place.seen)).toEqual(range(1, 100).filter((id) => isNeeded(id) || !asked.has(id)))
  for (const { position, payload } of place.seen) expect(positions[idOf({ payload }) - 1]).toBe(position)
  await appendAll(again, [101])
  // All of the old ones go: one empty file says so.
  await again.compact(() => false)
  expect(again.segmentCount).toBeLessThanOrEqual(2)
  await again.close()
  expect((await place.open()).report).toMatchObject({ rot: [], isClean: true })
})

it('lets reads and appends go on meanwhile', async () => {
  const place = new LogPlace(new SimulatedDisk({ delay: () => Promise.resolve() }), { limits })
  const log = await place.open()
  const positions: number[] = []
  for (let id = 1; id <= 200; id += 5) positions.push(...(await appendAll(log, range(id, id + 4))))
  const dead = new Set<number>()
  let done = false
  const compacting = (async () => {
    for (let round = 2; round < 6; round += 1) {
      for (const id of range(1, 150)) if (id % round === 1) dead.add(id)
      await log.compact((record) => !dead.has(idOf(record)), { deadShare: 0 })
    }
    done = true
  })()
  let reads = 0
  while (!done) {
    for (const id of range(1, 200)) {
      if (dead.has(id) || done) continue
      expect(idOf(await log.read(positions[id - 1] as number))).toBe(id)
      reads += 1
    }
    await appendAll(log, [1_000 + reads])
  }
  await compacting
  expect(reads).toBeGreaterThan(50)
  await log.close()
})

it('leaves a segment alone in which a record is damaged', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits })
  const log = await place.open()
  const positions: number[] = []
  for (let id = 1; id <= 100; id += 5) positions.push(...(await appendAll(log, range(id, id + 4))))
  const second = [...disk.files().keys()].sort()[1] as string
  disk.flip(second, 200 * 8)
  const before = disk.files().get(second)
  const report = await log.compact(() => false)
  expect(report.damaged).toEqual([Number(second.slice('store/log/'.length, -'.seg'.length))])
  expect(disk.files().get(second)).toEqual(before)
  await log.close()
  const again = await place.open()
  expect(again.report.rot.length).toBe(1)
})

it('needs room for what is left, and changes nothing when there is none', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits })
  const log = await place.open()
  for (let id = 1; id <= 60; id += 5) await appendAll(log, range(id, id + 4))
  disk.capacityBytes = 0
  await expect(log.compact((record) => idOf(record) % 2 === 0)).rejects.toMatchObject({ code: 'NO_SPACE' })
  disk.capacityBytes = 1_000_000
  expect([...disk.files().keys()].filter((name) => name.endsWith('.tmp'))).toEqual([])
  await log.close()
  await place.open()
  expect(idsOf(place.seen)).toEqual(range(1, 60))
})

it('finds its way behind damage in a compacted segment', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits })
  const log = await place.open()
  for (let id = 1; id <= 60; id += 5) await appendAll(log, range(id, id + 4))
  await log.compact((record) => idOf(record) % 2 === 0)
  await log.close()
  await (await place.open()).close()
  const all = idsOf(place.seen)
  const [first] = [...disk.files().keys()].sort()
  for (const bit of [128 * 8, 138 * 8, 141 * 8 + 7, 150 * 8]) {
    const rotten = disk.afterCrash()
    rotten.flip(first as string, bit)
    const damaged = new LogPlace(rotten, { limits })
    const again = await damaged.open()
    expect(again.report.rot.length).toBe(1)
    const seen = new Set(idsOf(damaged.seen))
    expect(all.filter((id) => !seen.has(id)).length).toBeLessThanOrEqual(3)
    await again.abort()
  }
  // Both copies of its header: from the records it can still be seen what it is.
  const headless = disk.afterCrash()
  headless.flip(first as string, 5)
  headless.flip(first as string, 64 * 8)
  const without = new LogPlace(headless, { limits })
  const last = await without.open()
  expect(last.report.rot).toEqual([{ position: 0, end: 128 }])
  expect(idsOf(without.seen)).toEqual(all)
})
