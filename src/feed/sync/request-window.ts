const smallestBytes = 64 * 1024
const firstBytes = 256 * 1024
const largestBytes = 8 * 1024 * 1024
/** No shorter period is measured: what comes in it says more about the event loop than about the link. */
const periodMsMin = 10
/** How much of the best rate is still believed when a period has been slower. */
const remembered = 0.9

/** How much of the time that storing took before is still believed. */
const storingRemembered = 0.75

/**
 * How many bytes of blocks may be asked for from one peer and not be durable yet: twice what comes, at the best rate of late, in a round
 * trip and in the time that the disk takes. So it doubles each round trip while it is what limits the rate, and no more than that waits
 * at the other side when the link does.
 */
export class RequestWindow {
  #bytes = firstBytes
  #roundTripMs = Infinity
  #rate = 0
  #storingMs = 0
  #periodStart: number | undefined
  #periodBytes = 0

  get bytes(): number {
    return this.#bytes
  }

  /** The shortest time from a request to its proof; Infinity before there is one. */
  get roundTripMs(): number {
    return this.#roundTripMs
  }

  /** Bytes for each ms, the best of late. */
  get rate(): number {
    return this.#rate
  }

  /** A request was answered for the first time. */
  noteAnswer(elapsedMs: number): void {
    this.#roundTripMs = Math.min(this.#roundTripMs, Math.max(elapsedMs, 0.1))
  }

  /** Blocks have come. */
  noteBytes(bytes: number, now: number): void {
    this.#periodStart ??= now
    this.#periodBytes += bytes
    const periodMs = now - this.#periodStart
    if (periodMs < Math.max(periodMsMin, Math.min(this.#roundTripMs, 1_000))) return
    this.#rate = Math.max(this.#periodBytes / periodMs, this.#rate * remembered)
    this.#periodStart = now
    this.#periodBytes = 0
    const target = 4 * this.#rate * (Math.max(this.#roundTripMs, periodMsMin) + this.#storingMs)
    if (Number.isFinite(target)) this.#bytes = Math.min(largestBytes, Math.max(smallestBytes, target))
  }

  /** Blocks have become durable, so long after they were handed over. */
  noteStored(elapsedMs: number): void {
    this.#storingMs = storingRemembered * this.#storingMs + (1 - storingRemembered) * elapsedMs
  }

  /** Nothing is on its way any more: what passes until the next request is no time in which something could have come. */
  noteIdle(): void {
    this.#periodStart = undefined
    this.#periodBytes = 0
  }

  /** It has not kept up: no more than the least is asked for until it does. */
  shrink(): void {
    this.#bytes = smallestBytes
    this.#rate = 0
    this.noteIdle()
  }
}
