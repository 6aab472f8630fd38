/** What has been done at a moment. */
interface Sample {
  readonly atMs: number
  /** Files, or blocks. */
  readonly items: number
  readonly bytes: number
}

/** Speed over the last seconds, and what it promises for the rest. */
export class Rate {
  readonly #windowMs: number
  #samples: Sample[] = []

  constructor(windowMs: number = 5_000) {
    this.#windowMs = windowMs
  }

  /** Takes the present state; `atMs` only grows. */
  add(atMs: number, items: number, bytes: number): void {
    this.#samples.push({ atMs, items, bytes })
    // One sample older than the window stays, so that the window is covered.
    while (this.#samples.length > 2 && (this.#samples[1] as Sample).atMs <= atMs - this.#windowMs) this.#samples.shift()
  }

  get bytesPerSecond(): number {
    return this.#slope((sample) => sample.bytes)
  }

  /** Milliseconds until so many items and bytes more are done, at this speed; undefined when nobody can say. */
  leftMs(items: number, bytes: number): number | undefined {
    const byBytes = timeFor(bytes, this.bytesPerSecond)
    const byItems = timeFor(
      items,
      this.#slope((sample) => sample.items),
    )
    if (byBytes === undefined) return byItems
    // A single large item is not finished for a long while, though its bytes flow.
    return byItems === undefined ? byBytes : Math.max(byBytes, items > 10 ? byItems : 0)
  }

  #slope(value: (sample: Sample) => number): number {
    const first = this.#samples[0]
    const last = this.#samples.at(-1)
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    return Math.max(0, ((value(last) - value(first)) * 1_000) / (last.atMs - first.atMs))
  }
}

function timeFor(amount: number, perSecond: number): number | undefined {
  if (amount <= 0) return 0
  return perSecond > 0 ? (amount / perSecond) * 1_000 : undefined
}
