import type { ReadOptions } from './feed-api.ts'
import type { OpenFeed } from './feed.ts'
import { lengthMax } from './numbering.ts'

/** Bytes that are read at once. */
const batchBytes = 256 * 1024
/** Blocks of a sparse feed that are asked for ahead: about so many bytes. */
const aheadBytes = 2 * 1024 * 1024
const aheadBlocksMax = 8_192

/** Blocks in order, one by one. */
export class BlockStream implements AsyncIterable<Uint8Array> {
  readonly #feed: OpenFeed
  readonly #options: ReadOptions

  constructor(feed: OpenFeed, options: ReadOptions) {
    this.#feed = feed
    this.#options = options
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return new BlockIterator(this.#feed, this.#options)
  }
}

/** Blocks in order, as many at once as were read at once. */
export class BatchStream implements AsyncIterable<readonly Uint8Array[]> {
  readonly #feed: OpenFeed
  readonly #options: ReadOptions

  constructor(feed: OpenFeed, options: ReadOptions) {
    this.#feed = feed
    this.#options = options
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly Uint8Array[], void> {
    const iterator = new BlockIterator(this.#feed, this.#options)
    for (let batch = await iterator.nextBatch(); batch.length > 0; batch = await iterator.nextBatch()) yield batch
  }
}

class BlockIterator implements AsyncIterator<Uint8Array, undefined> {
  readonly #feed: OpenFeed
  readonly #options: ReadOptions
  #next: number
  #batch: readonly Uint8Array[] = []
  #at = 0
  #askedTo = 0
  /** Of which the batch is, and what was asked for: what was read before the feed was truncated is given to nobody. */
  #fork = 0
  #isDone = false

  constructor(feed: OpenFeed, options: ReadOptions) {
    this.#feed = feed
    this.#options = options
    this.#next = options.from ?? 0
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const block = this.#take()
    return block === undefined ? this.#read() : Promise.resolve({ done: false, value: block })
  }

  /** What was read at once and not given yet; nothing at the end. */
  async nextBatch(): Promise<readonly Uint8Array[]> {
    const first = this.#take()
    const step = first === undefined ? await this.#read() : { done: false, value: first }
    if (step.value === undefined) return []
    const blocks = [step.value]
    for (let block = this.#take(); block !== undefined; block = this.#take()) blocks.push(block)
    return blocks
  }

  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#isDone = true
    this.#batch = []
    return Promise.resolve({ done: true, value: undefined })
  }

  #take(): Uint8Array | undefined {
    if (this.#fork !== this.#feed.fork) {
      this.#fork = this.#feed.fork
      this.#batch = []
      this.#askedTo = 0
    }
    const block = this.#batch[this.#at]
    if (block === undefined) return undefined
    this.#at += 1
    this.#next += 1
    return block.slice()
  }

  async #read(): Promise<IteratorResult<Uint8Array, undefined>> {
    const { to = lengthMax, isLive = false, signal } = this.#options
    while (!this.#isDone) {
      signal?.throwIfAborted()
      if (this.#next >= to) break
      if (this.#next >= this.#feed.length) {
        if (!isLive) break
        await this.#feed.longerThan(this.#next, signal === undefined ? {} : { signal })
        continue
      }
      const end = Math.min(to, this.#feed.length)
      this.#askAhead(end)
      await this.#feed.want(this.#next, this.#next + 1, signal === undefined ? {} : { signal })
      this.#at = 0
      this.#batch = (await this.#feed.readBatch(this.#next, end, batchBytes)) ?? []
      const block = this.#take()
      if (block !== undefined) return { done: false, value: block }
    }
    this.#isDone = true
    return { done: true, value: undefined }
  }

  #askAhead(end: number): void {
    const { length, bytes } = this.#feed
    const ahead = Math.min(aheadBlocksMax, Math.max(1, Math.floor((aheadBytes * length) / Math.max(1, bytes))))
    const stop = Math.min(end, this.#next + ahead)
    // Not for each block: by halves of what is asked for ahead.
    if (stop < end && stop - this.#askedTo < ahead / 2) return
    if (stop <= this.#askedTo) return
    this.#feed.wantAhead(Math.max(this.#next, this.#askedTo), stop)
    this.#askedTo = stop
  }
}
