import { Queue } from '../base/queue.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Timers } from '../runtime/timers.ts'

/** How long work on files may hold a turn of the event loop before the network has its turn. */
const turnBudgetMs = 5

/**
 * Shares out the event loop. Small files are read and written with synchronous calls, which cost a tenth of
 * asynchronous ones; who does so calls `pause` every now and then, and waits when this turn's time is spent. One
 * waiter goes on in each turn.
 */
export class Pace {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #waiting = new Queue<() => void>()
  #turnStart: number | undefined

  constructor(runtime: { readonly clock: Clock; readonly timers: Timers }) {
    this.#clock = runtime.clock
    this.#timers = runtime.timers
  }

  /** A promise to wait for, or undefined to go on at once. Call it before work, not after. */
  pause(): Promise<void> | undefined {
    if (this.#turnStart === undefined) {
      this.#turnStart = this.#clock.now()
      this.#timers.endOfTurn(() => this.#nextTurn())
    }
    if (this.#waiting.length === 0 && this.#clock.now() - this.#turnStart < turnBudgetMs) return undefined
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #nextTurn(): void {
    const next = this.#waiting.shift()
    this.#turnStart = next === undefined ? undefined : this.#clock.now()
    if (next === undefined) return
    this.#timers.endOfTurn(() => this.#nextTurn())
    next()
  }
}
