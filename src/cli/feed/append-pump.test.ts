import { expect, it } from 'vitest'
import { AppendPump } from './append-pump.ts'
import { LineCutter, SizeCutter } from './block-cutter.ts'

const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

async function* stream(...parts: readonly (string | Error)[]): AsyncIterable<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Error) throw part
    yield new TextEncoder().encode(part)
  }
}

/** A feed that takes a batch only when the test says so. */
class SlowFeed {
  readonly batches: (readonly string[])[] = []
  readonly counts: number[] = []
  #take: (() => void) | undefined

  readonly append = async (blocks: readonly Uint8Array[]): Promise<void> => {
    await new Promise<void>((resolve) => (this.#take = resolve))
    this.batches.push(blocks.map(textOf))
  }

  readonly onAppended = (blocks: number): void => void this.counts.push(blocks)

  async take(): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
    this.#take?.()
    this.#take = undefined
  }
}

it('reads on while a batch is on its way, so that what comes meanwhile shares one call', async () => {
  const feed = new SlowFeed()
  const pump = new AppendPump({
    append: feed.append,
    onAppended: feed.onAppended,
    cutter: new LineCutter(),
    batchBytesMax: 1_000,
  })
  const running = pump.run(stream('one\n', 'two\nth', 'ree\n', 'four'))
  for (let round = 0; round < 4; round += 1) await feed.take()
  await running
  expect(feed.batches.flat()).toEqual(['one', 'two', 'three', 'four'])
  expect(feed.batches.length).toBeLessThan(4)
  expect(feed.counts.reduce((sum, blocks) => sum + blocks, 0)).toBe(4)
})

it('keeps a batch below its limit, and a block that is above it alone', async () => {
  const batches: number[][] = []
  const append = (blocks: readonly Uint8Array[]): Promise<void> => {
    batches.push(blocks.map(({ length }) => length))
    return Promise.resolve()
  }
  const options = { append, onAppended: () => {}, batchBytesMax: 100 }
  await new AppendPump({ ...options, cutter: new SizeCutter(30) }).run(stream('x'.repeat(120)))
  expect(batches).toEqual([
    [30, 30],
    [30, 30],
  ])
  batches.length = 0
  await new AppendPump({ ...options, cutter: new SizeCutter(500) }).run(stream('x'.repeat(1_100)))
  expect(batches).toEqual([[500], [500], [100]])
})

it('appends what came before the input failed, and fails with it', async () => {
  const taken: string[] = []
  const pump = new AppendPump({
    cutter: new LineCutter(),
    append: (blocks) => Promise.resolve(void taken.push(...blocks.map(textOf))),
    batchBytesMax: 1_000,
    onAppended: () => {},
  })
  await expect(pump.run(stream('one\ntwo\nthr', new Error('the disk is gone')))).rejects.toThrow('the disk is gone')
  expect(taken).toEqual(['one', 'two'])
})

it('ends when the feed takes no more, though the input goes on', async () => {
  async function* endless(): AsyncIterable<Uint8Array> {
    for (;;) yield new Uint8Array(100_000)
  }
  const append = (): Promise<void> => Promise.reject(new Error('the disk is full'))
  const pump = new AppendPump({ cutter: new SizeCutter(1_000), append, batchBytesMax: 1_000, onAppended: () => {} })
  await expect(pump.run(endless())).rejects.toThrow('the disk is full')
})
