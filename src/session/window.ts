import type { Limits } from '../base/limits.ts'
import type { Account } from './account.ts'

/** What both ends of a link need to turn around, in ms, even when the wire needs no time: a turn of two event loops. */
const turnaroundMs = 0.5

/** A window that holds its sender back needs itself: anything above 1 lets it grow until it no longer does. */
const growthFactor = 1.25

/** How long a measurement lasts at least, what a doubling has to bring, and for how long none is tried after one that did not. */
const roundTripsMeasured = 4
const worthwhileGain = 1.1
const settledMs = 5_000

/** Up to here a doubling is not on trial: what it brings is less than what other work in the process makes the rate vary. */
const untriedBytes = 2 * 1024 * 1024

/**
 * The receiving side's credit for one channel, in bytes of whole frames (header and body). All figures are absolute counts
 * since the channel was opened, so that restating one does no harm. The window doubles while it is smaller than the bandwidth
 * that it has let through times the round trip (the automatic tuning of QUIC receivers), and while that lets more through.
 */
export class Window {
  /** How much the sender may be ahead of the reader. */
  windowBytes: number
  /** Up to where the sender was told it may send. */
  grantedBytes: number
  receivedBytes = 0
  consumedBytes = 0
  #measuredFromMs = -1
  #measuredFromBytes = 0
  /** What was read before the doubling that is on trial; 0 when none is. */
  #bytesPerMsBefore = 0
  #settledUntilMs = -Infinity
  readonly #limits: Limits

  constructor(windowBytes: number, limits: Limits) {
    this.windowBytes = windowBytes
    this.grantedBytes = windowBytes
    this.#limits = limits
  }

  /** Takes note of a frame; false when it was not covered by credit. */
  receive(frameBytes: number): boolean {
    this.receivedBytes += frameBytes
    return this.receivedBytes <= this.grantedBytes
  }

  /** The reader has taken `frameBytes`; true when enough has come together for a CREDIT frame: a quarter of the window. */
  consume(frameBytes: number): boolean {
    this.consumedBytes += frameBytes
    return this.consumedBytes + this.windowBytes - this.grantedBytes >= this.windowBytes >> 2
  }

  /** Half of the window has been read and not granted anew: the sender may be about to stand still. */
  get pressing(): boolean {
    return this.consumedBytes + this.windowBytes - this.grantedBytes >= this.windowBytes >> 1
  }

  /** The new absolute grant. */
  grant(): number {
    const target = this.consumedBytes + this.windowBytes
    if (target > this.grantedBytes) this.grantedBytes = target
    return this.grantedBytes
  }

  /** What it begins with, before anything is granted or has come. */
  open(windowBytes: number): void {
    this.windowBytes = windowBytes
    this.grantedBytes = windowBytes
  }

  /** Widens at once to what a channel in use may have. */
  widen(windowBytes: number): void {
    if (windowBytes > this.windowBytes) this.windowBytes = windowBytes
  }

  /**
   * Measures what is read, and doubles the window where it is smaller than bandwidth times round trip. From 2 MiB on a doubling is
   * on trial: when little came of it, it is taken back, for what stands in a wider window then is a queue. True when it has grown.
   */
  tune(now: number, roundTripMs: number, account: Account): boolean {
    if (this.#measuredFromMs < 0) this.#measure(now)
    const bytes = this.consumedBytes - this.#measuredFromBytes
    // What is small for any link that is worth a name need not be measured well: over a distance each round trip counts.
    const isUntried = this.windowBytes < untriedBytes
    if (bytes < (isUntried ? 1 : 2) * this.windowBytes) return false
    const elapsedMs = now - this.#measuredFromMs
    if (elapsedMs < (isUntried ? 1 : roundTripsMeasured) * roundTripMs) return false
    const bytesPerMs = bytes / Math.max(elapsedMs, 0.001)
    this.#measure(now)
    if (this.#bytesPerMsBefore > 0 && bytesPerMs < this.#bytesPerMsBefore * worthwhileGain) {
      this.#bytesPerMsBefore = 0
      this.windowBytes >>= 1
      this.#settledUntilMs = now + settledMs
      return false
    }
    this.#bytesPerMsBefore = 0
    if (now < this.#settledUntilMs || this.windowBytes >= this.#limits.windowBytesMax || account.tight) return false
    if (growthFactor * bytesPerMs * (roundTripMs + turnaroundMs) <= this.windowBytes) return false
    if (this.windowBytes >= untriedBytes) this.#bytesPerMsBefore = bytesPerMs
    this.windowBytes = Math.min(this.windowBytes * 2, this.#limits.windowBytesMax)
    return true
  }

  #measure(now: number): void {
    this.#measuredFromMs = now
    this.#measuredFromBytes = this.consumedBytes
  }
}
