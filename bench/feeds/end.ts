import { blockOf, checkBlock, type Corpus } from './corpus.ts'
import { takeOrders } from '../harness/order-process.ts'
import type { Appending, Handlers, Orders, Source } from './order.ts'
import { toolModule } from './tool-names.ts'
import type { CreateTool, FeedReader, FeedWriter, Serving } from './tool.ts'
import { sampleMemory, UsageMeter } from './usage-meter.ts'

// A process of the bench of feeds, with the tool that its argument names; started by end-process.ts, which gives the orders.

const { createTool } = (await import(toolModule(process.argv[2] ?? ''))) as { createTool: CreateTool }
const tool = createTool()
const meter = new UsageMeter()
/** Blocks that are read to see whether a copy is right. */
const verifiedMost = 1_000

let appended = 0
let serving: Serving | undefined
let reader: { readonly feed: FeedReader; readonly corpus: Corpus } | undefined

const handlers: Handlers = {
  about: () => ({ version: tool.version, settings: tool.settings }),
  fill: async (order) => {
    const writer = await create(order.folder)
    await appendAll(writer, order, 0, order.corpus.blocks, (number) => blockOf(number, order.corpus))
    await writer.close()
    return { id: writer.id }
  },
  append: timedAppend,
  open: timedOpen,
  serve: async ({ folder, id, corpus }) => {
    if (tool.serve === undefined) throw new Error('it serves nothing')
    serving = await tool.serve(folder, id, corpus)
    return { address: serving.address }
  },
  prepare: async ({ folder, id, corpus }) => {
    if (tool.reader === undefined) throw new Error('it reads nothing')
    reader = { feed: await tool.reader(folder, id, corpus), corpus }
    return {}
  },
  fetch: timedFetch,
  verify: async () => {
    if (reader === undefined) throw new Error('nothing was fetched')
    const { feed, corpus } = reader
    if (feed.held !== corpus.blocks) throw new Error(`it has ${feed.held} blocks instead of ${corpus.blocks}`)
    const step = Math.ceil(corpus.blocks / verifiedMost)
    for (let number = corpus.blocks - 1; number >= 0 && feed.read !== undefined; number -= step)
      checkBlock(await feed.read(number), number, corpus)
    return {}
  },
  proof: async () => (await (reader?.feed ?? serving)?.proof()) ?? [],
  begin: async ({ profiled }) => {
    await meter.begin(profiled)
    return {}
  },
  usage: () => meter.end(),
  sample: () => sampleMemory(reader?.feed.held ?? appended),
  close: async () => {
    await reader?.feed.close()
    await serving?.close()
    reader = serving = undefined
    return {}
  },
}

takeOrders(handlers)

async function timedAppend(order: Orders['append']['order']): Promise<Orders['append']['answer']> {
  const { corpus, folder, warmUp, profiled } = order
  const blocks = Array.from({ length: warmUp + corpus.blocks }, (_, number) => blockOf(number, corpus))
  const writer = await create(folder)
  const take = (number: number): Uint8Array => blocks[number] as Uint8Array
  await appendAll(writer, order, 0, warmUp, take)
  await meter.begin(profiled)
  const began = performance.now()
  await appendAll(writer, order, warmUp, blocks.length, take)
  const seconds = (performance.now() - began) / 1_000
  const usage = await meter.end()
  await writer.close()
  return { seconds, usage }
}

async function timedOpen({ folder, id, corpus }: Source): Promise<Orders['open']['answer']> {
  if (tool.open === undefined) throw new Error('it opens nothing')
  const began = performance.now()
  const feed = await tool.open(folder, id)
  const opened = performance.now()
  if (feed.length !== corpus.blocks) throw new Error(`it has ${feed.length} blocks instead of ${corpus.blocks}`)
  const number = corpus.blocks >> 1
  const block = await feed.read(number)
  const readSeconds = (performance.now() - opened) / 1_000
  checkBlock(block, number, corpus)
  await feed.close()
  return { openSeconds: (opened - began) / 1_000, readSeconds }
}

async function timedFetch({ address }: { readonly address: string }): Promise<Orders['fetch']['answer']> {
  if (reader === undefined) throw new Error('it was not prepared')
  const { feed, corpus } = reader
  const began = performance.now()
  let halfAt = began
  const watch = setInterval(() => {
    if (feed.held * 2 < corpus.blocks) return
    halfAt = performance.now()
    clearInterval(watch)
  }, 1)
  await feed.fetch(address)
  const ended = performance.now()
  clearInterval(watch)
  return { seconds: (ended - began) / 1_000, secondHalfSeconds: (ended - halfAt) / 1_000 }
}

function create(folder: string): Promise<FeedWriter> {
  if (tool.create === undefined) throw new Error('it writes nothing')
  return tool.create(folder)
}

/** As many calls wait at a time as `inFlight` says; each takes the next blocks. */
async function appendAll(
  writer: FeedWriter,
  { batch, inFlight }: Appending,
  from: number,
  to: number,
  take: (number: number) => Uint8Array,
): Promise<void> {
  let next = from
  const one = async (): Promise<void> => {
    while (next < to) {
      const start = next
      next = Math.min(to, next + batch)
      const end = next
      const blocks: Uint8Array[] = []
      for (let number = start; number < end; number += 1) blocks.push(take(number))
      await writer.append(blocks)
      appended += end - start
    }
  }
  await Promise.all(Array.from({ length: inFlight }, one))
}
