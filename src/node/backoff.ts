import type { Random } from '../runtime/random.ts'

const firstMs = 50
const longestMs = 5_000

/** Delays between attempts, in ms: doubling from 50 to 5,000, each anywhere in its upper half, so that crowds disperse. */
export class Backoff {
  readonly #random: Random
  #ceilingMs = firstMs

  constructor(random: Random) {
    this.#random = random
  }

  next(): number {
    const ceilingMs = this.#ceilingMs
    this.#ceilingMs = Math.min(ceilingMs * 2, longestMs)
    return ceilingMs * (0.5 + this.#random.real() / 2)
  }
}
