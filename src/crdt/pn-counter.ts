import { PlaitError } from '../base/error.ts'
import { varint, encode, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { refuse } from '../wire/field-path.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { writeZigzag, zigzagLength } from '../base/varint.ts'
import { bounds } from './bounds.ts'
import { rangeOf } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot, Writer } from './dot.ts'
import { addDots, dotList, dotSchema } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import type { WriterTable } from './writers.ts'

/**
 * `total`: what the writer has added in all, this included. Absolute, so that a counter keeps one number for each writer. `dots`: that
 * of the total which it takes the place of.
 */
export interface CounterOperation {
  readonly total: number
  readonly dots: DotList
}

interface Total {
  readonly number: number
  readonly total: number
}

/**
 * A counter that each writer adds to and takes from. There is no reset of its own. In a map, to remove the entry takes away the totals
 * that have been seen; of a writer that adds at the same time, its whole total stays, what it added before included, because it is one
 * number.
 *
 * Changes: `counted`, with the value of the counter.
 */
export class PnCounter implements Crdt<CounterOperation> {
  readonly #totals = new Map<Writer, Total>()
  #value = 0

  get isEmpty(): boolean {
    return this.#totals.size === 0
  }

  get value(): number {
    return this.#value
  }

  /**
   * `writer`: who will write the operation. Throws `INVALID_ARGUMENT` unless `amount` is a safe integer, and `LIMIT` when a writer has
   * added or taken 2^40 in all.
   */
  add(amount: number, writer: Writer): CounterOperation {
    if (!Number.isSafeInteger(amount)) throw new PlaitError('INVALID_ARGUMENT', `${amount} is not a safe integer`)
    const before = this.#totals.get(writer)
    const total = (before?.total ?? 0) + amount
    const dots = before === undefined ? [] : [{ writer, number: before.number }]
    if (Math.abs(total) <= bounds.counterTotal) return { total, dots }
    throw new PlaitError('LIMIT', `a writer adds at most ${bounds.counterTotal}`, {
      facts: { limit: bounds.counterTotal },
    })
  }

  apply({ total, dots }: CounterOperation, { writer, number }: Dot): readonly Change[] {
    return this.#counted(() => {
      for (const dot of dots) if (this.#totals.get(dot.writer)?.number === dot.number) this.#set(dot.writer, undefined)
      this.#set(writer, { number, total })
    })
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    return this.#counted(() => {
      for (const [writer, mine] of this.#totals) {
        const theirs = other.#totals.get(writer)
        if (theirs?.number === mine.number) continue
        if (bothSeen.has({ writer, number: mine.number })) this.#set(writer, undefined)
      }
      for (const [writer, theirs] of other.#totals) {
        const isNew = !seen.has({ writer, number: theirs.number })
        if (isNew && theirs.number > (this.#totals.get(writer)?.number ?? 0)) this.#set(writer, theirs)
      }
    })
  }

  remove(dots: DotSet): readonly Change[] {
    return this.#counted(() => {
      for (const [writer, { number }] of this.#totals) if (dots.has({ writer, number })) this.#set(writer, undefined)
    })
  }

  collectDots(into: DotSink): void {
    for (const [writer, { number }] of this.#totals) into.add({ writer, number })
  }

  delta({ total, dots }: CounterOperation, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    addDots(seen, dots)
    fragment.#set(dot.writer, { number: dot.number, total })
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const [writer, total] of this.#totals) yield cellOf(writer, total, writers)
  }

  touched(_operation: CounterOperation, { writer }: Dot, writers: WriterTable): readonly CellRange[] {
    const total = this.#totals.get(writer)
    const key = encode(varint, writers.indexOf(writer))
    return [rangeOf(key, total === undefined ? undefined : cellOf(writer, total, writers).value)]
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const writer = writers.at(key.varint())
    const { dot, total } = cellSchema(writers).read(value)
    if (dot.writer !== writer || this.#totals.has(writer)) throw malformed('a total of another writer')
    this.#set(writer, { number: dot.number, total })
  }

  settle(): void {}

  #set(writer: Writer, total: Total | undefined): void {
    this.#value += (total?.total ?? 0) - (this.#totals.get(writer)?.total ?? 0)
    if (total === undefined) this.#totals.delete(writer)
    else this.#totals.set(writer, total)
  }

  #counted(step: () => void): readonly Change[] {
    const before = this.#value
    step()
    return before === this.#value ? [] : [{ path: [], kind: 'counted', value: this.#value }]
  }
}

export function pnCounter(): CrdtType<PnCounter, CounterOperation> {
  return {
    name: 'counter',
    isRemovable: true,
    prepares: ['add'],
    takesWriter: true,
    create: () => new PnCounter(),
    operation: (writers) => struct({ total: counterTotal, dots: dotList(writers) }),
    claim: ({ dots }, basis) => addDots(basis.dots, dots),
  }
}

const counterTotal: Schema<number> = {
  bytesMin: 1,
  openEnded: false,
  measure(value) {
    if (!Number.isSafeInteger(value)) refuse(`${String(value)} is not a safe integer`)
    if (Math.abs(value) > bounds.counterTotal) refuse(`${value} is beyond ${bounds.counterTotal}`)
    return zigzagLength(value)
  },
  write: (value, out, offset) => writeZigzag(out, offset, value),
  read(reader) {
    const value = reader.zigzag()
    if (Math.abs(value) > bounds.counterTotal) throw beyond(Math.abs(value), bounds.counterTotal)
    return value
  },
  describe: () => ({ type: 'zigzag', bound: `at most ${bounds.counterTotal} either way` }),
}

function cellOf(writer: Writer, { number, total }: Total, writers: WriterTable): Cell {
  return {
    key: encode(varint, writers.indexOf(writer)),
    value: encode(cellSchema(writers), { dot: { writer, number }, total }),
  }
}

function cellSchema(writers: WriterTable): Schema<{ readonly dot: Dot; readonly total: number }> {
  return struct({ dot: dotSchema(writers), total: counterTotal })
}
