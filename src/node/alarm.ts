import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'

/** What wants to be called when its time has come. */
export interface Timed {
  /** In ms of the clock; Infinity when never. */
  readonly deadline: number
  tick(now: number): void
}

/** One timer for the deadline of a state machine, moved only when it would be too late: deadlines come and go with every turn. */
export class Alarm {
  readonly #timed: Timed
  readonly #runtime: Runtime
  #timer: Timer | undefined
  #armedAt = Infinity

  constructor(timed: Timed, runtime: Runtime) {
    this.#timed = timed
    this.#runtime = runtime
  }

  /** To be called when the deadline may have come nearer. */
  arm(): void {
    const { deadline } = this.#timed
    if (deadline >= this.#armedAt) return
    this.#timer?.cancel()
    this.#armedAt = deadline
    const delayMs = Math.max(0, deadline - this.#runtime.clock.now())
    this.#timer = this.#runtime.timers.after(delayMs, this.#fire, { background: true })
  }

  cancel(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#armedAt = Infinity
  }

  readonly #fire = (): void => {
    this.#armedAt = Infinity
    const now = this.#runtime.clock.now()
    if (now >= this.#timed.deadline) this.#timed.tick(now)
    this.arm()
  }
}
