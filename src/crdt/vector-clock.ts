import { varintLength, writeVarint } from '../base/varint.ts'
import { refuse } from '../wire/field-path.ts'
import { beyond, malformed } from '../wire/reader.ts'
import { decode, encode } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import type { Dot, Writer } from './dot.ts'
import { dotOf } from './dot.ts'
import { withWriters } from './writers.ts'
import type { WriterTable } from './writers.ts'

/** How two clocks stand to each other: `before` when the right one has all of the left one and more. */
export type ClockOrder = 'equal' | 'before' | 'after' | 'concurrent'

/** How many operations of each writer have been seen: all of them up to that number, none beyond it. */
export class VectorClock {
  readonly #numbers = new Map<Writer, number>()

  /** Throws `INVALID_ARGUMENT` for a number that is not in 0 .. 2^48. */
  constructor(entries: Iterable<readonly [Writer, number]> = []) {
    for (const [writer, number] of entries) if (number !== 0) this.advance(dotOf(writer, number))
  }

  /** The clock in `bytes` as `encode` wrote it. Throws `PROTOCOL` or `LIMIT`. */
  static decode(bytes: Uint8Array): VectorClock {
    return decode(standalone, bytes)
  }

  /** How many writers have been seen. */
  get size(): number {
    return this.#numbers.size
  }

  /** The last number of a writer; 0 when nothing of it has been seen. */
  at(writer: Writer): number {
    return this.#numbers.get(writer) ?? 0
  }

  has(dot: Dot): boolean {
    return dot.number <= this.at(dot.writer)
  }

  /** Everything of the dot's writer up to the dot has been seen. */
  advance(dot: Dot): void {
    if (dot.number > this.at(dot.writer)) this.#numbers.set(dot.writer, dot.number)
  }

  /** Takes over what the other one has seen. */
  merge(other: VectorClock): void {
    for (const [writer, number] of other) this.advance({ writer, number })
  }

  /** How this one stands to the other: `before` when the other one has seen all of this and more. */
  compare(other: VectorClock): ClockOrder {
    const isBehind = other.#exceeds(this)
    const isAhead = this.#exceeds(other)
    if (isBehind && isAhead) return 'concurrent'
    if (isBehind) return 'before'
    return isAhead ? 'after' : 'equal'
  }

  /** Whether all that the other one has seen has been seen. */
  covers(other: VectorClock): boolean {
    return !other.#exceeds(this)
  }

  copy(): VectorClock {
    return new VectorClock(this)
  }

  /** How many operations in all. No honest operation has a Lamport time beyond that of its clock and one. */
  total(): number {
    let total = 0
    for (const number of this.#numbers.values()) total += number
    return total
  }

  /** One encoding for equal clocks, with the keys of their writers. */
  encode(): Uint8Array {
    return encode(standalone, this)
  }

  [Symbol.iterator](): IterableIterator<[Writer, number]> {
    return this.#numbers.entries()
  }

  #exceeds(other: VectorClock): boolean {
    for (const [writer, number] of this.#numbers) if (number > other.at(writer)) return true
    return false
  }
}

/**
 * A clock: the LEB128 count of its writers, and for each, in ascending order of places in the table, how far its place is from that of
 * the one before (or 0), and its number.
 */
export function clockSchema(writers: WriterTable): Schema<VectorClock> {
  return {
    bytesMin: 1,
    openEnded: false,
    measure(clock) {
      if (clock.size > bounds.writers) refuse(`${clock.size} writers are more than ${bounds.writers}`)
      let length = varintLength(clock.size)
      let before = 0
      for (const [index, number] of placed(clock, writers)) {
        length += varintLength(index - before) + varintLength(number)
        before = index
      }
      return length
    },
    write(clock, out, offset) {
      let at = writeVarint(out, offset, clock.size)
      let before = 0
      for (const [index, number] of placed(clock, writers)) {
        at = writeVarint(out, writeVarint(out, at, index - before), number)
        before = index
      }
      return at
    },
    read(reader) {
      const count = reader.varint()
      if (count > bounds.writers) throw beyond(count, bounds.writers)
      if (count * 2 > reader.remaining) throw malformed(`${count} writers in ${reader.remaining} bytes`)
      const clock = new VectorClock()
      let index = 0
      for (let read = 0; read < count; read += 1) {
        const step = reader.varint()
        if (read > 0 && step === 0) throw malformed('a writer twice')
        index += step
        const number = reader.varint()
        if (number > bounds.number) throw beyond(number, bounds.number)
        if (number === 0) throw malformed('a writer of whom nothing was seen')
        clock.advance({ writer: writers.at(index), number })
      }
      return clock
    },
    describe: () => ({ type: 'clock', bound: `at most ${bounds.writers} writers` }),
  }
}

function placed(clock: VectorClock, writers: WriterTable): readonly (readonly [number, number])[] {
  const places = Array.from(clock, ([writer, number]) => [writers.indexOf(writer), number] as const)
  return places.sort((left, right) => left[0] - right[0])
}

const standalone: Schema<VectorClock> = withWriters(clockSchema)
