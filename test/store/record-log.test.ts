import { expect, it } from 'vitest'
import { bytesEqual, emptyBytes } from '../../src/base/bytes.ts'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { writeCheckpoint } from '../../src/store/checkpoint.ts'
import { appendAll, idOf, idsOf, LogPlace, payloadOf, range } from './log-place.ts'

it('gives back what was committed, in order, by visiting and by position', async () => {
  const place = new LogPlace()
  const log = await place.open()
  expect(log.report).toMatchObject({ isNew: true, isClean: true, records: 0, rot: [] })
  const positions = await appendAll(log, range(1, 100))
  expect(log.safe).toBe(log.end)
  for (const [index, position] of positions.entries()) {
    const record = await log.read(position)
    expect(record).toEqual({ kind: 1, feed: (index + 1) % 5, payload: payloadOf(index + 1) })
  }
  await log.close()
  const again = await place.open()
  expect(again.report).toMatchObject({ isNew: false, isClean: true, records: 100, rot: [], torn: undefined })
  expect(place.seen.map(({ position }) => position)).toEqual(positions)
  expect(idsOf(place.seen)).toEqual(range(1, 100))
  const records = await again.readMany(positions)
  expect(records.map((record) => idOf(record))).toEqual(range(1, 100))
  expect(again.id).toEqual(log.id)
  await again.close()
})

it('keeps after a power cut what was synced, and nothing that was not', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk)
  const log = await place.open()
  await appendAll(log, range(1, 10))
  log.append(1, 0, payloadOf(11))
  await log.commit('os')
  log.append(1, 0, payloadOf(12))
  await log.commit('memory')
  disk.crash()
  const again = await place.open()
  expect(again.report).toMatchObject({ isClean: false, torn: undefined, rot: [] })
  expect(idsOf(place.seen)).toEqual(range(1, 10))
  await appendAll(again, [11])
  await again.close()
  await (await place.open()).close()
  expect(idsOf(place.seen)).toEqual(range(1, 11))
})

it('goes on in another segment when one is full, and reads across them', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits: { segmentBytes: 1_000 } })
  const log = await place.open()
  const positions: number[] = []
  for (let id = 1; id <= 200; id += 7) positions.push(...(await appendAll(log, range(id, id + 6))))
  expect(log.segmentCount).toBeGreaterThan(8)
  expect((await log.readMany(positions)).map((record) => idOf(record))).toEqual(range(1, positions.length))
  await log.close()
  const names = [...disk.files().keys()]
  expect(names.length).toBe(log.segmentCount)
  const again = await place.open()
  expect(idsOf(place.seen)).toEqual(range(1, positions.length))
  expect(place.seen.map(({ position }) => position)).toEqual(positions)
  await again.close()
})

it('syncs what was only written before it goes on in another segment', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits: { segmentBytes: 400 } })
  const log = await place.open()
  for (const id of range(1, 6)) log.append(1, id, payloadOf(id))
  await log.commit('os')
  expect([log.end > 400, log.safe < log.end]).toEqual([true, true])
  await appendAll(log, [7])
  expect(log.segmentCount).toBe(2)
  disk.crash()
  await place.open()
  expect(idsOf(place.seen)).toEqual(range(1, 7))
})

it('begins at a checkpoint', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk, { limits: { segmentBytes: 1_000 } })
  const log = await place.open()
  for (let id = 1; id <= 40; id += 4) await appendAll(log, range(id, id + 3))
  await writeCheckpoint(disk, 'store', { logId: log.id, position: log.safe, payload: payloadOf(40) })
  await appendAll(log, range(41, 50))
  await log.close()
  const again = await place.open({ fromCheckpoint: true })
  expect(idsOf(place.seen)).toEqual(range(41, 50))
  expect(again.report).toMatchObject({ records: 10, isClean: true, rot: [] })
  await again.close()
})

