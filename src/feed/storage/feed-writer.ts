import { PlaitError } from '../../base/error.ts'
import { Queue } from '../../base/queue.ts'
import { Frontier } from '../frontier.ts'
import { signHead, type Head } from '../head.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import type { Extent, StoredFeed } from './stored-feed.ts'
import { AppendJob, CutJob, type Append, type Appended } from './writer-jobs.ts'

/** The key of a feed. */
export interface FeedSigner {
  readonly publicKey: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

export interface FeedWriterOptions {
  readonly feed: StoredFeed
  /** Absent: what will be sealed. */
  readonly signer?: FeedSigner
  /** How many blocks somebody else has, when that is more than is here: no number is used again. */
  readonly behind: () => number | undefined
  /** The feed has grown, or was truncated: blocks are durable, and the head is signed. */
  readonly signed: (head: FeedHead, peaks: Uint8Array) => void
}

/** What goes into one round at most, and what may wait. */
const roundBytes = 2 * 1024 * 1024
const roundBlocks = 65_536
const waitingBytesMax = 64 * 1024 * 1024

/** Appends blocks to a feed whose key is here. Signs when they are synced, once for all that came while the disk was busy. */
export class FeedWriter {
  readonly #options: FeedWriterOptions
  readonly #waiting = new Queue<Append>()
  #waitingBytes = 0
  #isQueued = false
  #ended: PlaitError | undefined

  constructor(options: FeedWriterOptions) {
    this.#options = options
  }

  /** Signs what is durable and not signed yet: blocks that were synced just before a crash. Returns whether there are any. */
  signRest(): boolean {
    const { feed } = this.#options
    const { head, tip } = feed
    if (head?.length === tip.length && head.fork === tip.fork) return false
    if (tip.length === 0 && tip.fork === 0) return false
    this.#sign(tip, feed.tipPeaks)
    return true
  }

  append(blocks: readonly Uint8Array[], bytes: number): Promise<number> {
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > waitingBytesMax) {
      const message = `${this.#waitingBytes} bytes wait to be appended; wait for them`
      return Promise.reject(new PlaitError('BUFFER_FULL', message, { facts: { limit: waitingBytesMax } }))
    }
    this.#waitingBytes += bytes
    return new Promise((resolve, reject) => {
      this.#waiting.push({ blocks, bytes, taken: 0, start: 0, resolve, reject })
      this.#queue()
    })
  }

  /**
   * Resolves when the feed ends behind `length` blocks, under a new fork number. Rejects with `CORRUPT` when one of those is not here: all
   * copies fetch the feed anew, and theirs may be the only one.
   */
  async truncate(length: number): Promise<void> {
    const { feed } = this.#options
    const bytes = await feed.bytesOf(length)
    const peaks = await feed.peaksOf(length)
    if (bytes === undefined || peaks === undefined || feed.have.nextHole(0) < length) throw damaged(length)
    if (this.#ended !== undefined) throw this.#ended
    const extent = (tip: Extent): Extent => ({ fork: tip.fork + 1, length, bytes })
    await this.#cut(extent, peaks, () => this.#sign(feed.tip, feed.tipPeaks))
  }

  /** Begins nothing more; what waits is written. */
  end(error: PlaitError): void {
    this.#ended = error
  }

  fail(error: PlaitError): void {
    for (let one = this.#waiting.shift(); one !== undefined; one = this.#waiting.shift()) this.#reject(one, error)
  }

  #queue(): void {
    if (this.#isQueued || this.#waiting.length === 0) return
    this.#isQueued = true
    const { feed } = this.#options
    const take = (): Appended | undefined => this.#take()
    feed.rounds.add(
      new AppendJob(feed, take, {
        isKept: (appended) => this.#isKept(appended),
        written: (appended) => this.#written(appended),
        failed: (appended, error) => {
          this.#isQueued = false
          for (const one of appended?.ends ?? []) this.#reject(one, error)
          this.fail(error)
        },
      }),
    )
  }

  /** The next blocks to be written. Throws when none may be. */
  #take(): Appended | undefined {
    this.#isQueued = false
    const { feed } = this.#options
    this.#check('append refused to a writer that is behind')
    const blocks: Uint8Array[] = []
    const ends: Append[] = []
    let bytes = 0
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (next.taken === 0) next.start = feed.tip.length + blocks.length
      while (next.taken < next.blocks.length && bytes < roundBytes && blocks.length < roundBlocks) {
        const block = next.blocks[next.taken] as Uint8Array
        blocks.push(block)
        bytes += block.length
        next.taken += 1
      }
      if (next.taken < next.blocks.length) break
      this.#waiting.shift()
      ends.push(next)
    }
    return { blocks, bytes, ends }
  }

