import type { Clock } from '../runtime/clock.ts'
import type { Timer, Timers } from '../runtime/timers.ts'

/** The one timer that all deadlines of a messenger share: set to the earliest of them. */
export class Alarm {
  readonly #clock: Clock
  readonly #timers: Timers
  readonly #rung: () => void
  #timer: Timer | undefined
  #at = Infinity

  constructor({ clock, timers }: { readonly clock: Clock; readonly timers: Timers }, rung: () => void) {
    this.#clock = clock
    this.#timers = timers
    this.#rung = rung
  }

  /** Rings at `deadline`, if it does not ring earlier. */
  set(deadline: number): void {
    if (deadline >= this.#at) return
    this.cancel()
    this.#at = deadline
    this.#timer = this.#timers.after(Math.max(0, deadline - this.#clock.now()), () => this.#ring(), {
      background: true,
    })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#at = Infinity
  }

  #ring(): void {
    this.#timer = undefined
    this.#at = Infinity
    this.#rung()
  }
}
