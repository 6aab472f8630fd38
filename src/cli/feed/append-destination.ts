import { PlaitError } from '../../base/error.ts'
import type { WritableFeed } from '../../feed/feed-api.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import { jsonLine } from '../printable.ts'
import type { Terminal } from '../terminal.ts'
import { announceFeed } from './announce.ts'
import { appendBlocks } from './append-blocks.ts'
import { FeedHost, type FeedHostOptions } from './feed-host.ts'
import { handedOver } from './handover.ts'
import { openHostOrOwner, type StoreOwner } from './store-owner.ts'

const handoverMs = 5_000
/** Whoever has ended the input by Ctrl-C wants to be done. */
const hurriedMs = 1_000
/** What fits into one question to a running program. */
const batchBytes = 1024 * 1024

export interface DestinationOptions extends FeedHostOptions {
  /** Of the feed; the one of the store that can be appended to, or a new one, when absent. */
  readonly name: string | undefined
  readonly signal: AbortSignal
}

/** Who takes the blocks now: this program, or the one that has the store. */
type Taker =
  | { readonly host: FeedHost; readonly feed: WritableFeed }
  | { readonly host: undefined; readonly owner: StoreOwner }

/** A feed that blocks are appended to, whoever has its store: when that program ends, this one takes its place. */
export class AppendDestination implements AsyncDisposable {
  readonly batchBytesMax: number = batchBytes
  readonly #options: DestinationOptions
  #taker: Taker | undefined
  #id: FeedId | undefined
  #length = 0

  private constructor(options: DestinationOptions) {
    this.#options = options
  }

  static async open(options: DestinationOptions): Promise<AppendDestination> {
    const destination = new AppendDestination(options)
    await destination.append([])
    return destination
  }

  /** Of the feed, and how many blocks it has. */
  get facts(): { readonly id: FeedId | undefined; readonly length: number } {
    return { id: this.#id, length: this.#length }
  }

  /** Whether it is this program that serves the feed. */
  get isServing(): boolean {
    return this.#taker?.host !== undefined
  }

  /** Resolves when they are durable. */
  async append(blocks: readonly Uint8Array[]): Promise<void> {
    for (;;) {
      this.#taker ??= await this.#open()
      try {
        if (this.#taker.host !== undefined) {
          const { feed } = this.#taker
          if (blocks.length > 0) await appendBlocks(feed, blocks, { signal: this.#options.signal })
          this.#length = feed.length
        } else this.#take(await this.#taker.owner.append(this.#name, blocks))
        return
      } catch (error) {
        if (this.#taker.host !== undefined || !PlaitError.is(error) || error.code !== 'STORE_CLOSED') throw error
        this.#taker = undefined
      }
    }
  }

  /** Resolves when what was appended is with those who follow, as far as can be waited for. */
  async finish(): Promise<void> {
    const { signal } = this.#options
    const node = this.#taker?.host?.node
    if (this.#taker?.host === undefined || node === undefined) return
    const options = signal.aborted
      ? { timeoutMs: hurriedMs, signal: AbortSignal.timeout(hurriedMs) }
      : { timeoutMs: handoverMs, signal }
    await handedOver(node, this.#taker.feed, options)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#taker?.host?.close()
  }

  /** Once it is known which feed is meant it stays that one, whoever has the store later. */
  get #name(): string | undefined {
    return this.#id ?? this.#options.name
  }

  async #open(): Promise<Taker> {
    const { terminal, json } = this.#options
    const opened = await openHostOrOwner(this.#options)
    if (!(opened instanceof FeedHost)) {
      tellOwner(opened, terminal, json)
      return { host: undefined, owner: opened }
    }
    try {
      const feed = await opened.writable(this.#name)
      announceFeed(opened, feed, { terminal, json, linkTo: 'stderr' })
      this.#take(feed)
      return { host: opened, feed }
    } catch (error) {
      await opened.close()
      throw error
    }
  }

  #take({ id, length }: { readonly id: FeedId; readonly length: number }): void {
    this.#id = id
    this.#length = length
  }
}

function tellOwner({ pid }: StoreOwner, terminal: Terminal, json: boolean): void {
  if (json) terminal.print(jsonLine({ event: 'owner', pid }))
  else terminal.note(`process ${pid} has the store: it appends, and serves`)
}
