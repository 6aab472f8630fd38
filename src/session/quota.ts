/** How often something may happen in one second of the clock. */
export class Quota {
  readonly limit: number
  #second = 0
  #count = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** It has happened once more; false when that is too often. */
  take(now: number): boolean {
    const second = Math.floor(now / 1_000)
    if (this.#second !== second) {
      this.#second = second
      this.#count = 0
    }
    this.#count += 1
    return this.#count <= this.limit
  }
}
