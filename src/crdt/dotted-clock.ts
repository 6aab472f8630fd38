import { DotSet } from './dot-set.ts'
import { VectorClock } from './vector-clock.ts'

/**
 * What a state has seen, when it may have seen an operation before those that its writer wrote earlier: a clock, and a cloud of dots beyond
 * it. The clock takes over what of the cloud has come to follow it.
 */
export class DottedClock extends DotSet {
  /** What has been seen without a gap, fresh. */
  clock(): VectorClock {
    return new VectorClock(Array.from(this.writers(), (writer) => [writer, this.contiguous(writer)] as const))
  }

  /** The dots beyond the clock, fresh. Empty when operations have come in causal order. */
  cloud(): DotSet {
    const cloud = new DotSet()
    for (const writer of this.writers()) {
      const runs = this.runs(writer)
      const start = this.contiguous(writer) > 0 ? 2 : 0
      for (let at = start; at < runs.length; at += 2) cloud.addRun(writer, runs[at] as number, runs[at + 1] as number)
    }
    return cloud
  }

  copy(): DottedClock {
    const copy = new DottedClock()
    copy.addAll(this)
    return copy
  }
}
