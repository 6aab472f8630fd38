import { PlaitError } from '../../base/error.ts'
import { encode } from '../../wire/schema.ts'
import { Frontier } from '../frontier.ts'
import { nodeCount } from '../numbering.ts'
import type { FeedFiles } from './feed-files.ts'
import { feedRecords, truncatedSchema } from './feed-record.ts'
import type { Job, RecordSink } from './rounds.ts'
import { StoredBlocks } from './stored-blocks.ts'
import type { Extent, StoredFeed } from './stored-feed.ts'

/** Blocks of one call. */
export interface Append {
  readonly blocks: readonly Uint8Array[]
  readonly bytes: number
  /** How many of them are in the log, and where the first one is. */
  taken: number
  start: number
  readonly resolve: (start: number) => void
  readonly reject: (error: PlaitError) => void
}

export interface Appended {
  readonly blocks: readonly Uint8Array[]
  readonly bytes: number
  /** Calls whose last block is among them. */
  readonly ends: readonly Append[]
}

export interface AppendEvents {
  /** All is synced, and none of it is in the feed yet: whether it may be. When it may not, the log has to be rid of it before all else. */
  isKept(appended: Appended): boolean
  written(appended: Appended): void
  failed(appended: Appended | undefined, error: PlaitError): void
}

/** All that waits when its turn has come. */
export class AppendJob implements Job {
  bytes = 0
  readonly isAlone = true
  readonly #feed: StoredFeed
  readonly #take: () => Appended | undefined
  readonly #events: AppendEvents
  #appended: Appended | undefined
  #stored: StoredBlocks | undefined
  #tip: Extent | undefined
  #peaks: Uint8Array = new Uint8Array(0)

  constructor(feed: StoredFeed, take: () => Appended | undefined, events: AppendEvents) {
    this.#feed = feed
    this.#take = take
    this.#events = events
  }

  write(sink: RecordSink): void {
    const appended = this.#take()
    if (appended === undefined) return
    // Whatever fails from here on, those who have called hear of it.
    this.#appended = appended
    const { tip, tipPeaks, hash } = this.#feed
    const frontier = new Frontier(hash, tip.length, tipPeaks)
    const nodes = frontier.append(appended.blocks)
    const group = { start: tip.length, blocks: appended.blocks, position: nodeCount(tip.length), nodes }
    this.#stored = new StoredBlocks(group, feedRecords.appended)
    this.#stored.write(sink)
    this.#tip = { fork: tip.fork, length: frontier.length, bytes: tip.bytes + appended.bytes }
    this.#peaks = frontier.peaks()
    this.bytes = appended.bytes
  }

  written(files: FeedFiles): void {
    if (this.#tip === undefined || this.#appended === undefined || !this.#events.isKept(this.#appended)) return
    this.#stored?.written(files)
    if (!this.#feed.isResetting) this.#feed.have.add(this.#feed.tip.length, this.#tip.length)
    this.#feed.ownLength = this.#tip.length
    this.#feed.tip = this.#tip
    this.#feed.tipPeaks = this.#peaks
    this.#events.written(this.#appended)
  }

  failed(error: PlaitError): void {
    this.#events.failed(this.#appended, error)
  }
}

export interface Settle {
  resolve(): void
  reject(error: PlaitError): void
}

/** The feed ends earlier. */
export class CutJob implements Job {
  readonly bytes = 0
  readonly isAlone = true
  readonly #feed: StoredFeed
  readonly #extent: (tip: Extent) => Extent
  readonly #peaks: Uint8Array
  readonly #settle: Settle
  #next: Extent | undefined

  constructor(feed: StoredFeed, extent: (tip: Extent) => Extent, peaks: Uint8Array, settle: Settle) {
    this.#feed = feed
    this.#extent = extent
    this.#peaks = peaks
    this.#settle = settle
  }

  write(sink: RecordSink): void {
    const { tip } = this.#feed
    this.#next = this.#extent(tip)
    const { length } = this.#next
    if (length > tip.length) {
      const message = `the feed has ${tip.length} blocks, and cannot be truncated to ${length}`
      throw new PlaitError('INVALID_ARGUMENT', message)
    }
    sink.append(feedRecords.truncated, encode(truncatedSchema, this.#next))
  }

  written(): void {
    if (this.#next !== undefined) this.#feed.applyCut(this.#next, this.#peaks)
    this.#settle.resolve()
  }

  failed(error: PlaitError): void {
    this.#settle.reject(error)
  }
}
