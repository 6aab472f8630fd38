import { segmentHeaderBytes, type SegmentForm } from './segment.ts'

/** A segment of an open log. Each file has an object of its own: when a segment is compacted, another one takes its place. */
export interface Segment {
  readonly position: number
  readonly form: SegmentForm
  /** Where the next one begins; infinite for the last one, which is written to. */
  end: number
}

/** The segments of a log in the order of their positions. */
export class SegmentTable {
  #segments: Segment[]

  constructor(segments: readonly Segment[]) {
    this.#segments = [...segments]
  }

  /** The one that records are appended to. */
  get last(): Segment {
    return this.#segments.at(-1) as Segment
  }

  /** All but the last one. */
  get closed(): readonly Segment[] {
    return this.#segments.slice(0, -1)
  }

  get size(): number {
    return this.#segments.length
  }

  /** The one in which a position lies behind the header. */
  at(position: number): Segment | undefined {
    let low = 0
    let high = this.#segments.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#segments[middle] as Segment).position <= position) low = middle + 1
      else high = middle
    }
    const segment = this.#segments[low - 1]
    const isIn = segment !== undefined && position >= segment.position + segmentHeaderBytes && position < segment.end
    return isIn ? segment : undefined
  }

  push(segment: Segment): void {
    this.last.end = segment.position
    this.#segments.push(segment)
  }

  /** Puts one in the place of all that it covers. */
  replace(segment: Segment): void {
    const others = this.#segments.filter(({ position }) => position < segment.position || position >= segment.end)
    this.#segments = [...others, segment].sort((one, other) => one.position - other.position)
  }
}
