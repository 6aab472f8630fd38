import { PlaitError } from '../base/error.ts'
import { encodeStanding } from '../crdt/causal-state.ts'
import type { CellRange } from '../crdt/cell.ts'
import { isFounded } from '../crdt/crdt-type.ts'
import type { Change, ClockView, Crdt, CrdtType } from '../crdt/crdt-type.ts'
import { keyFromWriter, writerFromKey } from '../crdt/dot.ts'
import { Writers } from '../crdt/writers.ts'
import type { WriterTable } from '../crdt/writers.ts'
import type { View, ViewChange } from '../store/view.ts'
import { Reader } from '../wire/reader.ts'
import { decode } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import type { Consumer } from './consumer.ts'
import type { Delivery } from './group-machine.ts'

const cellTable = 'cells'
const writerTable = 'writers'

/**
 * The state of a replica: in memory whole, and in the view by its cells, of which each operation writes those that it has touched. Writers
 * have their places in the view in the order in which they first occur there.
 */
export class ReplicaState<State extends Crdt<Operation>, Operation> implements Consumer {
  readonly tables: readonly string[] = [cellTable, writerTable]
  readonly isFull = false
  readonly isRestorable = true
  readonly isImmediate = true
  value: State
  readonly #type: CrdtType<State, Operation>
  readonly #changed: (delivery: Delivery, changes: readonly Change[]) => void
  #writers = new Writers([], { grows: true })
  /** How many of them the view has. */
  #writersKept = 0
  /** What is being published: it need not be read from its bytes. */
  #own: Operation | undefined
  readonly #schemas = new WeakMap<WriterTable, Schema<Operation>>()

  constructor(type: CrdtType<State, Operation>, changed: (delivery: Delivery, changes: readonly Change[]) => void) {
    this.#type = type
    this.#changed = changed
    this.value = type.create()
  }

  /** Takes what the view has; before anything else. Rejects with `CORRUPT` for what is no state of this type. */
  async load(view: View): Promise<void> {
    for (const { value } of await view.entries(writerTable)) this.#writers.add(writerFromKey(value))
    this.#writersKept = this.#writers.size
    try {
      for (const { key, value } of await view.entries(cellTable)) {
        const [keyReader, valueReader] = [new Reader(key), new Reader(value)]
        this.value.readCell(keyReader, valueReader, this.#writers)
        keyReader.finish()
        valueReader.finish()
      }
      this.value.settle()
    } catch (cause) {
      const message = `the view of this group is of another schema than ${this.#type.name}; open it with the one it was made with`
      throw new PlaitError('CORRUPT', message, { cause })
    }
  }

  /** How operations are written by a table; made once for each. */
  schemaFor(writers: WriterTable): Schema<Operation> {
    let schema = this.#schemas.get(writers)
    if (schema === undefined) this.#schemas.set(writers, (schema = this.#type.operation(writers)))
    return schema
  }

  /** Runs `write`, by which `operation` is delivered. */
  publishing<Result>(operation: Operation, write: () => Result): Result {
    this.#own = operation
    try {
      return write()
    } finally {
      this.#own = undefined
    }
  }

  take(delivery: Delivery, done: (changes: readonly ViewChange[]) => void): void {
    const { dot, body, writers } = delivery
    const operation = this.#own ?? decode(this.schemaFor(writers), body)
    const clock = { at: (writer: string) => delivery.clockAt(writer), total: () => delivery.clockTotal() }
    if (!isFounded(this.#type, operation, clock))
      throw new PlaitError('PROTOCOL', 'an operation that refers to what it does not follow', { traced: false })
    if (this.value.isTimely?.(operation, dot, clock) === false)
      throw new PlaitError('PROTOCOL', 'an operation that is said to be older than what it follows', { traced: false })
    const changes = this.value.apply(operation, dot)
    done(this.#cellChanges(this.value.touched(operation, dot, this.#writers)))
    this.#changed(delivery, changes)
  }

  committing(): () => void {
    return () => {}
  }

  get isPrunable(): boolean {
    return this.value.isPrunable === true
  }

  prune(stable: ClockView): readonly ViewChange[] {
    return this.#cellChanges(this.value.prune?.(stable, this.#writers) ?? [])
  }

  reset(): void {
    this.value = this.#type.create()
    this.#writers = new Writers([], { grows: true })
    this.#writersKept = 0
  }

  end(): void {}

  encode(): Uint8Array {
    return encodeStanding(this.value)
  }

  #cellChanges(ranges: readonly CellRange[]): readonly ViewChange[] {
    const changes: ViewChange[] = []
    for (const { prefix, cells } of ranges) {
      const [only] = cells
      const isOne = cells.length === 1 && only?.key.length === prefix.length
      // Nothing stands there any more, or what does takes the place of what did.
      if (!isOne) changes.push({ table: cellTable, key: prefix, value: undefined, isPrefix: true })
      for (const { key, value } of cells) changes.push({ table: cellTable, key, value })
    }
    for (; this.#writersKept < this.#writers.size; this.#writersKept += 1) {
      const value = keyFromWriter(this.#writers.at(this.#writersKept))
      changes.push({ table: writerTable, key: placeKey(this.#writersKept), value })
    }
    return changes
  }
}

/** Four bytes, most significant first: in the order of the places. */
function placeKey(place: number): Uint8Array {
  return Uint8Array.of(place >>> 24, place >>> 16, place >>> 8, place)
}
