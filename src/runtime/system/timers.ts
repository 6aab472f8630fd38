import { assert } from '../../base/assert.ts'
import type { Timer, Timers } from '../timers.ts'

/** What `setTimeout` can wait for; anything longer would fire at once. */
const longestDelayMs = 2 ** 31 - 1

/** The event loop's timers. A delay beyond 2^31 - 1 ms is waited for in steps. */
export const systemTimers: Timers = Object.freeze({
  after: (delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer =>
    new SystemTimer(delayMs, fire, options?.background ?? false),
  endOfTurn: (run: () => void): void => void setImmediate(run),
})

class SystemTimer implements Timer {
  readonly #fire: () => void
  readonly #background: boolean
  #timeout: ReturnType<typeof setTimeout> | undefined

  constructor(delayMs: number, fire: () => void, background: boolean) {
    assert(delayMs >= 0, `a timer's delay is a number of milliseconds from 0 up, not ${delayMs}`)
    this.#fire = fire
    this.#background = background
    this.#wait(delayMs)
  }

  cancel(): void {
    clearTimeout(this.#timeout)
    this.#timeout = undefined
  }

  #wait(delayMs: number): void {
    // Rounded up: Node cuts the fraction off, and would be early by it.
    const stepMs = Math.min(Math.ceil(delayMs), longestDelayMs)
    this.#timeout = setTimeout(() => {
      if (stepMs < delayMs) this.#wait(delayMs - stepMs)
      else this.#fire()
    }, stepMs)
    if (this.#background) this.#timeout.unref()
  }
}
