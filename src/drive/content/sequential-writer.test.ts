import { expect, it } from 'vitest'
import { SequentialWriter } from './sequential-writer.ts'

const KiB = 1024

/** A file in memory whose writes end when they are told to. */
class SlowFile {
  readonly calls: { readonly offset: number; readonly length: number }[] = []
  readonly bytes = new Uint8Array(12 * KiB * KiB)
  fails = false
  #waiting: (() => void)[] = []

  write(offset: number, bytes: Uint8Array): Promise<void> {
    this.calls.push({ offset, length: bytes.length })
    return new Promise((resolve, reject) => {
      this.#waiting.push(() => {
        // Not before: who writes must not use the place for anything else meanwhile.
        this.bytes.set(bytes, offset)
        if (this.fails) reject(new Error('the disk is full'))
        else resolve()
      })
    })
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return Promise.resolve(this.bytes.slice(offset, offset + length))
  }

  end(): void {
    for (const end of this.#waiting.splice(0)) end()
  }
}

async function ended<Result>(file: SlowFile, work: Promise<Result>): Promise<Result> {
  let isDone = false
  void work.catch(() => undefined).then(() => (isDone = true))
  for (let turn = 0; turn < 1_000 && !isDone; turn += 1) {
    file.end()
    await Promise.resolve()
  }
  return work
}

function piece(index: number, length = 100 * KiB): Uint8Array {
  return new Uint8Array(length).fill(index + 1)
}

it('writes what follows one another in few calls, and what does not by itself', async () => {
  const file = new SlowFile()
  const writer = new SequentialWriter(file)
  for (let index = 0; index < 25; index += 1) await ended(file, writer.write(index * 100 * KiB, piece(index)))
  await ended(file, writer.write(5_000 * KiB, piece(60)))
  await ended(file, writer.flush())
  expect(file.calls).toEqual([
    { offset: 0, length: 1_000 * KiB },
    { offset: 1_000 * KiB, length: 1_000 * KiB },
    { offset: 2_000 * KiB, length: 500 * KiB },
    { offset: 5_000 * KiB, length: 100 * KiB },
  ])
  for (const index of [0, 9, 10, 24]) expect(file.bytes[index * 100 * KiB + 7]).toBe(index + 1)
  expect(file.bytes[5_000 * KiB]).toBe(61)
})

it('takes the next pieces while the last ones are written, and no more than that', async () => {
  const file = new SlowFile()
  const writer = new SequentialWriter(file)
  let taken = 0
  const all = (async () => {
    for (; taken < 100; taken += 1) await writer.write(taken * 100 * KiB, piece(taken))
  })()
  for (let turn = 0; turn < 500; turn += 1) await Promise.resolve()
  // One call is under way, and as much waits for the next.
  expect([file.calls.length, taken]).toEqual([1, 20])
  await ended(file, all)
})

it('reads what was written a moment ago', async () => {
  const file = new SlowFile()
  const writer = new SequentialWriter(file)
  await writer.write(0, piece(6))
  expect((await ended(file, writer.read(50, 3))).join()).toBe('7,7,7')
})

it('says why nothing can be written, at the next piece or at the end', async () => {
  const file = new SlowFile()
  file.fails = true
  const writer = new SequentialWriter(file)
  await writer.write(0, piece(0))
  await expect(ended(file, writer.flush())).rejects.toThrow('the disk is full')
  await expect(
    ended(
      file,
      writer.write(200 * KiB, piece(1)).then(() => writer.flush()),
    ),
  ).rejects.toThrow('the disk is full')
})
