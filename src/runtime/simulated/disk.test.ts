import { expect, it } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import type { Survival } from './disk-contents.ts'
import { SimulatedDisk } from './disk.ts'
import { SeededRandom } from './random.ts'

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values)

it('loses in a power cut what was not synced, and only that', async () => {
  const disk = new SimulatedDisk()
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1, 2, 3))
  await file.sync()
  await file.write(1, bytes(9, 9, 9, 9))
  await file.truncate(2)
  expect(await file.read(0, 10)).toEqual(bytes(1, 9))
  disk.crash()
  await expect(file.read(0, 1)).rejects.toMatchObject({ code: 'FILE_FAILED' })
  const reopened = await disk.open('log', { create: false })
  expect(await reopened.read(0, 10)).toEqual(bytes(1, 2, 3))
})

it('loses a new name whose directory was not synced, although its contents were', async () => {
  const disk = new SimulatedDisk()
  await disk.makeDirectory('a')
  await disk.syncDirectory('')
  const file = await disk.open('a/log', { create: true })
  await file.write(0, bytes(1))
  await file.sync()
  disk.crash()
  expect(await disk.list('')).toEqual(['a'])
  expect(await disk.list('a')).toEqual([])
})

it('makes a rename durable with its directory: before that the old contents are back', async () => {
  const disk = new SimulatedDisk()
  for (const [name, value] of [
    ['old', 1],
    ['new', 2],
  ] as const) {
    const file = await disk.open(name, { create: true })
    await file.write(0, bytes(value))
    await file.sync()
  }
  await disk.syncDirectory('')
  await disk.rename('new', 'old')
  expect(await disk.list('')).toEqual(['old'])
  disk.crash()
  expect(await disk.list('')).toEqual(['new', 'old'])
  await disk.rename('new', 'old')
  await disk.syncDirectory('')
  disk.crash()
  expect(await disk.list('')).toEqual(['old'])
  expect(await (await disk.open('old', { create: false })).read(0, 9)).toEqual(bytes(2))
})

it('may keep some unsynced writes and lose others, in any order', async () => {
  const disk = new SimulatedDisk()
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  for (let index = 0; index < 4; index += 1) await file.write(index, bytes(index + 1))
  disk.crash((change) => change.kind === 'write' && change.offset % 2 === 1)
  expect(await (await disk.open('log', { create: false })).read(0, 9)).toEqual(bytes(0, 2, 0, 4))
})

it('makes durable what was written before the call of sync, not what came during it', async () => {
  const gates: (() => void)[] = []
  let isSlow = false
  const disk = new SimulatedDisk({
    delay: () => (isSlow ? new Promise((resolve) => gates.push(resolve)) : Promise.resolve()),
  })
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1))
  isSlow = true
  const synced = file.sync()
  isSlow = false
  await file.write(1, bytes(2))
  for (const open of gates) open()
  await synced
  disk.crash()
  expect(await (await disk.open('log', { create: false })).read(0, 9)).toEqual(bytes(1))
})

it('fails as it is told to, and when it is full', async () => {
  const faults: PlaitError[] = []
  const disk = new SimulatedDisk({
    capacityBytes: 4,
    fault: (operation) => (operation === 'sync' ? faults[0] : undefined),
  })
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1, 2, 3))
  await expect(file.write(3, bytes(4, 5))).rejects.toMatchObject({ code: 'NO_SPACE' })
  await file.write(0, bytes(9, 2, 3, 4))
  const fault = new PlaitError('FILE_FAILED', 'EIO')
  faults.push(fault)
  await expect(file.sync()).rejects.toBe(fault)
  disk.crash()
  expect(await (await disk.open('log', { create: false })).size()).toBe(0)
  disk.capacityBytes = 100
  const again = await disk.open('log', { create: false })
  await again.write(50, bytes(1))
  expect(await again.size()).toBe(51)
})

it('agrees with a model after random writes, syncs and power cuts', async () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const random = new SeededRandom(seed)
    const disk = new SimulatedDisk()
    let file = await disk.open('log', { create: true })
    await disk.syncDirectory('')
    let current: number[] = []
    let durable: number[] = []
    for (let step = 0; step < 60; step += 1) {
      const action = random.integer(0, 9)
      if (action < 6) {
        const offset = random.integer(0, current.length + 2)
        const written = [...random.bytes(random.integer(0, 5))]
        await file.write(offset, Uint8Array.from(written))
        const filled =
          written.length === 0
            ? current
            : [...current, ...new Array<number>(Math.max(0, offset - current.length)).fill(0)]
        current = [...filled.slice(0, offset), ...written, ...filled.slice(offset + written.length)]
      } else if (action < 7) {
        const length = random.integer(0, current.length)
        await file.truncate(length)
        current = current.slice(0, length)
      } else if (action < 9) {
        await file.sync()
        durable = current
      } else {
        disk.crash()
        current = durable
        file = await disk.open('log', { create: false })
      }
      expect(await file.size()).toBe(current.length)
      expect([...(await file.read(0, 1_000))], `seed ${seed}, step ${step}`).toEqual(current)
    }
  }
})

