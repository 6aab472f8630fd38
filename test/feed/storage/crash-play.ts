import { Frontier } from '../../../src/feed/frontier.ts'
import { sha256 } from '../../../src/feed/node/sha256.ts'
import { nodeCount, nodePosition } from '../../../src/feed/numbering.ts'
import { FeedLog, type FeedLogOptions } from '../../../src/feed/storage/feed-log.ts'
import { FeedWriter } from '../../../src/feed/storage/feed-writer.ts'
import { sealBlocks } from '../../../src/feed/storage/sealing.ts'
import type { StoredFeed } from '../../../src/feed/storage/stored-feed.ts'
import type { FeedName } from '../../../src/feed/feed-id.ts'
import type { FeedHead, VerifiedBatch } from '../../../src/feed/sync/feed-store.ts'
import { Tree } from '../../../src/feed/tree.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { simulatedIdentity } from '../../../src/identity/simulated.ts'
import type { Disk } from '../../../src/runtime/disk.ts'
import { silentProbe } from '../../../src/runtime/probe.ts'
import { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import type { RecordingDisk } from '../../../src/runtime/simulated/recording-disk.ts'
import { simulatedRuntime } from '../../../src/runtime/simulated/simulated-runtime.ts'
import { blockOf } from './feed-place.ts'

export const writer: Identity = simulatedIdentity(Uint8Array.of(1))
export const ownName: FeedName = { name: writer.publicKey, isSealed: false }
/** Whose key is elsewhere. */
export const copyName: FeedName = { name: simulatedIdentity(Uint8Array.of(2)).publicKey, isSealed: false }

/** What a feed holds: which block stands at each number, by the number that `blockOf` makes it of. */
export interface Held {
  readonly fork: number
  readonly blocks: readonly number[]
  /** Those before it are not kept. */
  readonly first: number
}

/** What all feeds of the store hold. */
export interface Model {
  readonly own: Held
  readonly copy: Held
  readonly sealed: number
}

export const nothing: Model = {
  own: { fork: 0, blocks: [], first: 0 },
  copy: { fork: 0, blocks: [], first: 0 },
  sealed: 0,
}

/** Said between the calls of the disk: what is there when an operation begins, and what when it is done. */
export type Note = { readonly kind: 'begun' | 'done'; readonly model: Model }

export function openLog(disk: Disk, bounds: Partial<FeedLogOptions> = smallBounds): Promise<FeedLog> {
  const random = new SeededRandom('feeds')
  const runtime = simulatedRuntime({ disk, random, probe: silentProbe })
  const close = (): Promise<void> => Promise.resolve()
  const store = { folder: '', runtime, close, [Symbol.asyncDispose]: close }
  return FeedLog.open({ store, hash: sha256, ...bounds })
}

/** So small that all that is rare happens often. */
const smallBounds = { limits: { segmentBytes: 3_000 }, checkpointBytes: 1_500 }

export function writerOf(feed: StoredFeed): FeedWriter {
  const feedWriter = new FeedWriter({ feed, signer: writer, behind: () => undefined, signed: () => {} })
  feedWriter.signRest()
  return feedWriter
}

/** What a play may do next. */
export type StepKind = 'append' | 'fetch' | 'both' | 'truncate' | 'reset' | 'clear' | 'seal' | 'compact' | 'reopen'

/** As often as each stands here. */
const everyKind: readonly StepKind[] = [
  ...repeated('append', 6),
  ...repeated('fetch', 4),
  ...repeated('both', 4),
  ...(['truncate', 'reset', 'clear', 'clear', 'seal', 'compact', 'compact', 'reopen', 'reopen'] as const),
]

function repeated(kind: StepKind, count: number): StepKind[] {
  return Array.from({ length: count }, () => kind)
}

/** Appends, truncates, fetches, does both at once, begins anew, clears, seals, opens again, in an order that follows from the seed. */
export class CrashPlay {
  readonly #disk: RecordingDisk<Note>
  readonly #random: SeededRandom
  readonly #kinds: readonly StepKind[]
  #log!: FeedLog
  #writer!: FeedWriter
  #model: Model = nothing
  #next = 1

  constructor(disk: RecordingDisk<Note>, seed: number, kinds: readonly StepKind[] = everyKind) {
    this.#disk = disk
    this.#kinds = kinds
    this.#random = new SeededRandom(`crash ${seed}`)
  }

  async run(steps: number): Promise<void> {
    await this.#open()
    for (let step = 0; step < steps; step += 1) await this.#step(this.#random.pick(this.#kinds))
    await this.#log.close()
  }

  async #open(): Promise<void> {
    this.#log = await openLog(this.#disk)
    const own = this.#log.find(ownName) ?? (await this.#log.add(ownName))
    if (this.#log.find(copyName) === undefined) await this.#log.add(copyName)
    this.#writer = writerOf(own)
  }

  async #step(kind: StepKind): Promise<void> {
    const { own, copy, sealed } = this.#model
    switch (kind) {
      case 'append': {
        const fresh = this.#fresh(1 + this.#random.integer(0, 9))
        const next = { ...own, blocks: [...own.blocks, ...fresh] }
        return this.#do({ ...this.#model, own: next }, () => this.#append(fresh))
      }
      case 'fetch': {
        const blocks = [...copy.blocks, ...this.#fresh(1 + this.#random.integer(0, 9))]
        const batch = batchOf(copy.fork, copy.blocks.length, blocks)
        return this.#do({ ...this.#model, copy: { ...copy, blocks } }, () => this.#store(batch))
      }
      case 'both':
        return this.#both()
      case 'truncate': {
        const length = this.#random.integer(0, own.blocks.length)
        const next = { fork: own.fork + 1, blocks: own.blocks.slice(0, length), first: Math.min(own.first, length) }
        return this.#do({ ...this.#model, own: next }, () => this.#writer.truncate(length))
      }
      case 'reset': {
        const fork = copy.fork + 1
        return this.#do({ ...this.#model, copy: { fork, blocks: [], first: 0 } }, () => this.#reset(fork))
      }
      case 'clear': {
        const what = this.#random.pick(['own', 'copy'] as const)
        const held = this.#model[what]
        const first = Math.max(held.first, this.#random.integer(0, held.blocks.length))
        const feed = this.#log.find(what === 'own' ? ownName : copyName)
        const isNone = feed === undefined || first === held.first
        return isNone
          ? undefined
          : this.#do({ ...this.#model, [what]: { ...held, first } }, () => feed.clear([held.first, first]))
      }
      case 'seal': {
        const blocks = this.#fresh(3).map((id) => blockOf(id))
        return this.#do({ ...this.#model, sealed: sealed + 1 }, () => sealBlocks(this.#log, blocks))
      }
      case 'compact':
        return this.#do(this.#model, () => this.#log.compact())
      case 'reopen':
        await this.#do(this.#model, () => this.#log.close())
        return this.#do(this.#model, () => this.#open())
    }
  }

  /**
   * Appends to one feed while many batches are stored in the other: commits of both are synced together, and a checkpoint that follows
   * from the one finds the other between its commit and its derived files.
   */
  async #both(): Promise<void> {
    const { own, copy } = this.#model
    const appends = Array.from({ length: this.#random.integer(1, 3) }, () =>
      this.#fresh(1 + this.#random.integer(0, 3)),
    )
    const stores = Array.from({ length: this.#random.integer(10, 40) }, () => this.#fresh(1))
    const next = {
      ...this.#model,
      own: { ...own, blocks: [...own.blocks, ...appends.flat()] },
      copy: { ...copy, blocks: [...copy.blocks, ...stores.flat()] },
    }
    this.#disk.note({ kind: 'begun', model: next })
    // What is answered is done, while the rest is on its way.
    const settle = (done: Partial<Model>): void => {
      this.#model = { ...this.#model, ...done }
      this.#disk.note({ kind: 'done', model: this.#model })
      this.#disk.note({ kind: 'begun', model: next })
    }
    const answers: Promise<void>[] = []
    let fetched = copy.blocks
    for (const fresh of stores) {
      const blocks = [...fetched, ...fresh]
      const stored = this.#store(batchOf(copy.fork, fetched.length, blocks))
      answers.push(stored.then(() => settle({ copy: { ...copy, blocks } })))
      fetched = blocks
    }
    let written = own.blocks
    for (const fresh of appends) {
      const blocks = [...written, ...fresh]
      answers.push(this.#append(fresh).then(() => settle({ own: { ...own, blocks } })))
      written = blocks
    }
    await Promise.all(answers)
    this.#disk.note({ kind: 'done', model: next })
  }

  async #do(next: Model, run: () => Promise<unknown>): Promise<void> {
    this.#disk.note({ kind: 'begun', model: next })
    await run()
    this.#model = next
    this.#disk.note({ kind: 'done', model: next })
  }

  #append(ids: readonly number[]): Promise<number> {
    const blocks = ids.map((id) => blockOf(id))
    return this.#writer.append(
      blocks,
      blocks.reduce((sum, block) => sum + block.length, 0),
    )
  }

  #store(batch: VerifiedBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (isStored: boolean): void => (isStored ? resolve() : reject(new Error('not stored')))
      this.#log.find(copyName)?.store(batch, done)
    })
  }

  #reset(fork: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (isStored: boolean): void => (isStored ? resolve() : reject(new Error('not reset')))
      this.#log.find(copyName)?.reset(fork, done)
    })
  }

  #fresh(count: number): number[] {
    return Array.from({ length: count }, () => this.#next++)
  }
}

