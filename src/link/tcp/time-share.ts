/** How long others have the event loop to themselves, for each ms that was spent. */
const restFactor = 2

/** A turn of the event loop in which nothing happened takes less; so many of them in a row mean that nobody else wants the time. */
const idleTurnMs = 0.05
const idleTurns = 3

/**
 * How much of the event loop's time a kind of work gets: all of it while nobody else has use for it, and else a third. Whoever does the
 * work says what it took, and asks once in each turn of the loop whether there may be more.
 */
export class TimeShare {
  #restUntil = 0
  #askedAt = -Infinity
  #idleTurns = 0

  /** The work has taken so long. */
  spend(ms: number, now: number): void {
    if (ms <= 0) return
    this.#restUntil = Math.max(this.#restUntil, now) + restFactor * ms
    this.#idleTurns = 0
  }

  /** No work has been done of late that others would have to be made up for. */
  rested(now: number): boolean {
    return now >= this.#restUntil
  }

  /** To be asked once in each turn while there is work. */
  due(now: number): boolean {
    this.#idleTurns = now - this.#askedAt < idleTurnMs ? this.#idleTurns + 1 : 0
    this.#askedAt = now
    if (now < this.#restUntil && this.#idleTurns < idleTurns) return false
    this.#restUntil = now
    this.#idleTurns = 0
    return true
  }
}