it('refuses paths that leave it', async () => {
  const disk = new SimulatedDisk()
  for (const path of ['../x', '/x', 'a//b', '.', 'a/..', 'a\0']) {
    await expect(disk.open(path, { create: true }), path).rejects.toMatchObject({ code: 'PATH_REFUSED' })
  }
  await expect(disk.open('none/x', { create: true })).rejects.toMatchObject({
    code: 'FILE_FAILED',
    facts: { reason: 'ENOENT' },
  })
})

it('tears a write as it is told: a part of it, or its length and no more', async () => {
  const disk = new SimulatedDisk()
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1, 1))
  await file.sync()
  await file.write(1, bytes(2, 3, 4, 5))
  const left = async (survival: Survival): Promise<Uint8Array> => {
    const after = disk.afterCrash(() => survival)
    return (await after.open('log', { create: false })).read(0, 9)
  }
  expect(await left(false)).toEqual(bytes(1, 1))
  expect(await left(true)).toEqual(bytes(1, 2, 3, 4, 5))
  expect(await left('length')).toEqual(bytes(1, 1, 0, 0, 0))
  expect(await left({ from: 0, to: 2 })).toEqual(bytes(1, 2, 3, 0, 0))
  expect(await left({ from: 2, to: 4 })).toEqual(bytes(1, 1, 0, 4, 5))
  expect(await file.read(0, 9)).toEqual(bytes(1, 2, 3, 4, 5))
})

it('keeps unsynced names in any order, each change whole', async () => {
  const disk = new SimulatedDisk()
  for (const [name, value] of [
    ['a', 1],
    ['b', 2],
  ] as const) {
    const file = await disk.open(name, { create: true })
    await file.write(0, bytes(value))
    await file.sync()
  }
  await disk.syncDirectory('')
  await disk.rename('a', 'c')
  await disk.rename('b', 'c')
  await disk.remove('c')
  const changes = disk.unsynced().map(({ change }) => change)
  expect(changes.length).toBe(3)
  const left = async (...kept: number[]): Promise<Record<string, number>> => {
    const after = disk.afterCrash((change) => kept.includes(changes.indexOf(change)))
    return Object.fromEntries([...after.files()].map(([name, content]) => [name, content[0] as number]))
  }
  expect(await left()).toEqual({ a: 1, b: 2 })
  expect(await left(0)).toEqual({ b: 2, c: 1 })
  expect(await left(1)).toEqual({ a: 1, c: 2 })
  expect(await left(0, 1)).toEqual({ c: 2 })
  expect(await left(0, 2)).toEqual({ b: 2, c: 1 })
  expect(await left(0, 1, 2)).toEqual({})
  expect(disk.files().size).toBe(0)
})

it('reads after a failed sync what no later sync makes durable', async () => {
  let fault: PlaitError | undefined
  const disk = new SimulatedDisk({ fault: (operation) => (operation === 'sync' ? fault : undefined) })
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1, 2))
  fault = new PlaitError('FILE_FAILED', 'EIO')
  await expect(file.sync()).rejects.toBe(fault)
  fault = undefined
  await file.write(2, bytes(3))
  await file.sync()
  expect(await file.read(0, 9)).toEqual(bytes(1, 2, 3))
  disk.crash()
  expect(await (await disk.open('log', { create: false })).read(0, 9)).toEqual(bytes(0, 0, 3))
})

it('rots: a flipped bit is there before and after a power cut', async () => {
  const disk = new SimulatedDisk()
  const file = await disk.open('log', { create: true })
  await disk.syncDirectory('')
  await file.write(0, bytes(1, 2))
  await file.sync()
  disk.flip('log', 9)
  disk.flip('log', 99)
  disk.flip('none', 1)
  expect(await file.read(0, 9)).toEqual(bytes(1, 0))
  disk.crash()
  expect(disk.files().get('log')).toEqual(bytes(1, 0))
})
