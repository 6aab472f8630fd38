import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createNode, feeds, openStore } from 'plait'
import type { ChunkName, Circuit, Feed, FeedId, FeedOptions, WritableFeed } from 'plait'
import { ChunkFolder, chunksFrom, isChunk } from './chunk-folder.ts'
import { blockOf, blocksFrom, isBlock } from './content.ts'
import { tampering, type Mischief } from './mischief.ts'

// A node that holds feeds in a folder, and does what the test asks for over a circuit: the name of one of the commands below and
// its arguments as JSON, answered in JSON. It prints its address.
//
//   holder.ts FOLDER [MISCHIEF]    MISCHIEF: `lie` or `stall`

const [folder = '', mischief] = process.argv.slice(2)
await using node = await createNode({ listen: ['tcp://127.0.0.1:0'], keyFile: `${folder}.key` })
await using store = await openStore(folder)
const openedAt = performance.now()
await using shared = await feeds(tampering(node, mischief as Mischief | undefined), store)
const openMs = performance.now() - openedAt
const delay = monitorEventLoopDelay({ resolution: 5 })
const events: Record<string, number> = {}
const downloads = new Map<string, number>()
const chunks = new ChunkFolder(`${folder}.chunks`)

async function open(id: FeedId, options: FeedOptions = {}): Promise<Feed> {
  const feed = await shared.open(id, options)
  if (downloads.has(id)) return feed
  downloads.set(id, 0)
  feed.addEventListener('download', ({ detail }) => downloads.set(id, (downloads.get(id) ?? 0) + detail.blocks))
  for (const name of ['behind', 'caughtup', 'conflict', 'lost', 'truncate'] as const)
    feed.addEventListener(name, () => (events[name] = (events[name] ?? 0) + 1))
  return feed
}

interface Arguments {
  readonly id: FeedId
  readonly options: FeedOptions
  readonly address: string
  readonly bytes: number
  readonly count: number
  readonly length: number
  readonly start: number
  readonly end?: number
  readonly everyMs?: number
  readonly indexes: readonly number[]
  readonly kinds: readonly { readonly bytes: number; readonly amount: number }[]
}

const commands: Record<string, (arguments_: Arguments) => Promise<unknown>> = {
  async create({ count, bytes }) {
    const feed = await shared.create()
    await append(feed, count, bytes)
    return feed.id
  },
  async createMany({ count }) {
    const ids: string[] = []
    for (let index = 0; index < count; index += 1) {
      const feed = await shared.create()
      await feed.append(blockOf(0, 32))
      ids.push(feed.id)
    }
    return ids
  },
  async open({ id, options }) {
    return (await open(id, options)).status()
  },
  async openMany({ indexes }) {
    for (const id of indexes as unknown as FeedId[]) await open(id)
    return indexes.length
  },
  connect: async ({ address }) => void (await shared.connect(address)),
  /** Resolves when all blocks are here. */
  async complete({ id, length, end = length }) {
    const feed = await open(id)
    const begunAt = performance.now()
    await feed.longerThan(length - 1)
    await feed.download({ end })
    return { ms: performance.now() - begunAt, downloaded: downloads.get(id) ?? 0, ...feed.status() }
  },
  async append({ id, count, bytes, everyMs }) {
    const feed = await shared.openWritable(id)
    if (everyMs === undefined) return append(feed, count, bytes)
    for (let index = 0; index < count; index += 1) {
      await feed.append(blockOf(feed.length, bytes, Date.now()))
      await sleep(everyMs)
    }
    return feed.length
  },
  /** How long each block took from its append until it was read here, in ms, ascending. */
  async follow({ id, start, count }) {
    const feed = await open(id)
    const ages: number[] = []
    for await (const block of feed.blocks({ from: start, to: start + count, isLive: true })) {
      ages.push(Date.now() - new DataView(block.buffer, block.byteOffset).getFloat64(4, true))
      if (!isBlock(block, start + ages.length - 1)) throw new Error(`block ${start + ages.length - 1} is another`)
    }
    return ages.sort((one, other) => one - other)
  },
  async read({ id, indexes }) {
    const feed = await open(id)
    const blocks = await Promise.all(indexes.map(async (index) => isBlock(await feed.read(index), index)))
    return blocks.every(Boolean)
  },
  /** Whether all blocks that are here are what they should be. */
  async check({ id }) {
    const feed = await open(id)
    let index = 0
    for await (const block of feed.blocks({ to: feed.contiguousLength })) {
      if (!isBlock(block, index)) return `block ${index} is another`
      index += 1
    }
    return index
  },
  /** Has chunks, and gives them to who shares the feed. */
  async keepChunks({ id, start, count, bytes }) {
    const feed = await open(id)
    await chunks.put(chunksFrom(start, count, bytes))
    feed.serveChunks(chunks)
  },
  /** Fetches chunks of some lengths; how many have come, and of those the different and the wrong ones. */
  async fetchChunks({ id, kinds }) {
    const feed = await open(id)
    const wanted: ChunkName[] = []
    for (const { bytes, amount } of kinds)
      for await (const { hash } of chunksFrom(0, amount, bytes)) wanted.push({ hash, length: bytes })
    const distinct = new Set<string>()
    const begunAt = performance.now()
    let [came, wrong] = [0, 0]
    for await (const chunk of feed.chunks(wanted)) {
      came += 1
      distinct.add(Buffer.from(chunk.hash).toString('hex'))
      if (!isChunk(chunk)) wrong += 1
    }
    return { ms: performance.now() - begunAt, came, distinct: distinct.size, wrong }
  },
  chunkReads: () => Promise.resolve(chunks.reads),
  async status({ id }) {
    return (await open(id)).status()
  },
  async facts() {
    globalThis.gc?.()
    await sleep(20)
    globalThis.gc?.()
    const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage()
    const stallMs = delay.max / 1e6
    delay.reset()
    const { bytes } = node.stats()
    const session = node.snapshot().sessions.map(({ remoteId, roundTripMs }) => ({ remoteId, roundTripMs }))
    return {
      rss,
      held: heapUsed + external,
      arrayBuffers,
      stallMs,
      events,
      openMs,
      ...bytes,
      session,
      list: shared.list().length,
    }
  },
}

async function append(feed: WritableFeed, count: number, bytes: number): Promise<number> {
  for (let left = count; left > 0; left -= 4_096)
    await feed.append(blocksFrom(feed.length, Math.min(left, 4_096), bytes))
  return feed.length
}

async function serve(circuit: Circuit): Promise<void> {
  for await (const { subject, payload, part } of circuit) {
    const run = commands[subject]
    const answer = async (): Promise<void> => {
      try {
        const result = await run?.(JSON.parse(new TextDecoder().decode(payload)) as Arguments)
        circuit.send({ part, payload: encoded({ result }) })
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? error.code : undefined
        circuit.send({ part, payload: encoded({ error: String(error), code }) })
      }
    }
    void answer().catch(() => {})
  }
}

function encoded(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

delay.enable()
node.register('control', { open: 'anyone', start: 'anyone' }, async (peer) => {
  for await (const circuit of peer.incoming) void serve(circuit).catch(() => {})
})
node.addEventListener('sessionend', () => console.log(`sent ${node.stats().bytes.sent}`))
console.log(node.addresses[0])
const stopped = new Promise((resolve) => process.once('SIGTERM', resolve))
await stopped
