import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { Waiters } from '../base/waiters.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import { BatchStream, BlockStream } from './block-stream.ts'
import type { Chunk, ChunkName, ChunkOptions, ChunkSource } from './chunk-api.ts'
import type {
  DownloadRange,
  FeedEventDetails,
  FeedEventName,
  FeedEvents,
  FeedInfo,
  FeedOptions,
  FeedStatus,
  ReadOptions,
  WritableFeed,
} from './feed-api.ts'
import { FeedChunks, type ChunkHost } from './feed-chunks.ts'
import type { FeedId } from './feed-id.ts'
import type { Conflict } from './fork.ts'
import { feedStatus } from './feed-status.ts'
import { lengthMax } from './numbering.ts'
import type { Runs } from './runs.ts'
import { FeedWriter, type FeedSigner } from './storage/feed-writer.ts'
import type { StoredFeed } from './storage/stored-feed.ts'
import type { FeedHead, StoredGroup } from './sync/feed-store.ts'
import { Replica } from './sync/replica.ts'

const { feedBlockBytes } = defaultLimits

export interface OpenFeedOptions extends FeedOptions {
  /** The key of the feed, if it is here. */
  readonly signer?: FeedSigner | undefined
}

export interface FeedHost extends ChunkHost {
  /** The feed is not used any more. */
  closed(feed: OpenFeed): void
}

const FeedEventTarget = EventTarget as unknown as new () => FeedEvents

/** One feed that is open: what is stored of it, what is exchanged of it, and who waits for it. */
export class OpenFeed extends FeedEventTarget implements WritableFeed {
  readonly stored: StoredFeed
  readonly replica: Replica
  readonly #host: FeedHost
  readonly #writer: FeedWriter | undefined
  readonly #chunks: FeedChunks
  readonly #changes = new Waiters()
  #isBehind = false
  /** The length of which the event was. */
  #announced: number
  #closed: PlaitError | undefined

