import { readNumber } from './number.ts'
import type { Handler } from './peer.ts'

/** Hands messages over by their numbers, which begin at 0 again when all of a round have come. */
export class InOrder {
  readonly #handler: Handler
  readonly #waitingByNumber = new Map<number, Uint8Array>()
  #next = 0

  constructor(handler: Handler) {
    this.#handler = handler
  }

  take(message: Uint8Array): void {
    const number = readNumber(message, 0)
    if (number < this.#next && this.#waitingByNumber.size === 0) this.#next = 0
    this.#waitingByNumber.set(number, message)
    for (;;) {
      const due = this.#waitingByNumber.get(this.#next)
      if (due === undefined) return
      this.#waitingByNumber.delete(this.#next)
      this.#next += 1
      this.#handler(due, 0, due.length)
    }
  }
}