/** What a synchronizer hands over when blocks from `start` on have come: each of them a group of its own. */
export function batchOf(fork: number, start: number, ids: readonly number[]): VerifiedBatch {
  const tree = treeOf(ids)
  const bytes = ids.reduce((sum, id) => sum + blockOf(id).length, 0)
  const head: FeedHead = { fork, length: ids.length, bytes, root: tree.root(), signature: new Uint8Array(64).fill(7) }
  const leaves = new Set(ids.map((_id, index) => nodePosition(0, index)))
  const positions: number[] = []
  for (let at = nodeCount(start); at < nodeCount(ids.length); at += 1) if (!leaves.has(at)) positions.push(at)
  const groups = ids.slice(start).map((id, index) => {
    const position = nodePosition(0, start + index)
    return { start: start + index, blocks: [blockOf(id)], position, nodes: tree.nodesAt([position]) }
  })
  return { fork, head, peaks: tree.peaks(), positions, hashes: tree.nodesAt(positions), groups }
}

export function treeOf(ids: readonly number[]): Tree {
  const tree = new Tree(sha256)
  tree.append(ids.map((id) => blockOf(id)))
  return tree
}

export function rootOf(length: number, peaks: Uint8Array): Uint8Array {
  return new Frontier(sha256, length, peaks).root()
}