it('takes a record of its longest length, and no longer one; so many bytes that wait, and no more', async () => {
  const place = new LogPlace(undefined, { limits: { recordBytes: 10_000, pendingBytes: 50_000 } })
  const log = await place.open()
  const longest = log.append(1, 0, payloadOf(1, 9_998))
  await log.commit()
  expect((await log.read(longest)).payload).toEqual(payloadOf(1, 9_998))
  for (const bytes of [9_999, 1_000_000]) {
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT', facts: { bytes: bytes + 2, limit: 10_000 } })
    expect(() => log.append(1, 0, new Uint8Array(bytes))).toThrow(refused)
  }
  for (const [kind, feed] of [
    [0, 1],
    [1.5, 1],
    [1, -1],
    [2 ** 53, 1],
    [1, 2 ** 53],
  ] as const) {
    expect(() => log.append(kind, feed, new Uint8Array(1))).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    )
  }
  let taken = 0
  const fill = (): void => {
    for (; taken < 100; taken += 1) log.append(1, 0, payloadOf(2, 990))
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'BUFFER_FULL', facts: { limit: 50_000 } }))
  expect(taken).toBe(50)
  await log.commit()
  fill()
  expect(taken).toBe(100)
  await log.close()
})

it('believes no length on the disk that is longer than a record may be', async () => {
  const disk = new SimulatedDisk()
  const place = new LogPlace(disk)
  const log = await place.open()
  const [first = 0] = await appendAll(log, [1, 2, 3])
  await appendAll(log, [4])
  await log.close()
  // The highest bit of the length.
  disk.flip('store/log/0000000000000000.seg', (first + 7) * 8 + 7)
  const again = await place.open()
  expect(again.report.rot.length).toBe(1)
  expect(idsOf(place.seen)).toEqual([4])
  await expect(again.read(first)).rejects.toMatchObject({ code: 'CORRUPT' })
})

it('reads what lies far apart, is long, or in more files than are kept open', async () => {
  const place = new LogPlace(undefined, { limits: { segmentBytes: 3_000_000, openSegments: 2 } })
  const log = await place.open()
  const lengths = [10, 2_000_000, 50, 5_000, 900_000, 900_000, 4, 1_200_000, 20, 3_000_000, 7, 4_000, 4_088, 4_096, 60]
  const positions = lengths.map((length, id) => log.append(1, 0, longPayload(id, length)))
  await log.commit()
  for (let id = 100; id < 110; id += 1) positions.push(...(await appendAll(log, [id, id + 100])))
  const ids = [...lengths.keys(), ...range(100, 109).flatMap((id) => [id, id + 100])]
  const all = await log.readMany(positions)
  expect(all.map((record) => idOf(record))).toEqual(ids)
  for (const [index, length] of lengths.entries()) {
    expect(bytesEqual(all[index]?.payload ?? emptyBytes, longPayload(index, length)), `${length} bytes`).toBe(true)
  }
  const backwards = await Promise.all(positions.toReversed().map((position) => log.read(position)))
  expect(backwards.map((record) => idOf(record))).toEqual(ids.toReversed())
  expect(await log.readMany([])).toEqual([])
  const mixed = [positions[3], positions[3], positions[1], positions[20]] as number[]
  expect((await log.readMany(mixed)).map((record) => idOf(record))).toEqual([3, 3, 1, ids[20]])
  for (const position of [0, 5, log.end, log.end + 1_000, -1, 2 ** 60]) {
    await expect(log.read(position)).rejects.toMatchObject({ code: 'CORRUPT' })
  }
  await log.close()
})

/** Random bytes take their time. */
function longPayload(id: number, length: number): Uint8Array {
  const payload = new Uint8Array(length).fill(id + 1)
  payload.set(payloadOf(id, Math.min(length, 100)))
  return payload
}

it('takes nothing after it was closed, and closes once', async () => {
  const place = new LogPlace()
  const log = await place.open()
  log.append(1, 0, payloadOf(1))
  const waiting = log.commit()
  const closing = log.close()
  expect(() => log.append(1, 0, payloadOf(2))).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
  await waiting
  await closing
  await log.close()
  await log.abort()
  await log[Symbol.asyncDispose]()
  await expect(log.commit()).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await place.open()
  expect(idsOf(place.seen)).toEqual([1])
})

it('leaves what waits when it is aborted, and says so', async () => {
  const place = new LogPlace()
  const log = await place.open()
  await appendAll(log, [1])
  log.append(1, 0, payloadOf(2))
  const waiting = log.commit()
  await log.abort()
  await expect(waiting).rejects.toMatchObject({ code: 'STORE_CLOSED' })
  await place.open()
  expect(idsOf(place.seen).length).toBeLessThanOrEqual(2)
})
