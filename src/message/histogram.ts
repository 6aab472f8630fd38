/** Bounds in ms, each twice the one before: from a sixteenth of a millisecond to about a minute. */
const bounds: readonly number[] = Array.from({ length: 21 }, (_, index) => 2 ** (index - 4))

/** Durations, counted by their size: each in the first bucket whose bound is not smaller. */
export class Histogram {
  readonly counts: number[] = Array.from({ length: bounds.length + 1 }, () => 0)
  count = 0
  sumMs = 0

  record(elapsedMs: number): void {
    let index = 0
    while (index < bounds.length && elapsedMs > (bounds[index] as number)) index += 1
    this.counts[index] = (this.counts[index] as number) + 1
    this.count += 1
    this.sumMs += elapsedMs
  }

  /** How many took at most how long; the last bucket takes all. */
  read(): HistogramSnapshot {
    let total = 0
    const buckets = this.counts.map((count, index) => {
      total += count
      return { upToMs: bounds[index] ?? Infinity, count: total }
    })
    return { count: this.count, sumMs: this.sumMs, buckets }
  }
}

export interface HistogramSnapshot {
  readonly count: number
  readonly sumMs: number
  /** Cumulative; the last bound is `Infinity`. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[]
}
