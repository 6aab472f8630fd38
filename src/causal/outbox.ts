import { PlaitError } from '../base/error.ts'
import type { Dot } from '../crdt/dot.ts'
import type { WritableFeed } from '../feed/feed-api.ts'

interface Waiting {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export interface OutboxEvents {
  /** More is durable. */
  readonly written: () => void
  /** Nothing is written any more; those who waited know. */
  readonly failed: (error: PlaitError) => void
}

/** Own entries on their way to the disk: all that came while the disk was busy go there at once, in order. */
export class Outbox {
  readonly #feed: WritableFeed
  readonly #events: OutboxEvents
  #waiting: Waiting[] = []
  #isWriting = false
  #failed: unknown
  /** How many entries of the feed are durable. */
  durable: number

  /** `durable`: what is there already. */
  constructor(feed: WritableFeed, durable: number, events: OutboxEvents) {
    this.#feed = feed
    this.durable = durable
    this.#events = events
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && !this.#isWriting
  }

  /** Resolves when the entry is synced. After a failure nothing more is taken: what follows would have another number. */
  push(bytes: Uint8Array): Promise<void> {
    if (this.#failed !== undefined) return Promise.reject(this.#failed)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ bytes, resolve, reject })
      if (!this.#isWriting) void this.#write()
    })
  }

  /** Gives up what waits, and takes no more. */
  end(error: unknown): void {
    this.#failed ??= error
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(error)
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    // What else is published in this turn goes with it.
    await Promise.resolve()
    while (this.#waiting.length > 0) {
      const batch = this.#waiting
      this.#waiting = []
      try {
        const start = await this.#feed.append(batch.map(({ bytes }) => bytes))
        if (start !== this.durable) throw new PlaitError('FEED_BEHIND', 'something else has written to this feed')
      } catch (error) {
        for (const { reject } of batch) reject(error)
        this.end(error)
        this.#isWriting = false
        this.#events.failed(PlaitError.from(error, 'STORE_FAILED'))
        return
      }
      this.durable += batch.length
      for (const { resolve } of batch) resolve()
      this.#events.written()
    }
    this.#isWriting = false
  }
}

/** An entry that was written, and delivered here. */
export interface Written {
  readonly dot: Dot
  /** Resolves when it is synced here. */
  readonly durable: Promise<void>
}

/** Why an entry was not written. */
export function forgotten(): PlaitError {
  const message = 'what this node had written was forgotten here; it goes on under another feed, try again'
  return new PlaitError('FEED_BEHIND', message)
}
