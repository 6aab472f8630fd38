import { expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { SimulatedDisk } from '../runtime/simulated/disk.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { FlatFile } from './flat-file.ts'

const entry = (value: number): Uint8Array => new Uint8Array(32).fill(value)

it('reads what was written, waiting, leaving or in the file, and zeros where nothing was', async () => {
  const disk = new SimulatedDisk()
  const options = { disk, path: 'nodes', entryBytes: 32 }
  const file = await FlatFile.open(options)
  const random = new SeededRandom(1)
  const model = new Map<number, number>()
  for (let step = 0; step < 400; step += 1) {
    const index = random.integer(0, 1_500)
    file.write(index, entry(1 + (step % 255)))
    model.set(index, 1 + (step % 255))
    if (step % 50 === 0) void file.flush()
    if (step % 90 === 0) await file.sync()
    const from = random.integer(0, 1_400)
    const read = await file.read(from, 100)
    for (let at = 0; at < 100; at += 1) expect(read[at * 32 + 31]).toBe(model.get(from + at) ?? 0)
  }
  expect(file.length).toBe(Math.max(...model.keys()) + 1)
  await file.sync()
  await file.close()
  await disk.syncDirectory('')
  disk.crash()
  const again = await FlatFile.open(options)
  expect(again.length).toBe(file.length)
  for (const [index, value] of model) expect((await again.read(index, 1))[0]).toBe(value)
  await again.truncate(10)
  expect(again.length).toBe(10)
  await again.close()
})

it('says when to wait, takes no more at sixteen times that, and goes on when it was written', async () => {
  const file = await FlatFile.open({ disk: new SimulatedDisk(), path: 'a', entryBytes: 8, bufferBytes: 32 * 1024 })
  const page = new Uint8Array(16 * 1024)
  expect(file.write(0, page)).toBe(true)
  expect(file.write(2_048, page)).toBe(true)
  expect(file.write(4_096, page)).toBe(false)
  const fill = (): void => {
    for (let index = 0; index < 100; index += 1) file.write(index * 2_048, page)
  }
  expect(fill).toThrow(expect.objectContaining({ code: 'BUFFER_FULL' }))
  await file.flush()
  expect(file.write(0, page)).toBe(true)
})

it('keeps what could not be written, older below newer, and writes it when there is room', async () => {
  let fault: PlaitError | undefined
  const disk = new SimulatedDisk({ fault: (operation) => (operation === 'write' ? fault : undefined) })
  const file = await FlatFile.open({ disk, path: 'a', entryBytes: 1 })
  file.write(0, Uint8Array.of(1, 1, 1))
  fault = new PlaitError('NO_SPACE', 'full')
  await expect(file.sync()).rejects.toMatchObject({ code: 'NO_SPACE' })
  file.write(1, Uint8Array.of(2))
  expect([...(await file.read(0, 4))]).toEqual([1, 2, 1, 0])
  fault = undefined
  await file.sync()
  await disk.syncDirectory('')
  disk.crash()
  const again = await FlatFile.open({ disk, path: 'a', entryBytes: 1 })
  expect([...(await again.read(0, 3))]).toEqual([1, 2, 1])
})