  #check(mark: 'append refused to a writer that is behind' | 'synced blocks withdrawn'): void {
    const { feed } = this.#options
    if (feed.conflict !== undefined) throw frozen()
    const known = this.#options.behind()
    if (known === undefined && feed.ownLength <= feed.tip.length) return
    feed.probe.sometimes(mark)
    throw behind(feed.tip.length, Math.max(known ?? 0, feed.ownLength))
  }

  /** All is synced; nothing of it is in the feed, and nothing is signed yet. */
  #isKept({ ends }: Appended): boolean {
    try {
      this.#check('synced blocks withdrawn')
      return true
    } catch (error) {
      this.#withdraw(ends, PlaitError.from(error, 'FEED_BEHIND'))
      return false
    }
  }

  #written({ ends }: Appended): void {
    this.signRest()
    for (const one of ends) {
      this.#waitingBytes -= one.bytes
      one.resolve(one.start)
    }
    this.#queue()
  }

  /**
   * Somebody else has the numbers that these blocks would have: they are taken back before anybody has seen them, and before what is
   * fetched for these numbers, or a reset, comes into the log behind them and would be taken back with them.
   */
  #withdraw(ends: readonly Append[], error: PlaitError): void {
    const { feed } = this.#options
    const end = (): void => {
      for (const one of ends) this.#reject(one, error)
      this.fail(error)
    }
    // Who has called hears of it once, however often the cut is tried.
    void new Promise<void>((resolve, reject) => {
      feed.rounds.addFirst(new CutJob(feed, (tip) => tip, feed.tipPeaks, { resolve, reject }))
    }).then(end, end)
  }

  /** `then` is called before anything else happens to the feed. */
  #cut(extent: (tip: Extent) => Extent, peaks: Uint8Array, then: () => void): Promise<void> {
    const { feed } = this.#options
    return new Promise((resolve, reject) => {
      const done = (): void => {
        then()
        resolve()
      }
      feed.rounds.add(new CutJob(feed, extent, peaks, { resolve: done, reject }))
    })
  }

  #reject(one: Append, error: PlaitError): void {
    this.#waitingBytes -= one.bytes
    one.reject(error)
  }

  #sign(tip: Extent, peaks: Uint8Array): void {
    const { feed, signer, signed } = this.#options
    const { fork, length, bytes } = tip
    const root = new Frontier(feed.hash, length, peaks).root()
    const extent = { fork, length, bytes, root }
    const head = signer === undefined ? extent : withoutKey(signHead(signer, extent))
    feed.applyHead(head, peaks)
    signed(head, peaks)
  }
}

function withoutKey({ key: _key, ...head }: Head & { readonly signature: Uint8Array }): FeedHead {
  return head
}

function damaged(length: number): PlaitError {
  return new PlaitError('CORRUPT', `the first ${length} blocks are damaged here; truncate before the first hole`)
}

function frozen(): PlaitError {
  return new PlaitError(
    'FEED_FROZEN',
    'two heads prove that this feed was written in two places; make a new one, and copy into it what is missing',
  )
}

function behind(length: number, heard: number): PlaitError {
  return new PlaitError(
    'FEED_BEHIND',
    `somebody has ${heard} blocks of this feed, and here are ${length}: wait until they have been fetched`,
    { facts: { length, heard } },
  )
}
