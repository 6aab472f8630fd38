import { PlaitError } from '../base/error.ts'
import type { WritableFeed } from '../feed/feed-api.ts'

interface Waiting {
  readonly bytes: Uint8Array
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Own entries on their way to the disk: all that came while the disk was busy go there at once, in order. */
export class Outbox {
  readonly #feed: WritableFeed
  readonly #written: () => void
  readonly #refused: (error: unknown) => void
  #waiting: Waiting[] = []
  #isWriting = false
  #failed: unknown
  /** How many entries of the feed are durable. */
  durable: number

  /** `written`: more is durable. `refused`: what was taken is not, and nothing more will be. `durable`: what is there already. */
  constructor(feed: WritableFeed, durable: number, written: () => void, refused: (error: unknown) => void) {
    this.#feed = feed
    this.durable = durable
    this.#written = written
    this.#refused = refused
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
        const isOver = this.#failed !== undefined
        this.end(error)
        this.#isWriting = false
        if (!isOver) this.#refused(error)
        break
      }
      this.durable += batch.length
      for (const { resolve } of batch) resolve()
      this.#written()
    }
    this.#isWriting = false
  }
}
