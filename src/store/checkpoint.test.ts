import { expect, it } from 'vitest'
import { crashStates } from '../runtime/simulated/crash-states.ts'
import { RecordingDisk } from '../runtime/simulated/recording-disk.ts'
import { SimulatedDisk } from '../runtime/simulated/disk.ts'
import { readCheckpoint, writeCheckpoint, type Checkpoint } from './checkpoint.ts'

const checkpoint = (position: number): Checkpoint => ({
  logId: new Uint8Array(16).fill(7),
  position,
  payload: new Uint8Array(position % 300).fill(position),
})

it('gives back the last one, and none when there is none', async () => {
  const disk = new SimulatedDisk()
  await disk.makeDirectory('store')
  expect(await readCheckpoint(disk, 'store')).toBeUndefined()
  await writeCheckpoint(disk, 'store', checkpoint(2 ** 40 + 5))
  await writeCheckpoint(disk, 'store', checkpoint(1_000))
  expect(await readCheckpoint(disk, 'store')).toEqual(checkpoint(1_000))
  await writeCheckpoint(disk, '', checkpoint(3))
  expect(await readCheckpoint(disk, '')).toEqual(checkpoint(3))
})

it('is none when a bit of it has changed', async () => {
  const disk = new SimulatedDisk()
  await writeCheckpoint(disk, '', checkpoint(20))
  for (let bit = 0; bit < (44 + 20) * 8; bit += 1) {
    disk.flip('checkpoint', bit)
    expect(await readCheckpoint(disk, ''), `bit ${bit}`).toBeUndefined()
    disk.flip('checkpoint', bit)
  }
  expect(await readCheckpoint(disk, '')).toEqual(checkpoint(20))
})

it('is the last one or the one before after a power cut, whatever reached the disk, and nothing between', async () => {
  const disk = new RecordingDisk<number>()
  for (const position of [100, 1_250, 50]) {
    await writeCheckpoint(disk, '', checkpoint(position))
    disk.note(position)
  }
  const found = new Map<string, number>()
  for await (const { notes, disk: left, description } of crashStates(disk.recorded, { tearBytes: 1 })) {
    const { position } = (await readCheckpoint(left, '')) ?? { position: 0 }
    const allowed = [0, 100, 1_250, 50].slice(notes.length, notes.length + 2)
    expect(allowed, description).toContain(position)
    const key = `${notes.length} ${position}`
    found.set(key, (found.get(key) ?? 0) + 1)
  }
  expect([...found.keys()].sort()).toEqual(['0 0', '0 100', '1 100', '1 1250', '2 1250', '2 50', '3 50'])
})
