import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import { keyFromWriter } from '../crdt/dot.ts'
import type { Writer } from '../crdt/dot.ts'
import type { Feed, Feeds } from '../feed/feed-api.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import { TurnShare } from '../feed/turn-share.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { GroupMachine } from './group-machine.ts'
import type { Replay } from './replay.ts'
import type { OrderedFeed } from './order/causal-order.ts'

export interface ReadersOptions {
  readonly feeds: Feeds
  readonly mayShare: (nodeId: NodeId) => boolean
  /** The first entry of a feed that is kept. */
  readonly firstOf: (writer: Writer) => number
  /** Whether what takes the operations has enough for now. */
  readonly isFull: () => boolean
  readonly replay: () => Replay
  /** Another node has dropped entries of a feed that have not come here. */
  readonly dropped: () => void
  /** It is known now how much of one more feed is here. */
  readonly opened: () => void
  readonly failed: (error: unknown) => void
}

/** Brings what comes of the feeds of a group into its machine, each for itself, so that nobody waits for anybody. */
export class Readers {
  readonly feeds: Map<Writer, Feed> = new Map()
  readonly #options: ReadersOptions
  readonly #relief = new Waiters()
  readonly #share: TurnShare
  #ending = new AbortController()
  #running = new Set<Promise<void>>()

  constructor(options: ReadersOptions) {
    this.#options = options
    this.#share = new TurnShare(options.feeds.store.runtime)
  }

  /** There may be room for more. */
  relieve(): void {
    this.#relief.wake()
  }

  /** Shares the feeds with those with whom they may be shared now. */
  review(): void {
    for (const feed of this.feeds.values()) feed.review()
  }

  /** Reads a feed of others from now on, from where the machine has come with it. */
  follow(machine: GroupMachine, ordered: OrderedFeed): void {
    this.#run(async (signal) => {
      const feed = await this.open(ordered.writer)
      this.#options.opened()
      await this.#read(machine, ordered, feed, { isLive: true, signal })
    })
  }

  /** Reads what is there of a feed that is written here, and says when that is done. */
  replay(machine: GroupMachine, ordered: OrderedFeed, feed: Feed, done: () => void): void {
    this.feeds.set(ordered.writer, feed)
    feed.review()
    this.#options.opened()
    this.#run(async (signal) => {
      await this.#read(machine, ordered, feed, { isLive: false, signal })
      if (!signal.aborted) done()
    })
  }

  async open(writer: Writer): Promise<Feed> {
    const { feeds, mayShare, firstOf } = this.#options
    const present = this.feeds.get(writer)
    if (present !== undefined) return present
    const id = formatFeedId({ name: keyFromWriter(writer), isSealed: false })
    const feed = await feeds.open(id, { mode: 'full', mayShare, first: firstOf(writer) })
    this.feeds.set(writer, feed)
    feed.addEventListener('peer', ({ detail: { first } }) => {
      if (first > feed.contiguousLength) this.#options.dropped()
    })
    return feed
  }

  /** Reads no more; the feeds stay open, and can be read again. */
  async stop(): Promise<void> {
    this.#ending.abort(new PlaitError('CANCELLED', 'the group is read no more'))
    await Promise.all(this.#running)
    this.#ending = new AbortController()
  }

  async close(): Promise<void> {
    await this.stop()
    await Promise.all(Array.from(this.feeds.values(), (feed) => feed.close()))
  }

  async #read(
    { order }: GroupMachine,
    ordered: OrderedFeed,
    feed: Feed,
    options: { readonly isLive: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const { signal } = options
    for await (const batch of feed.batches({ from: ordered.received, ...options })) {
      for (const block of batch) {
        const replay = this.#options.replay()
        if (!replay.mayTake(ordered.writer, ordered.received + 1)) await replay.over(signal)
        while (!order.hasRoom(ordered) || this.#options.isFull()) await this.#relief.wait(signal)
        if (signal.aborted) return
        order.receive(ordered, block)
        if (this.#share.isUsed) await this.#share.nextTurn()
      }
    }
  }

  #run(task: (signal: AbortSignal) => Promise<void>): void {
    const { signal } = this.#ending
    const running = task(signal)
      .catch((error: unknown) => {
        // Of a feed that has forked nothing more comes; the others go on.
        if (PlaitError.is(error) && error.code === 'FEED_FROZEN') return
        if (!signal.aborted) this.#options.failed(error)
      })
      .finally(() => this.#running.delete(running))
    this.#running.add(running)
  }
}
