import { expect, it } from 'vitest'
import { SimulatedDisk } from '../../src/runtime/simulated/disk.ts'
import { idsOf, LogPlace, payloadOf } from './log-place.ts'

const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve()
}

it('writes and syncs once for all commits of a turn, and resolves none before that', async () => {
  const events: string[] = []
  const disk = syncsHeldBy(new SimulatedDisk(), events, () => undefined)
  const log = await new LogPlace(disk).open()
  events.length = 0
  const commits: Promise<unknown>[] = []
  for (let id = 1; id <= 50; id += 1) {
    log.append(1, 0, payloadOf(id))
    commits.push(log.commit().then(() => events.push(`resolved ${id}`)))
  }
  await Promise.all(commits)
  expect(events.slice(0, 4)).toEqual(['write', 'sync begins', 'synced', 'resolved 1'])
  expect(events.length).toBe(53)
  expect(log.safe).toBe(log.end)
})

it('gathers what is appended during a sync for the next one', async () => {
  const events: string[] = []
  let hold: Promise<void> | undefined
  const inner = new SimulatedDisk()
  const disk = syncsHeldBy(inner, events, () => hold)
  const log = await new LogPlace(disk).open()
  events.length = 0
  const commit = (id: number): Promise<unknown> => {
    log.append(1, 0, payloadOf(id))
    return log.commit().then(() => events.push(`resolved ${id}`))
  }
  let release!: () => void
  hold = new Promise((resolve) => (release = resolve))
  const first = commit(1)
  await turns()
  expect(events).toEqual(['write', 'sync begins'])
  const others = [2, 3, 4, 5].map(commit)
  const position = log.append(1, 0, payloadOf(6))
  await turns()
  expect(events.length).toBe(2)
  expect(log.safe).toBeLessThan(log.end)
  expect(log.end).toBeLessThan(position)
  hold = undefined
  release()
  await Promise.all([first, ...others])
  expect(events).toEqual([
    'write',
    'sync begins',
    'synced',
    'resolved 1',
    'write',
    'sync begins',
    'synced',
    'resolved 2',
    'resolved 3',
    'resolved 4',
    'resolved 5',
  ])
  await log.close()
})

it('resolves for the operating system before the sync, and in memory at once', async () => {
  const events: string[] = []
  const log = await new LogPlace(syncsHeldBy(new SimulatedDisk(), events, () => undefined)).open()
  events.length = 0
  log.append(1, 0, payloadOf(1))
  const memory = log.commit('memory').then(() => events.push('in memory'))
  const os = log.commit('os').then(() => events.push('in the system'))
  const disk = log.commit('disk').then(() => events.push('on the disk'))
  await Promise.all([memory, os, disk])
  expect(events).toEqual(['in memory', 'write', 'in the system', 'sync begins', 'synced', 'on the disk'])
  await log.commit('os')
  await log.commit()
  expect(events.length).toBe(6)
  log.append(1, 0, payloadOf(2))
  await log.commit('os')
  expect(events.slice(6)).toEqual(['write'])
  expect(log.safe).toBeLessThan(log.end)
  await log.commit()
  expect(events.slice(7)).toEqual(['sync begins', 'synced'])
  await log.close()
})

it('tells the disk nothing when there is nothing to commit', async () => {
  const events: string[] = []
  const disk = syncsHeldBy(new SimulatedDisk(), events, () => undefined)
  const place = new LogPlace(disk)
  const log = await place.open()
  events.length = 0
  await log.commit()
  await log.commit('os')
  await log.commit('memory')
  expect(events).toEqual([])
  await log.close()
  await (await place.open()).close()
  expect(events).toEqual([])
  expect(idsOf(place.seen)).toEqual([])
})

function syncsHeldBy(inner: SimulatedDisk, events: string[], hold: () => Promise<void> | undefined): SimulatedDisk {
  const open = inner.open.bind(inner)
  inner.open = async (path, options) => {
    const file = await open(path, options)
    return {
      ...file,
      write: async (offset, bytes) => {
        await file.write(offset, bytes)
        events.push('write')
      },
      sync: async () => {
        events.push('sync begins')
        await hold()
        await file.sync()
        events.push('synced')
      },
    }
  }
  return inner
}
