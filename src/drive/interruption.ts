import { PlaitError } from '../base/error.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'

/** A plan that something new has overtaken is broken off when it takes longer. */
const longMs = 5_000
/** Nothing comes of it for so long: what it waits for may be what was overtaken. */
const stalledMs = 500
const lookMs = 100

/** Ends a plan that has become old: not at once, since what is under way is mostly still wanted. */
export class Interruption {
  readonly #ending = new AbortController()
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>
  readonly #measure: () => number
  readonly #begunAt: number
  #timer: Timer | undefined
  #measured = { amount: -1, at: 0 }

  /** `measure`: another number whenever something has come. */
  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>, measure: () => number) {
    this.#runtime = runtime
    this.#measure = measure
    this.#begunAt = runtime.clock.now()
  }

  get signal(): AbortSignal {
    return this.#ending.signal
  }

  /** Something new is there. */
  overtake(): void {
    if (this.#timer === undefined) this.#look()
  }

  abort(reason: PlaitError): void {
    this.#ending.abort(reason)
  }

  /** The plan has ended. */
  close(): void {
    this.#timer?.cancel()
  }

  #look(): void {
    const { clock, timers } = this.#runtime
    const now = clock.now()
    const amount = this.#measure()
    if (amount !== this.#measured.amount) this.#measured = { amount, at: now }
    const isLong = now - this.#begunAt >= longMs || now - this.#measured.at >= stalledMs
    if (isLong) this.abort(new PlaitError('CANCELLED', 'the plan is old'))
    else this.#timer = timers.after(lookMs, () => this.#look())
  }
}
