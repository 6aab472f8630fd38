import { describe, expect, it } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { SimulatedDisk, type DiskOperation } from '../../src/runtime/simulated/disk.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { appendAll, idsOf, LogPlace, payloadOf, range } from './log-place.ts'

const broken = new PlaitError('FILE_FAILED', 'EIO', { facts: { reason: 'EIO' } })

/** A disk on which the next call of a kind fails. */
function faultyDisk(): { disk: SimulatedDisk; fail: (operation: DiskOperation, times?: number) => void } {
  const left = new Map<DiskOperation, number>()
  const disk = new SimulatedDisk({
    fault: (operation) => {
      const times = left.get(operation) ?? 0
      left.set(operation, times - 1)
      return times > 0 ? broken : undefined
    },
  })
  return { disk, fail: (operation, times = 1) => void left.set(operation, times) }
}

async function idsAfterCrash(disk: SimulatedDisk): Promise<number[]> {
  disk.crash()
  const place = new LogPlace(disk)
  await (await place.open()).abort()
  return idsOf(place.seen)
}

describe('S4 a full disk', () => {
  it('rejects what waits, keeps what was acknowledged, and takes more when there is room', async () => {
    const disk = new SimulatedDisk({ capacityBytes: 2_000 })
    const place = new LogPlace(disk)
    const log = await place.open()
    const kept: number[] = []
    let id = 0
    for (;;) {
      id += 1
      try {
        await appendAll(log, [id])
        kept.push(id)
      } catch (error) {
        expect(error).toMatchObject({ code: 'NO_SPACE' })
        break
      }
    }
    expect(kept.length).toBeGreaterThan(5)
    await expect(appendAll(log, [1_000])).rejects.toMatchObject({ code: 'NO_SPACE' })
    disk.capacityBytes = 10_000
    await appendAll(log, [2_000, 2_001])
    expect(place.probe.counts().get('cut back after a failed write')).toBe(2)
    expect(await idsAfterCrash(disk)).toEqual([...kept, 2_000, 2_001])
  })

  it('can be opened, and closed', async () => {
    const disk = new SimulatedDisk()
    const place = new LogPlace(disk)
    await appendAll(await place.open(), range(1, 9))
    disk.crash()
    disk.capacityBytes = 1
    const log = await place.open()
    expect(idsOf(place.seen)).toEqual(range(1, 9))
    await expect(appendAll(log, [10])).rejects.toMatchObject({ code: 'NO_SPACE' })
    await log.close()
    disk.capacityBytes = 100_000
    const again = await place.open()
    await appendAll(again, [10])
    await again.close()
    expect(await idsAfterCrash(disk)).toEqual(range(1, 10))
  })

  it('rejects all that wait in all segments to come when there is no room for the next one', async () => {
    const disk = new SimulatedDisk()
    const log = await new LogPlace(disk, { limits: { segmentBytes: 500 } }).open()
    await appendAll(log, [1])
    disk.capacityBytes = 700
    const commits = range(2, 40).map((id) => {
      log.append(1, id % 5, payloadOf(id))
      return log.commit()
    })
    const outcomes = await Promise.allSettled(commits)
    const resolved = outcomes.filter(({ status }) => status === 'fulfilled').length
    expect(outcomes.slice(0, resolved).every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(outcomes[resolved]).toMatchObject({ reason: { code: 'NO_SPACE' } })
    disk.capacityBytes = 100_000
    await appendAll(log, [100])
    expect(await idsAfterCrash(disk)).toEqual([...range(1, 1 + resolved), 100])
  })

  it('is told to whoever commits next when nobody had waited for what is lost', async () => {
    const disk = new SimulatedDisk()
    const log = await new LogPlace(disk).open()
    await appendAll(log, [1])
    disk.capacityBytes = 10
    log.append(1, 0, payloadOf(2))
    await log.commit('memory')
    for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
    disk.capacityBytes = 10_000
    log.append(1, 0, payloadOf(3))
    await expect(log.commit()).rejects.toMatchObject({ code: 'NO_SPACE' })
    await appendAll(log, [4])
    expect(await idsAfterCrash(disk)).toEqual([1, 4])
  })
})

describe('S4 EIO', () => {
  it('on a write is a rejection, after which the log goes on', async () => {
    const { disk, fail } = faultyDisk()
    const log = await new LogPlace(disk).open()
    await appendAll(log, [1, 2])
    fail('write')
    await expect(appendAll(log, [3])).rejects.toBe(broken)
    await appendAll(log, [4])
    expect(await idsAfterCrash(disk)).toEqual([1, 2, 4])
  })

  it('while what was left is removed makes it read-only', async () => {
    const { disk, fail } = faultyDisk()
    const log = await new LogPlace(disk).open()
    await appendAll(log, [1, 2])
    fail('write')
    fail('truncate')
    await expect(appendAll(log, [3])).rejects.toBe(broken)
    await expect(log.commit()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect(() => log.append(1, 1, payloadOf(4))).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
  })

  it.each(['rename', 'syncDirectory', 'open'] as const)('on %s in a rotation loses nothing', async (operation) => {
    const { disk, fail } = faultyDisk()
    const place = new LogPlace(disk, { limits: { segmentBytes: 400 } })
    const log = await place.open()
    for (const id of range(1, 5)) log.append(1, id, payloadOf(id))
    await log.commit()
    expect([log.segmentCount, log.end > 400]).toEqual([1, true])
    fail(operation)
    const code = operation === 'syncDirectory' ? 'STORE_FAILED' : 'FILE_FAILED'
    await expect(appendAll(log, [6])).rejects.toMatchObject({ code })
    if (code === 'FILE_FAILED') await appendAll(log, [7])
    expect(await idsAfterCrash(disk)).toEqual(code === 'FILE_FAILED' ? [...range(1, 5), 7] : range(1, 5))
  })
})

describe('S4 a failed sync', () => {
  it('acknowledges nothing, and nothing is taken before the store is opened again; reading goes on', async () => {
    const { disk, fail } = faultyDisk()
    const place = new LogPlace(disk)
    const log = await place.open()
    const [position = 0] = await appendAll(log, [1])
    fail('sync')
    const both = [2, 3].map((id) => {
      log.append(1, id, payloadOf(id))
      return log.commit()
    })
    for (const commit of both) await expect(commit).rejects.toMatchObject({ code: 'STORE_FAILED', cause: broken })
    expect(() => log.append(1, 1, payloadOf(4))).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
    for (const level of ['memory', 'os', 'disk'] as const) {
      await expect(log.commit(level)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    }
    await expect(log.compact(() => true)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    expect((await log.read(position)).payload).toEqual(payloadOf(1))
    await log.close()
    const again = await place.open()
    await appendAll(again, [5])
    await again.close()
    expect((await idsAfterCrash(disk)).at(-1)).toBe(5)
  })

  it('has lost what it was to write, though it can be read; what the next opening shows is on the disk for all that', async () => {
    const { disk, fail } = faultyDisk()
    const place = new LogPlace(disk)
    const log = await place.open()
    await appendAll(log, [1])
    fail('sync')
    await expect(appendAll(log, [2, 3])).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await log.abort()
    await (await place.open()).abort()
    expect(idsOf(place.seen)).toEqual([1, 2, 3])
    expect(await idsAfterCrash(disk)).toEqual([1, 2, 3])
  })

  it('when it is opened is told then', async () => {
    const { disk, fail } = faultyDisk()
    const place = new LogPlace(disk)
    await appendAll(await place.open(), [1])
    fail('sync')
    await expect(place.open()).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await (await place.open()).close()
    expect(idsOf(place.seen)).toEqual([1])
  })
})

it('keeps all that was acknowledged and nothing that was rejected, after random faults and power cuts', async () => {
  for (let seed = 0; seed < 150; seed += 1) {
    const random = new SeededRandom(`faults ${seed}`)
    let chance = 0
    const disk = new SimulatedDisk({
      fault: (operation) => (operation !== 'read' && random.chance(chance) ? broken : undefined),
    })
    const place = new LogPlace(disk, { limits: { segmentBytes: 700 } })
    const acknowledged: number[] = []
    const maybe = new Set<number>()
    let id = 0
    for (let life = 0; life < 4; life += 1) {
      const log = await place.open()
      const found = idsOf(place.seen)
      expect(
        found.filter((other) => !maybe.has(other)),
        `seed ${seed}`,
      ).toEqual(acknowledged)
      // What is shown is promised.
      acknowledged.splice(0, acknowledged.length, ...found)
      maybe.clear()
      chance = random.pick([0, 0.02, 0.1])
      for (let step = 0; step < 12; step += 1) {
        const ids = range(id + 1, (id += random.integer(1, 5)))
        try {
          await appendAll(log, ids)
          acknowledged.push(...ids)
        } catch (error) {
          // After a failed sync they may be there; after a failed write they are not.
          if (PlaitError.is(error) && error.code === 'STORE_FAILED') for (const one of ids) maybe.add(one)
        }
      }
      chance = 0
      if (random.chance(0.5)) disk.crash((change) => change.kind !== 'name' && random.chance(0.5))
      else await log.close()
    }
  }
})
