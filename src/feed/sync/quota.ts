/** How often something may happen: so many times a second, and as many at once after a second of rest. */
export class Quota {
  readonly #perSecond: number
  #left: number
  #at = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
    this.#left = perSecond
  }

  /** Whether it may happen once more. */
  take(now: number): boolean {
    const earned = ((now - this.#at) * this.#perSecond) / 1_000
    this.#left = Math.min(this.#perSecond, this.#left + Math.max(0, earned))
    this.#at = now
    if (this.#left < 1) return false
    this.#left -= 1
    return true
  }
}
