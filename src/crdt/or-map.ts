import { assert } from '../base/assert.ts'
import { encode, struct } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { choice } from '../wire/choice-schema.ts'
import type { Reader } from '../wire/reader.ts'
import { cellBelow, rangesBelow } from './cell.ts'
import type { Cell, CellRange } from './cell.ts'
import { changesBelow } from './crdt-type.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot } from './dot.ts'
import { DotSet, dotSet } from './dot-set.ts'
import type { DotSink } from './dot-set.ts'
import { checkValue } from './value-type.ts'
import type { ValueType } from './value-type.ts'
import type { WriterTable } from './writers.ts'

/** `dots`: all that held the entry where its removal was prepared. */
export type OrMapOperation<Key, Operation> =
  | { readonly kind: 'update'; readonly key: Key; readonly operation: Operation }
  | { readonly kind: 'remove'; readonly key: Key; readonly dots: DotSet }

interface Entry<Key, State> {
  readonly key: Key
  readonly state: State
}

/**
 * A map of replicated values of one type. An entry is there as long as its value holds anything: it appears with the first operation on
 * it, and is gone when its value is empty. A removal takes away what it has seen of the value: an entry that is changed at the same
 * time stays, and holds what the remover had not seen.
 *
 * Changes: those of the values, with the key before their path; `removed`, with the key, when an entry is gone.
 */
export class OrMap<Key, State extends Crdt<Operation>, Operation> implements Crdt<OrMapOperation<Key, Operation>> {
  readonly #key: ValueType<Key>
  readonly #type: CrdtType<State, Operation>
  readonly #entries = new Map<string | number, Entry<Key, State>>()

  constructor(key: ValueType<Key>, type: CrdtType<State, Operation>) {
    this.#key = key
    this.#type = type
  }

  get size(): number {
    return this.#entries.size
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0
  }

  has(key: Key): boolean {
    return this.#entries.has(this.#key.key(key))
  }

  /** The value of an entry; it is read, and changed by operations on the map only. */
  at(key: Key): State | undefined {
    return this.#entries.get(this.#key.key(key))?.state
  }

  *keys(): Generator<Key> {
    for (const { key } of this.#entries.values()) yield key
  }

  *entries(): Generator<readonly [Key, State]> {
    for (const { key, state } of this.#entries.values()) yield [key, state]
  }

  /**
   * An operation on the value of an entry, which `prepare` makes: from an empty value when there is no entry. Throws
   * `INVALID_ARGUMENT`.
   */
  update(key: Key, prepare: (value: State) => Operation): OrMapOperation<Key, Operation> {
    checkValue(this.#key.schema, key)
    return { kind: 'update', key, operation: prepare(this.at(key) ?? this.#type.create()) }
  }

  delete(key: Key): OrMapOperation<Key, Operation> {
    checkValue(this.#key.schema, key)
    const dots = new DotSet()
    this.at(key)?.collectDots(dots)
    return { kind: 'remove', key, dots }
  }

  apply(operation: OrMapOperation<Key, Operation>, dot: Dot): readonly Change[] {
    return this.#change(operation.key, (state) =>
      operation.kind === 'update' ? state.apply(operation.operation, dot) : state.remove(operation.dots),
    )
  }

  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[] {
    const nothing = this.#type.create()
    const changes: Change[] = []
    for (const { key } of [...this.#entries.values()]) {
      const theirs = other.at(key) ?? nothing
      changes.push(...this.#change(key, (state) => state.merge(theirs, seen, bothSeen)))
    }
    for (const { key, state: theirs } of other.#entries.values()) {
      if (!this.has(key)) changes.push(...this.#change(key, (state) => state.merge(theirs, seen, bothSeen)))
    }
    return changes
  }

  remove(dots: DotSet): readonly Change[] {
    return [...this.keys()].flatMap((key) => this.#change(key, (state) => state.remove(dots)))
  }

  collectDots(into: DotSink): void {
    for (const { state } of this.#entries.values()) state.collectDots(into)
  }

  delta(operation: OrMapOperation<Key, Operation>, dot: Dot, fragment: this, seen: DotSet): void {
    seen.add(dot)
    if (operation.kind === 'remove') seen.addAll(operation.dots)
    else {
      const state = this.at(operation.key) ?? this.#type.create()
      fragment.#change(operation.key, (below) => {
        state.delta(operation.operation, dot, below, seen)
        return []
      })
    }
  }

  *cells(writers: WriterTable): Generator<Cell> {
    for (const { key, state } of this.#entries.values()) {
      const prefix = encode(this.#key.schema, key)
      for (const cell of state.cells(writers)) yield cellBelow(prefix, cell)
    }
  }

  touched(operation: OrMapOperation<Key, Operation>, dot: Dot, writers: WriterTable): readonly CellRange[] {
    const prefix = encode(this.#key.schema, operation.key)
    const state = this.at(operation.key)
    if (state !== undefined && operation.kind === 'update')
      return rangesBelow(prefix, state.touched(operation.operation, dot, writers))
    return [{ prefix, cells: Array.from(state?.cells(writers) ?? [], (cell) => cellBelow(prefix, cell)) }]
  }

  readCell(key: Reader, value: Reader, writers: WriterTable): void {
    const name = this.#key.schema.read(key)
    const id = this.#key.key(name)
    const entry = this.#entries.get(id) ?? { key: name, state: this.#type.create() }
    entry.state.readCell(key, value, writers)
    this.#entries.set(id, entry)
  }

  settle(): void {
    for (const { state } of this.#entries.values()) state.settle()
  }

  /** Runs `step` on the value of an entry, which is there for it and afterwards only if it holds anything. */
  #change(key: Key, step: (state: State) => readonly Change[]): readonly Change[] {
    const id = this.#key.key(key)
    const known = this.#entries.get(id)
    const entry = known ?? { key, state: this.#type.create() }
    const changes = changesBelow(key, step(entry.state))
    if (!entry.state.isEmpty) this.#entries.set(id, entry)
    else if (known !== undefined) {
      this.#entries.delete(id)
      return [...changes, { path: [], kind: 'removed', value: key }]
    }
    return changes
  }
}

/** A map from keys to values of `type`, which has to be removable: sets, registers, counters, maps, records of these. */
export function orMap<Key, State extends Crdt<Operation>, Operation>(
  key: ValueType<Key>,
  type: CrdtType<State, Operation>,
): CrdtType<OrMap<Key, State, Operation>, OrMapOperation<Key, Operation>> {
  assert(type.isRemovable, `an entry of a map can be removed, and a ${type.name} cannot`)
  return {
    name: `map of ${key.name} to ${type.name}`,
    isRemovable: true,
    prepares: ['update', 'delete'],
    create: () => new OrMap(key, type),
    operation: (writers) => operationSchema(key, type, writers),
    claim(operation, basis) {
      if (operation.kind === 'update') type.claim(operation.operation, basis)
      else basis.dots.addAll(operation.dots)
    },
  }
}

function operationSchema<Key, State extends Crdt<Operation>, Operation>(
  key: ValueType<Key>,
  type: CrdtType<State, Operation>,
  writers: WriterTable,
): Schema<OrMapOperation<Key, Operation>> {
  return choice({
    update: { number: 1, schema: struct({ key: key.schema, operation: type.operation(writers) }) },
    remove: { number: 2, schema: struct({ key: key.schema, dots: dotSet(writers) }) },
  }) as Schema<OrMapOperation<Key, Operation>>
}
