import { marks } from '../marks.ts'
import type { Probe } from '../probe.ts'

/** Counts how often each rare branch was taken. Refuses a label that `marks.ts` does not list. */
export class CountingProbe implements Probe {
  readonly #countsByLabel: Map<string, number>

  /** Knows the given labels; those of networks when absent. */
  constructor(labels: readonly string[] = marks) {
    this.#countsByLabel = new Map(labels.map((label) => [label, 0]))
  }

  sometimes(label: string): void {
    const count = this.#countsByLabel.get(label)
    if (count === undefined) throw new RangeError(`the mark '${label}' is not listed in runtime/marks.ts`)
    this.#countsByLabel.set(label, count + 1)
  }

  /** Every listed label with its count, in the order of the list. */
  counts(): ReadonlyMap<string, number> {
    return new Map(this.#countsByLabel)
  }
}
