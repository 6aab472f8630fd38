/** What was used counts half after so long. */
const halfLifeMs = 1_000
const forgetEveryMs = 20

/** How long a link may keep the event loop busy at a stretch, in ms, and how much of that is gone for who had to rest. */
const stretchMs = 4
const restedMs = 1

/** How much of the time that passes it may use without any of that being at a stretch. */
const freeShare = 1 / 4

/** Who moves more than this many bytes for each ms moves content; who moves less gives orders. */
const contentBytesPerMs = 64 * 1024

/** How much of the event loop's time a link has used of late, and for how much. */
export class Usage {
  /** It has had to let others go first, and has had much to do since. */
  busy = false
  #recentMs = 0
  #recentBytes = 0
  #stretchMs = 0
  #at = 0
  #forgottenAt = 0

  /** Content is moved: the time that this takes is well spent. */
  get content(): boolean {
    return this.#recentBytes > this.#recentMs * contentBytesPerMs
  }

  /** So many bytes have been moved, either way. */
  move(bytes: number): void {
    this.#recentBytes += bytes
  }

  /**
   * Adds the time that was used until `now`; returns whether it is time to let others go first. Who uses little never has to, and
   * the more there are that share what is free, the less is little.
   */
  spend(ms: number, now: number, sharing: number): boolean {
    const freeMs = (Math.max(0, now - this.#at) * freeShare) / Math.max(1, sharing)
    if (freeMs >= this.#stretchMs) this.busy = false
    this.#stretchMs = Math.max(0, this.#stretchMs - freeMs) + ms
    this.#forget(now)
    this.#recentMs += ms
    if (this.#stretchMs < stretchMs) return false
    this.busy = true
    return true
  }

  /** The others had their turn. */
  rested(now: number): void {
    if (this.busy) this.#stretchMs = restedMs
    this.#forget(now)
  }

  /** What was used of late, in ms; older uses count less. */
  recentMs(now: number): number {
    return this.#recentMs * this.#kept(now)
  }

  /** Not at every chunk: it costs as much as to take one. */
  #forget(now: number): void {
    this.#at = now
    if (now - this.#forgottenAt < forgetEveryMs) return
    const kept = this.#kept(now)
    this.#recentMs *= kept
    this.#recentBytes *= kept
    this.#forgottenAt = now
  }

  #kept(now: number): number {
    return 0.5 ** (Math.max(0, now - this.#forgottenAt) / halfLifeMs)
  }
}
