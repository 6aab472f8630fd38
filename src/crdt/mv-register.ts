import { emptyBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { choice } from '../wire/choice-schema.ts'
import { array, encode, struct, upTo } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import { rangeOf } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import { compareDots, sameDot } from './dot.ts'
import type { Dot } from './dot.ts'
import { addDots, dotList, dotSchema, includesDot } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import { checkValue } from './value-type.ts'
import type { ValueType } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/** `dots`: those of the values that were seen, which this one takes the place of. `time`: one more than the highest of theirs. */
export type RegisterOperation<Value> =
  | { readonly kind: 'write'; readonly value: Value; readonly time: number; readonly dots: DotList }
  | { readonly kind: 'clear'; readonly dots: DotList }

/** A value as it was written. */
export interface Written<Value> {
  readonly value: Value
  /** Lamport time within the register: larger than that of every value that the writer had seen. */
  readonly time: number
  readonly dot: Dot
}

/**
 * A register that keeps what was written at the same time: a value goes when one is written that has seen it, or when all are cleared.
 *
 * Changes: `written`, with what the register shows then: all values; none for one that has been cleared.
 */
export class MvRegister<Value> implements Crdt<RegisterOperation<Value>> {
  readonly #type: ValueType<Value>
  /** The latest first; none has seen another one. */
  #written: readonly Written<Value>[] = []

  constructor(type: ValueType<Value>) {
    this.#type = type
  }

  get isEmpty(): boolean {
    return this.#written.length === 0
  }

  /** What was written, in the same order everywhere: by time and dot, the latest first. */
  get written(): readonly Written<Value>[] {
    return this.#written
  }

  get values(): readonly Value[] {
    return this.#written.map(({ value }) => value)
  }

  /** Throws `INVALID_ARGUMENT`. */
  set(value: Value): RegisterOperation<Value> {
    checkValue(this.#type.schema, value)
    return { kind: 'write', value, time: nextTime(this.#written[0]?.time ?? 0), dots: this.#dots() }
  }

  clear(): RegisterOperation<Value> {
    return { kind: 'clear', dots: this.#dots() }
  }

  apply(operation: RegisterOperation<Value>, dot: Dot): readonly Change[] {
    const kept = this.#written.filter((one) => !includesDot(operation.dots, one.dot))
    if (operation.kind === 'clear') return this.#keep(kept)
    return this.#keep([...kept, { value: operation.value, time: operation.time, dot }])
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    const has = (all: readonly Written<Value>[], dot: Dot): boolean => all.some((one) => sameDot(one.dot, dot))
    return this.#keep([
      ...this.#written.filter(({ dot }) => has(other.#written, dot) || !bothSeen.has(dot)),
      ...other.#written.filter(({ dot }) => !seen.has(dot)),
    ])
  }

  remove(dots: DotSet): readonly Change[] {
    return this.#keep(this.#written.filter(({ dot }) => !dots.has(dot)))
  }

  collectDots(into: DotSink): void {
    for (const { dot } of this.#written) into.add(dot)
  }

  delta(operation: RegisterOperation<Value>, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    addDots(seen, operation.dots)
    if (operation.kind === 'write') fragment.#keep([{ value: operation.value, time: operation.time, dot }])
  }

  *cells(writers: WriterTable): Generator<Cell> {
    const value = this.#encode(writers)
    if (value !== undefined) yield { key: emptyBytes, value }
  }

  touched(_operation: RegisterOperation<Value>, _dot: Dot, writers: WriterTable): readonly CellRange[] {
    return [rangeOf(emptyBytes, this.#encode(writers))]
  }

  readCell(_key: Reader, value: Reader, writers: WriterTable): void {
    const written = writtenSchema(this.#type, writers).read(value)
    if (written.length === 0) throw malformed('a register without a value')
    written.forEach((one, index) => {
      if (index > 0 && compareWritten(written[index - 1] as Written<Value>, one) >= 0)
        throw malformed('values that are not in order')
    })
    this.#keep(written)
  }

  settle(): void {}

  #dots(): DotList {
    return this.#written.map(({ dot }) => dot).sort(compareDots)
  }

  #encode(writers: WriterTable): Uint8Array | undefined {
    return this.isEmpty ? undefined : encode(writtenSchema(this.#type, writers), this.#written)
  }

  #keep(written: readonly Written<Value>[]): readonly Change[] {
    const before = this.#written
    this.#written = [...written].sort(compareWritten)
    const isSame = before.length === written.length && before.every((one, at) => one.dot === this.#written[at]?.dot)
    return isSame ? [] : [{ path: [], kind: 'written', value: this.values }]
  }
}

export function mvRegister<Value>(type: ValueType<Value>): CrdtType<MvRegister<Value>, RegisterOperation<Value>> {
  return { ...registerType(type), name: `multi-value register of ${type.name}`, create: () => new MvRegister(type) }
}

/** What all types of registers have in common. */
export function registerType<Value>(
  type: ValueType<Value>,
): Omit<CrdtType<MvRegister<Value>, RegisterOperation<Value>>, 'name' | 'create'> {
  return {
    isRemovable: true,
    prepares: ['set', 'clear'],
    operation: (writers) => operationSchema(type, writers),
    claim(operation, basis) {
      addDots(basis.dots, operation.dots)
      if (operation.kind === 'write') basis.time = Math.max(basis.time, operation.time)
    },
  }
}

/** The Lamport time after `time`. Throws `LIMIT` when there is none: nobody gets there who counts. */
export function nextTime(time: number): number {
  if (time < bounds.number) return time + 1
  throw new PlaitError('LIMIT', 'no Lamport time is left', { facts: { limit: bounds.number } })
}

/** The later first: by time, then by dot. */
export function compareWritten(left: Stamped, right: Stamped): number {
  return right.time - left.time || compareDots(right.dot, left.dot)
}

interface Stamped {
  readonly time: number
  readonly dot: Dot
}

/** A Lamport time: a LEB128 number from 1 to 2^48. */
export const lamportTime: Schema<number> = upTo(bounds.number)

function writtenSchema<Value>(type: ValueType<Value>, writers: WriterTable): Schema<readonly Written<Value>[]> {
  const one = struct({ time: lamportTime, dot: dotSchema(writers), value: type.schema })
  return array(one, { max: bounds.dots }) as Schema<readonly Written<Value>[]>
}

function operationSchema<Value>(type: ValueType<Value>, writers: WriterTable): Schema<RegisterOperation<Value>> {
  const dots = dotList(writers)
  const write = struct({ time: lamportTime, dots, value: type.schema })
  return choice({
    write: { number: 1, schema: write },
    clear: { number: 2, schema: struct({ dots }) },
  }) as Schema<RegisterOperation<Value>>
}
