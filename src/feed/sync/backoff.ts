const firstMs = 1_000
const longestMs = 60_000

/** How long something that keeps failing is left alone: twice as long each time, until it succeeds. */
export class Backoff {
  #restMs = firstMs / 2
  #until = -Infinity

  /** Failures while it rests anyway count for nothing: they come of what was begun before. */
  fail(now: number): void {
    if (this.isResting(now)) return
    this.#restMs = Math.min(longestMs, this.#restMs * 2)
    this.#until = now + this.#restMs
  }

  succeed(): void {
    this.#restMs = firstMs / 2
    this.#until = -Infinity
  }

  isResting(now: number): boolean {
    return now < this.#until
  }
}
