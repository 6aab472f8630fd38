import { expect, it } from 'vitest'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
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
