import type { Runtime } from '../runtime/runtime.ts'

/** How long one peer may be listened to in one turn of the event loop. */
const shareMs = 5

/** The share of a turn that one peer has: what it sends is read with promises, which would go on for as long as there is anything. */
export class TurnShare {
  readonly #runtime: Pick<Runtime, 'clock' | 'timers'>
  /** When this turn began, as far as is known here. */
  #begunAt: number | undefined

  constructor(runtime: Pick<Runtime, 'clock' | 'timers'>) {
    this.#runtime = runtime
  }

  /** Whether no more should be done in this turn. */
  get isUsed(): boolean {
    const now = this.#runtime.clock.now()
    if (this.#begunAt === undefined) {
      this.#begunAt = now
      this.#runtime.timers.endOfTurn(() => (this.#begunAt = undefined))
      return false
    }
    return now - this.#begunAt >= shareMs
  }

  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#runtime.timers.endOfTurn(resolve)
    })
  }
}
