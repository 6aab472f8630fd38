import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { inField } from '../wire/field-path.ts'
import { malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import { encode, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { cellBelow, rangesBelow } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import { changesBelow } from './crdt-type.ts'
import type { Change, ClockView, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import type { WriterTable } from './writers.ts'

type Fields = Readonly<Record<string, CrdtType<Crdt<unknown>, unknown>>>

/** The state of a type, and its operations. */
export type StateOf<Type> = Type extends { create(): infer State } ? State : never
export type OperationOf<Type> = Type extends { operation(writers: WriterTable): Schema<infer Operation> }
  ? Operation
  : never

/** An operation on one of the fields. */
export type RecordOperation<F extends Fields> = {
  [Name in keyof F & string]: { readonly field: Name; readonly operation: OperationOf<F[Name]> }
}[keyof F & string]

/** Replicated values of different types under fixed names. Changes: those of the fields, with the name before their path. */
export class CrdtRecord<F extends Fields> implements Crdt<RecordOperation<F>> {
  readonly #names: readonly string[]
  readonly #states: ReadonlyMap<string, Crdt<unknown>>

  constructor(fields: F) {
    this.#names = Object.keys(fields)
    this.#states = new Map(Object.entries(fields).map(([name, type]) => [name, type.create()]))
  }

  get isEmpty(): boolean {
    return [...this.#states.values()].every(({ isEmpty }) => isEmpty)
  }

  /** The value of a field; it is read, and changed by operations on the record only. */
  at<Name extends keyof F & string>(name: Name): StateOf<F[Name]> {
    const state = this.#states.get(name)
    if (state === undefined) throw new PlaitError('INVALID_ARGUMENT', `there is no field ${name}`)
    return state as StateOf<F[Name]>
  }

  /** An operation on a field, which `prepare` makes. */
  update<Name extends keyof F & string>(
    name: Name,
    prepare: (value: StateOf<F[Name]>) => OperationOf<F[Name]>,
  ): RecordOperation<F> {
    return { field: name, operation: prepare(this.at(name)) }
  }

  apply({ field, operation }: RecordOperation<F>, dot: Dot): readonly Change[] {
    return changesBelow(field, this.#state(field).apply(operation, dot))
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    return this.#names.flatMap((name) =>
      changesBelow(name, this.#state(name).merge(other.#state(name), seen, bothSeen)),
    )
  }

  remove(dots: DotSet): readonly Change[] {
    return this.#names.flatMap((name) => changesBelow(name, this.#state(name).remove(dots)))
  }

  collectDots(into: DotSink): void {
    for (const state of this.#states.values()) state.collectDots(into)
  }

  delta({ field, operation }: RecordOperation<F>, dot: Dot, fragment: this, seen: DotSet): void {
    this.#state(field).delta(operation, dot, fragment.#state(field), seen)
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const [prefix, state] of this.#fields()) for (const cell of state.cells(writers)) yield cellBelow(prefix, cell)
  }

  *standing(writers: WriterTable): Generator<Cell> {
    for (const [prefix, state] of this.#fields())
      for (const cell of state.standing?.(writers) ?? state.cells(writers)) yield cellBelow(prefix, cell)
  }

  isTimely({ field, operation }: RecordOperation<F>, dot: Dot, clock: ClockView): boolean {
    return this.#state(field).isTimely?.(operation, dot, clock) !== false
  }

  get isPrunable(): boolean {
    for (const { isPrunable } of this.#states.values()) if (isPrunable === true) return true
    return false
  }

  prune(stable: ClockView, writers: WriterTable): readonly CellRange[] {
    return [...this.#fields()].flatMap(([prefix, state]) =>
      state.isPrunable === true ? rangesBelow(prefix, state.prune?.(stable, writers) ?? []) : [],
    )
  }

  touched({ field, operation }: RecordOperation<F>, dot: Dot, writers: WriterTable): readonly CellRange[] {
    const prefix = encode(varint, this.#names.indexOf(field))
    return rangesBelow(prefix, this.#state(field).touched(operation, dot, writers))
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const index = key.varint()
    const name = this.#names[index]
    if (name === undefined) throw malformed(`field ${index} of ${this.#names.length}`)
    inField(name, () => this.#state(name).readCell(key, value, writers))
  }

  settle(): void {
    for (const state of this.#states.values()) state.settle()
  }

  /** Each with the beginning of its cells' keys. */
  *#fields(): Generator<readonly [prefix: Uint8Array, state: Crdt<unknown>]> {
    for (const [index, name] of this.#names.entries()) yield [encode(varint, index), this.#state(name)]
  }

  #state(name: string): Crdt<unknown> {
    return this.#states.get(name) as Crdt<unknown>
  }
}

/** A record of these fields. Their order is part of how it is written: new ones come last, and none goes. */
export function record<const F extends Fields>(fields: F): CrdtType<CrdtRecord<F>, RecordOperation<F>> {
  const types = Object.values(fields)
  assert(types.length > 0, 'a record has a field')
  return {
    name: `record of ${Object.keys(fields).join(', ')}`,
    isRemovable: types.every(({ isRemovable }) => isRemovable),
    prepares: ['update'],
    create: () => new CrdtRecord(fields),
    operation: (writers) => operationSchema(fields, writers),
    claim: ({ field, operation }, basis) => fields[field]?.claim(operation, basis),
  }
}

/** The LEB128 place of the field, and the operation on it. */
function operationSchema<F extends Fields>(fields: F, writers: WriterTable): Schema<RecordOperation<F>> {
  const names = Object.keys(fields)
  const schemas = new Map(Object.entries(fields).map(([name, type]) => [name, type.operation(writers)]))
  const schemaOf = (name: string): Schema<unknown> => {
    const schema = schemas.get(name)
    if (schema === undefined) throw new PlaitError('INVALID_ARGUMENT', `there is no field ${name}`)
    return schema
  }
  return {
    bytesMin: 1 + Math.min(...[...schemas.values()].map(({ bytesMin }) => bytesMin)),
    openEnded: [...schemas.values()].some(({ openEnded }) => openEnded),
    measure: ({ field, operation }) =>
      varintLength(names.indexOf(field)) + inField(field, () => schemaOf(field).measure(operation)),
    write: ({ field, operation }, out, offset) =>
      schemaOf(field).write(operation, out, writeVarint(out, offset, names.indexOf(field))),
    read(reader) {
      const index = reader.varint()
      const field = names[index]
      if (field === undefined) throw malformed(`field ${index} of ${names.length}`)
      return { field, operation: inField(field, () => schemaOf(field).read(reader)) } as RecordOperation<F>
    },
    describe: () => ({ type: 'operation on a field', bound: '' }),
  }
}
