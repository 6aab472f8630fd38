import type { PlaitError } from '../base/error.ts'
import type { Writer } from '../crdt/dot.ts'
import type { WritableFeed } from '../feed/feed-api.ts'
import { forgotten, Outbox } from './outbox.ts'

export interface AuthorEvents {
  /** Another node has so many of the own entries, durable. */
  readonly held: (node: string, length: number) => void
  /** More is durable here. */
  readonly written: () => void
  /** Others have more of the feed than this node, or it has forked: it must not be written any more. */
  readonly forgotten: () => void
  /** There is no room: what was delivered here and could not be written has to be taken back. */
  readonly full: () => void
  readonly failed: (error: PlaitError) => void
}

/** The feed that is written here, and whether that can be done now. */
export class Author {
  readonly #events: AuthorEvents
  #feed: WritableFeed | undefined
  #writer: Writer = ''
  #outbox: Outbox | undefined
  #isWriting = false
  /** It wrote when it was paused, and nothing has kept it from that since. */
  #isHeld = false
  #isForgotten = false

  constructor(events: AuthorEvents) {
    this.#events = events
  }

  get feed(): WritableFeed | undefined {
    return this.#feed
  }

  /** Empty where there is no feed yet. */
  get writer(): Writer {
    return this.#writer
  }

  get outbox(): Outbox | undefined {
    return this.#outbox
  }

  get isWriting(): boolean {
    return this.#isWriting
  }

  /** Others have more of this feed, until there is another one. */
  get isForgotten(): boolean {
    return this.#isForgotten
  }

  /** Whether nothing is on its way to the disk. */
  get isIdle(): boolean {
    return this.#outbox?.isEmpty !== false
  }

  /** How many entries are durable here. */
  get durable(): number {
    return this.#outbox?.durable ?? 0
  }

  /** A feed to write in, from when `begin` is called. */
  use(feed: WritableFeed): void {
    this.#outbox?.end(forgotten())
    this.end()
    this.#feed = feed
    this.#writer = feed.id.replace('feed:', '')
    this.#isForgotten = false
    this.#outbox = this.#newOutbox(feed)
    feed.addEventListener('peer', ({ detail }) => {
      if (feed === this.#feed) this.#events.held(detail.nodeId, detail.contiguousLength)
    })
    feed.addEventListener('behind', () => this.forget(feed))
    feed.addEventListener('conflict', () => this.forget(feed))
  }

  begin(): void {
    this.#isWriting = true
  }

  hold(): void {
    this.#isHeld = this.#isWriting
    this.#isWriting = false
  }

  resume(): void {
    this.#isWriting = this.#isHeld
    this.#isHeld = false
  }

  /** Writes no more, until it begins again. */
  end(): void {
    this.#isWriting = false
    this.#isHeld = false
  }

  /** What was written is not all here. */
  forget(feed: WritableFeed | undefined = this.#feed): void {
    if (feed !== this.#feed || this.#isForgotten) return
    this.#isForgotten = true
    this.end()
    this.#outbox?.end(forgotten())
    this.#events.forgotten()
  }

  #newOutbox(feed: WritableFeed): Outbox {
    return new Outbox(feed, feed.length, {
      written: this.#events.written,
      failed: (error) => this.#takeUnwritten(feed, error),
    })
  }

  #takeUnwritten(feed: WritableFeed, error: PlaitError): void {
    if (feed !== this.#feed) return
    this.end()
    if (error.code === 'FEED_BEHIND' || error.code === 'FEED_FROZEN') return this.forget(feed)
    if (error.code !== 'NO_SPACE') return this.#events.failed(error)
    this.#outbox = this.#newOutbox(feed)
    this.#events.full()
  }
}
