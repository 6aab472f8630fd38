import { expect, it } from 'vitest'
import { crashStates } from './crash-states.ts'
import type { SimulatedDisk } from './disk.ts'
import { RecordingDisk } from './recording-disk.ts'

const textOf = (disk: SimulatedDisk): string =>
  [...disk.files()].map(([path, bytes]) => `${path}:${[...bytes].join('')}`).join(' ')

it('gives every state after every call, with what had been noted by then', async () => {
  const disk = new RecordingDisk<string>()
  const file = await disk.open('a', { create: true })
  await file.write(0, Uint8Array.of(1, 2, 3))
  await file.sync()
  disk.note('written')
  await disk.syncDirectory('')
  disk.note('named')
  await disk.rename('a', 'b')
  const found = new Map<string, Set<string>>()
  for await (const { notes, disk: left } of crashStates(disk.recorded, { tearBytes: 1 })) {
    const key = notes.join(' ')
    found.set(key, (found.get(key) ?? new Set()).add(textOf(left)))
  }
  expect([...(found.get('') ?? [])].sort()).toEqual(['', 'a:', 'a:000', 'a:003', 'a:023', 'a:100', 'a:120', 'a:123'])
  expect([...(found.get('written') ?? [])].sort()).toEqual(['', 'a:123'])
  expect([...(found.get('written named') ?? [])].sort()).toEqual(['a:123', 'b:123'])
})

it('tears at sectors of the file, not of the write', async () => {
  const disk = new RecordingDisk()
  const file = await disk.open('a', { create: true })
  await disk.syncDirectory('')
  await file.write(0, new Uint8Array(3).fill(1))
  await file.sync()
  await file.write(3, new Uint8Array(6).fill(2))
  const found = new Set<string>()
  for await (const { disk: left } of crashStates(disk.recorded, { sectorBytes: 4 })) found.add(textOf(left))
  expect([...found].filter((text) => text.length > 'a:111'.length).sort()).toEqual([
    'a:111000000',
    'a:111000002',
    'a:111022220',
    'a:111022222',
    'a:111200000',
    'a:111222220',
    'a:111222222',
  ])
})

it('repeats no sync as if it had made durable what was written meanwhile', async () => {
  const disk = new RecordingDisk()
  const file = await disk.open('a', { create: true })
  const synced = file.sync()
  await expect(file.write(0, Uint8Array.of(1))).rejects.toThrow('while it is synced')
  await synced
})
