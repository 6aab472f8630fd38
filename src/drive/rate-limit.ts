import type { Clock } from '../runtime/clock.ts'
import type { Timers } from '../runtime/timers.ts'

/** Nothing for so long saves up that much: after a pause a little may go at once. */
const burstMs = 250

/**
 * Lets so many bytes a second through, as a bucket that tokens drip into. What is larger than the bucket goes as soon as it is full, and is
 * paid off by whoever comes next; all wait in the order in which they have come.
 */
export class RateLimit {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #bytesPerSecond: number
  #filledAt: number
  #tokens: number
  #last: Promise<void> = Promise.resolve()

  constructor(runtime: { readonly clock: Clock; readonly timers: Timers }, bytesPerSecond: number) {
    this.#clock = runtime.clock
    this.#timers = runtime.timers
    this.#bytesPerSecond = bytesPerSecond
    this.#filledAt = runtime.clock.now()
    this.#tokens = this.#bucketBytes
  }

  /** Resolves when so many bytes may go; the caller has them go. Rejects with the signal's reason, and takes nothing then. */
  async take(bytes: number, signal?: AbortSignal): Promise<void> {
    const before = this.#last
    let done = (): void => undefined
    this.#last = new Promise((resolve) => (done = resolve))
    try {
      await before
      signal?.throwIfAborted()
      await this.#until(Math.min(bytes, this.#bucketBytes), signal)
      this.#tokens -= bytes
    } finally {
      done()
    }
  }

  get #bucketBytes(): number {
    return (this.#bytesPerSecond * burstMs) / 1_000
  }

  async #until(tokens: number, signal: AbortSignal | undefined): Promise<void> {
    this.#fill()
    while (this.#tokens < tokens) {
      const waitMs = ((tokens - this.#tokens) * 1_000) / this.#bytesPerSecond
      await this.#pause(Math.ceil(waitMs), signal)
      this.#fill()
    }
  }

  #fill(): void {
    const now = this.#clock.now()
    const dripped = ((now - this.#filledAt) * this.#bytesPerSecond) / 1_000
    this.#tokens = Math.min(this.#bucketBytes, this.#tokens + dripped)
    this.#filledAt = now
  }

  #pause(delayMs: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        timer.cancel()
        reject(signal?.reason as Error)
      }
      const timer = this.#timers.after(delayMs, () => {
        signal?.removeEventListener('abort', abort)
        resolve()
      })
      signal?.addEventListener('abort', abort, { once: true })
    })
  }
}
