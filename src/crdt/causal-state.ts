import { concatBytes } from '../base/bytes.ts'
import { malformed, Reader } from '../wire/reader.ts'
import { decode, encode } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { compareBytes } from './cell.ts'
import type { Cell } from './cell.ts'
import { CellBuffer } from './cell-buffer.ts'
import type { Change, Crdt, CrdtType } from './crdt-type.ts'
import type { Dot, Writer } from './dot.ts'
import { DotSet, dotSet } from './dot-set.ts'
import { DottedClock } from './dotted-clock.ts'
import { ReadWriters, sortedWriters, withWriters, writerList, Writers } from './writers.ts'
import type { WriterTable } from './writers.ts'

/**
 * A replicated value together with what it has seen. Operations can be applied to it, and it can be merged with another one of its
 * type, in any mixture: what two have seen alike, they hold alike.
 */
export class CausalState<State extends Crdt<Operation>, Operation> {
  readonly type: CrdtType<State, Operation>
  readonly value: State
  readonly seen: DottedClock = new DottedClock()

  constructor(type: CrdtType<State, Operation>) {
    this.type = type
    this.value = type.create()
  }

  /** The state in `bytes`, as `encode` wrote it. Throws `PROTOCOL` or `LIMIT`. The bytes stay the caller's. */
  static decode<State extends Crdt<Operation>, Operation>(
    type: CrdtType<State, Operation>,
    bytes: Uint8Array,
  ): CausalState<State, Operation> {
    const schema: Schema<CausalState<State, Operation>> = { ...unwritten, read: (reader) => readState(type, reader) }
    return decode(schema, bytes)
  }

  /**
   * Takes an operation that was written under `dot`, after all that it follows. One that has been seen changes nothing, however old
   * it is. Returns what has changed.
   */
  apply(operation: Operation, dot: Dot): readonly Change[] {
    return this.seen.add(dot) ? this.value.apply(operation, dot) : []
  }

  /** An operation that concerns something else has been seen. Without this, what is seen has a gap there for ever. */
  skip(dot: Dot): void {
    this.seen.add(dot)
  }

  /** Takes over what another state, or a delta, holds and has seen. In any order, any number of times. Returns what has changed. */
  merge(other: CausalState<State, Operation>): readonly Change[] {
    const changes = this.value.merge(other.value, this.seen, other.seen.intersection(this.seen))
    this.seen.addAll(other.seen)
    return changes
  }

  /**
   * What an operation, the last one applied, has changed, as a small state: to merge it does what to apply the operation does, and
   * deltas that were merged into each other can be sent as one.
   */
  delta(operation: Operation, dot: Dot): CausalState<State, Operation> {
    const delta = new CausalState(this.type)
    const named = new DotSet()
    this.value.delta(operation, dot, delta.value, named)
    // An operation may name what was never there: nobody is to believe that it has been seen.
    delta.seen.addAll(named.intersection(this.seen))
    return delta
  }

  /** One encoding for equal states, whatever has led to them: the writers, what was seen, and the cells in the order of their keys. */
  encode(): Uint8Array {
    const { writers, cells } = encodedCells((table) => this.value.cells(table), this.seen.writers())
    return concatBytes([encode(writerList, writers), encode(dotSet(writers), this.seen), cells])
  }

  /** Equal for equal states. `digest` is a cryptographic hash, SHA-256 for one. */
  hash(digest: (bytes: Uint8Array) => Uint8Array): Uint8Array {
    return digest(this.encode())
  }
}

/**
 * What can be seen of a value, without what it has seen: one encoding for values that hold the same by the same operations, whatever
 * they have forgotten.
 */
export function encodeStanding<Operation>(value: Crdt<Operation>): Uint8Array {
  const { writers, cells } = encodedCells((writers) => value.standing?.(writers) ?? value.cells(writers), [])
  return concatBytes([encode(writerList, writers), cells])
}

/** The cells as they are written, and the writers that occur in them, in order, besides those that are given. */
function encodedCells(
  cellsBy: (writers: WriterTable) => Iterable<Cell>,
  seen: Iterable<Writer>,
): { readonly writers: Writers; readonly cells: Uint8Array } {
  let writers = new Writers([...seen].sort(), { grows: true })
  const count = writers.size
  let cells = buffered(cellsBy(writers))
  if (writers.size > count) {
    // Something refers to what was not seen, as deltas do: now all writers are known, and have their places.
    writers = sortedWriters(writers)
    cells = buffered(cellsBy(writers))
  }
  return { writers, cells: cells.encode() }
}

function buffered(cells: Iterable<Cell>): CellBuffer {
  const buffer = new CellBuffer()
  for (const cell of cells) buffer.add(cell)
  return buffer
}

/**
 * An operation with the keys of the writers that occur in it, where there is no table that both sides know. Throws `INVALID_ARGUMENT`
 * for one that was not prepared by its type.
 */
export function encodeOperation<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  operation: Operation,
): Uint8Array {
  return encode(standalone(type), operation)
}

/** The operation in `bytes`. Throws `PROTOCOL` or `LIMIT`, with the `field` at which it stopped. */
export function decodeOperation<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  bytes: Uint8Array,
): Operation {
  return decode(standalone(type), bytes)
}

function standalone<State extends Crdt<Operation>, Operation>(type: CrdtType<State, Operation>): Schema<Operation> {
  const made = standaloneByType.get(type) as Schema<Operation> | undefined
  if (made !== undefined) return made
  const schema = withWriters((writers) => type.operation(writers))
  standaloneByType.set(type, schema)
  return schema
}

/** Of each type the one schema: to make it takes longer than to write an operation. */
const standaloneByType = new WeakMap<object, unknown>()

function readState<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  reader: Reader,
): CausalState<State, Operation> {
  const writers = new ReadWriters(writerList.read(reader))
  const state = new CausalState(type)
  state.seen.addAll(dotSet(writers).read(reader))
  const count = reader.varint()
  if (count * 2 > reader.remaining) throw malformed(`${count} cells in ${reader.remaining} bytes`)
  let before: Uint8Array = new Uint8Array(0)
  for (let index = 0; index < count; index += 1) {
    const key = reader.bytes(reader.length(reader.remaining))
    if (index > 0 && compareBytes(before, key) >= 0) throw malformed('cells that are not in order')
    const value = reader.bytes(reader.length(reader.remaining))
    const [keyReader, valueReader] = [new Reader(key), new Reader(value)]
    state.value.readCell(keyReader, valueReader, writers)
    keyReader.finish()
    valueReader.finish()
    before = key
  }
  state.value.settle()
  writers.finish()
  state.value.collectDots({
    add(dot) {
      if (!state.seen.has(dot)) throw malformed('something held by a dot that was not seen')
    },
  })
  return state
}

/** What a schema needs beside reading; states are written otherwise. */
const unwritten = {
  bytesMin: 1,
  openEnded: false,
  measure: () => 0,
  write: (_value: unknown, _out: Uint8Array, offset: number) => offset,
  describe: () => ({ type: 'state', bound: '' }),
} as const