  constructor(stored: StoredFeed, host: FeedHost, options: OpenFeedOptions) {
    super()
    const { signer, mode, isLive, order, first, mayShare } = options
    this.stored = stored
    this.#host = host
    this.#writer =
      signer === undefined
        ? undefined
        : new FeedWriter({
            feed: stored,
            signer,
            behind: () => (this.replica.isBehind ? this.replica.heardLength : undefined),
            signed: (head, peaks) => this.#signed(head, peaks),
          })
    const { name, isSealed, have } = stored
    this.replica = new Replica({
      ...{ name, isSealed, have, store: stored, head: stored.head, peaks: stored.peaks, fork: stored.tip.fork },
      isWriter: signer !== undefined,
      ...(mode && { mode }),
      ...(isLive !== undefined && { isLive }),
      ...(order && { order }),
      ...(first !== undefined && { first }),
      ...(mayShare && { mayShare: (id) => mayShare(id as NodeId) }),
    })
    this.#chunks = new FeedChunks(this.replica, host)
    this.#announced = this.length
    if (stored.conflict !== undefined) {
      this.replica.freeze(stored.conflict)
      this.#chunks.end(frozen())
    }
    stored.onLost = (runs, error) => this.#lost(runs, error)
    if (this.#writer?.signRest() === true) stored.probe.sometimes('blocks signed when their feed was opened')
    host.synchronizer.add(this.replica, host.clock.now())
    host.wake()
  }

  get id(): FeedId {
    return this.stored.id
  }

  get name(): Uint8Array {
    return this.stored.name
  }

  get isSealed(): boolean {
    return this.stored.isSealed
  }

  get isWritable(): boolean {
    return this.#writer !== undefined
  }

  get length(): number {
    return this.#head?.length ?? 0
  }

  get bytes(): number {
    return this.#head?.bytes ?? 0
  }

  get contiguousLength(): number {
    return this.replica.contiguous
  }

  get fork(): number {
    return this.replica.fork
  }

  has(index: number): boolean {
    return this.stored.have.has(index)
  }

  async read(index: number, options: WaitOptions = {}): Promise<Uint8Array> {
    checkNumber(index, 0, lengthMax - 1)
    for (;;) {
      await this.want(index, index + 1, options)
      const block = await this.#readHere(index)
      if (block !== undefined) return block.slice()
    }
  }

  blocks(options: ReadOptions = {}): AsyncIterable<Uint8Array> {
    const { from = 0, to = lengthMax } = options
    checkNumber(from, 0, lengthMax)
    checkNumber(to, from, lengthMax)
    return new BlockStream(this, options)
  }

  batches(options: ReadOptions = {}): AsyncIterable<readonly Uint8Array[]> {
    const { from = 0, to = lengthMax } = options
    checkNumber(from, 0, lengthMax)
    checkNumber(to, from, lengthMax)
    return new BatchStream(this, options)
  }

  async download({ start = 0, end }: DownloadRange = {}, options: WaitOptions = {}): Promise<void> {
    const stop = end ?? this.length
    checkNumber(start, 0, lengthMax)
    checkNumber(stop, start, lengthMax)
    if (start < stop) await this.want(start, stop, options)
  }

  async longerThan(length: number, { signal }: WaitOptions = {}): Promise<void> {
    checkNumber(length, 0, lengthMax)
    while (this.length <= length) await this.#change(signal)
  }

  /** Resolves when the blocks are here; asks for them if need be. */
  async want(start: number, end: number, { signal }: WaitOptions = {}): Promise<void> {
    let isAsked = false
    while (this.stored.have.nextHole(start) < end) {
      signal?.throwIfAborted()
      if (this.replica.isFrozen) throw frozen()
      if (!isAsked && this.replica.mode === 'sparse')
        this.#host.synchronizer.want(this.replica, start, end, this.#host.clock.now())
      isAsked = true
      this.#host.wake()
      await this.#change(signal)
    }
  }

  /** All blocks are fetched from now on. */
  widen(): void {
    if (this.replica.mode === 'full') return
    this.#host.synchronizer.widen(this.replica, this.#host.clock.now())
    this.#host.wake()
  }

  /** Asks for blocks of a sparse feed, and does not wait for them. */
  wantAhead(start: number, end: number): void {
    if (this.replica.mode !== 'sparse' || this.stored.have.nextHole(start) >= end) return
    this.#host.synchronizer.want(this.replica, start, end, this.#host.clock.now())
    this.#host.wake()
  }

  async clear(start: number, end: number): Promise<void> {
    checkNumber(start, 0, lengthMax)
    checkNumber(end, start, lengthMax)
    this.#check()
    if (this.replica.mode === 'full') {
      const message =
        'a full feed would fetch again what is cleared behind its first blocks; open it with the mode sparse'
      if (start > this.replica.first) throw new PlaitError('INVALID_ARGUMENT', message)
      this.replica.first = Math.max(this.replica.first, end)
      this.#host.synchronizer.unwant(this.replica, 0, end, this.#host.clock.now())
    }
    const runs = this.stored.have.runs(start, end, Infinity)
    this.replica.wanted.remove(start, end)
    this.#host.synchronizer.lost(this.replica, start, end, this.#host.clock.now())
    this.stored.applyCleared(runs)
    if (runs.length > 0) await this.stored.clear(runs)
  }

  extend(name: string, payload: Uint8Array): void {
    this.#check()
    this.#host.synchronizer.extend(this.replica, undefined, name, payload)
  }

  chunks(wanted: Iterable<Uint8Array | ChunkName>, options: ChunkOptions = {}): AsyncIterable<Chunk> {
    return this.#chunks.fetch(wanted, options)
  }

  serveChunks(source: ChunkSource | undefined): void {
    this.#check()
    this.#chunks.serve(source)
  }

  append(block: Uint8Array | readonly Uint8Array[]): Promise<number> {
    const blocks = block instanceof Uint8Array ? [block] : block
    let bytes = 0
    for (const one of blocks) {
      if (!(one instanceof Uint8Array)) return Promise.reject(new PlaitError('INVALID_ARGUMENT', 'a block is bytes'))
      if (one.length > feedBlockBytes) return Promise.reject(tooLarge(one.length))
      bytes += one.length
    }
    try {
      return this.#writable().append(blocks, bytes)
    } catch (error) {
      return Promise.reject(PlaitError.from(error, 'STORE_CLOSED'))
    }
  }

  async truncate(length: number): Promise<void> {
    checkNumber(length, 0, this.length)
    await this.#writable().truncate(length)
  }

  review(): void {
    this.#host.synchronizer.review(this.replica, this.#host.clock.now())
    this.#host.wake()
  }

  status(): FeedStatus {
    return feedStatus(this, this.#host.synchronizer)
  }

  info(): FeedInfo {
    const { id, isWritable, length, bytes } = this
    return { id, isWritable, length, bytes }
  }

  async close(): Promise<void> {
    if (this.#closed !== undefined) return
    this.end(new PlaitError('STORE_CLOSED', 'the feed was closed here'))
    await this.stored.rounds.idle()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Shares it no more, and lets nobody wait any longer. */
  end(error: PlaitError): void {
    if (this.#closed !== undefined) return
    this.#closed = error
    this.#writer?.end(error)
    this.#chunks.end(error)
    this.#host.synchronizer.remove(this.replica)
    this.stored.onLost = () => {}
    this.#host.closed(this)
    this.#changes.fail(error)
  }

  /** Blocks of others are durable. */
  takeStored(groups: readonly StoredGroup[], head: FeedHead | undefined): void {
    const runs: number[] = []
    let [count, bytes] = [0, 0]
    for (const { start, blocks } of groups) {
      if (runs.at(-1) === start) runs[runs.length - 1] = start + blocks.length
      else runs.push(start, start + blocks.length)
      count += blocks.length
      for (const block of blocks) bytes += block.length
    }
    if (head !== undefined) this.takeHeard()
    if (count > 0) this.#emit('download', { runs, blocks: count, bytes })
    this.#considerCaughtUp()
    this.#changes.wake()
  }

  /** A longer head was verified, and is durable or not. */
  takeHeard(): void {
    if (this.length <= this.#announced) return
    this.#announced = this.length
    this.#emit('append', { length: this.length, bytes: this.bytes })
    this.#changes.wake()
  }

  takeBehind(head: FeedHead): void {
    this.#isBehind = true
    this.#emit('behind', { length: this.length, theirLength: head.length })
  }

  takeForked(conflict: Conflict): void {
    const { one, other } = conflict
    this.stored.freeze(conflict).catch(() => {})
    this.#chunks.end(frozen())
    this.#emit('conflict', { fork: one.fork, lengths: [one.length, other.length] })
    this.#changes.wake()
  }

  /** Its writer has truncated it: it begins anew. */
  takeReset(fork: number): void {
    this.#announced = 0
    this.#emit('truncate', { fork, length: 0 })
    this.takeHeard()
    this.#changes.wake()
  }

  takePeer(peer: FeedEventDetails['peer']): void {
    this.#emit('peer', peer)
  }

  takeExtension(nodeId: string, name: string, payload: Uint8Array): void {
    this.#emit('extension', { nodeId, name, payload })
  }

  /** Blocks from `start` on that are here, at most `bytesMax` bytes of them; undefined when the first one turns out to be lost. */
  async readBatch(start: number, end: number, bytesMax: number): Promise<readonly Uint8Array[] | undefined> {
    this.#check()
    try {
      return await this.stored.blocks(start, Math.min(end, this.stored.have.nextHole(start)), bytesMax)
    } catch (error) {
      // Its files were closed under it.
      this.#check()
      if (PlaitError.is(error) && error.code === 'CORRUPT') return undefined
      throw error
    }
  }

  #signed(head: FeedHead, peaks: Uint8Array): void {
    const { synchronizer, clock } = this.#host
    const now = clock.now()
    if (head.fork > this.replica.fork) {
      // Nothing that a feed of no blocks has had was ever said to anybody.
      if (this.replica.head === undefined) this.replica.fork = head.fork
      else {
        synchronizer.truncated(this.replica, head, peaks, now)
        this.#announced = Math.min(this.#announced, head.length)
        this.#emit('truncate', { fork: head.fork, length: head.length })
      }
    }
    // A feed that was truncated to nothing, and is opened again: others have to hear of that, too.
    if (head.length === 0 && this.replica.head === undefined) this.replica.append(head, peaks)
    if (head.length > this.replica.length) synchronizer.appended(this.replica, head, peaks, now)
    this.#host.wake()
    this.takeHeard()
  }

  /** Of a feed that is written elsewhere the longest that its writer is known to have signed. */
  get #head(): FeedHead | undefined {
    const { heard, fork, isWriter } = this.replica
    const { head } = this.stored
    if (isWriter || heard === undefined || heard.fork !== fork || heard.length <= (head?.length ?? 0)) return head
    return heard
  }

  async #readHere(index: number): Promise<Uint8Array | undefined> {
    return (await this.readBatch(index, index + 1, feedBlockBytes))?.[0]
  }

  #lost(runs: Runs, error: PlaitError): void {
    const { synchronizer, clock } = this.#host
    for (let at = 0; at < runs.length; at += 2)
      synchronizer.lost(this.replica, runs[at] as number, runs[at + 1] as number, clock.now())
    this.#host.wake()
    this.#emit('lost', { runs, error })
  }

  #considerCaughtUp(): void {
    if (!this.#isBehind || this.replica.isBehind) return
    this.#isBehind = false
    this.#emit('caughtup', { length: this.length })
  }

  #emit<Name extends FeedEventName>(name: Name, detail: FeedEventDetails[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    this.#check()
    return this.#changes.wait(signal)
  }

  #writable(): FeedWriter {
    this.#check()
    if (this.#writer === undefined)
      throw new PlaitError('FORBIDDEN', 'the key of this feed is not here: it can only be read')
    return this.#writer
  }

  #check(): void {
    if (this.#closed !== undefined) throw this.#closed
  }
}

function checkNumber(value: number, min: number, max: number): void {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return
  throw new PlaitError('INVALID_ARGUMENT', `${value} is not a number of a block from ${min} to ${max}`)
}

function tooLarge(bytes: number): PlaitError {
  const facts = { bytes, limit: feedBlockBytes }
  return new PlaitError('INVALID_ARGUMENT', `a block has at most ${feedBlockBytes} bytes, not ${bytes}`, { facts })
}

function frozen(): PlaitError {
  return new PlaitError('FEED_FROZEN', 'the writer of this feed has forked it: no more of it is fetched')
}
