import type { Reader } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import type { Cell, CellRange } from './cell.ts'
import type { Dot } from './dot.ts'
import { DotSet } from './dot-set.ts'
import type { DotSink } from './dot-set.ts'
import type { VectorClock } from './vector-clock.ts'
import type { WriterTable } from './writers.ts'

/**
 * The state of a replicated value. Methods that are named after a change prepare an operation: they change nothing, and give what is to
 * be written down, sent, and applied at every replica, this one among them, each under the dot under which it was written. Whoever
 * prepares the next operation of a writer has applied its last one.
 *
 * What is in a state is held by dots, those of the operations that put it there. An operation names the dots that it takes away, as
 * they were seen where it was prepared; what is not named stays. So operations that do not know of each other can be applied in either
 * order.
 */
export interface Crdt<Operation> {
  /** Whether nothing is held: a map has no entry with such a value. */
  readonly isEmpty: boolean

  /**
   * Takes an operation that was written under `dot`. It comes after those that it follows, and once: `CausalState` sees to the latter.
   * Costs no more than logarithmic time, unless it takes away much.
   */
  apply(operation: Operation, dot: Dot): readonly Change[]

  /**
   * Takes over what another state holds. `seen` is what this one has seen before that, `bothSeen` what the other one has seen of that.
   * The other one stays as it is, and shares nothing that changes. Costs the time to go through both; through the other one only, when
   * nothing was seen by both.
   */
  merge(other: this, seen: DotSet, bothSeen: DotSet): readonly Change[]

  /** Takes away what is held by these dots, and nothing else. */
  remove(dots: DotSet): readonly Change[]

  /** Adds the dots that hold anything to `into`. */
  collectDots(into: DotSink): void

  /**
   * Makes `fragment`, which is empty, the state that says what an operation has changed here, and adds what it has seen with that to
   * `seen`: the operation itself, and what it has taken away. The operation is the last one applied.
   */
  delta(operation: Operation, dot: Dot, fragment: this, seen: DotSet): void

  /** All of the state, in no order: see `Cell`. */
  cells(writers: WriterTable): Iterable<Cell>

  /** What can be seen of it: `cells` without what is kept only for operations that come late. Absent: all of them can be seen. */
  standing?(writers: WriterTable): Iterable<Cell>

  /**
   * Whether an operation, whose writer has seen `clock`, comes after that where operations are carried out in an order of their own.
   * Absent: there is no such order. Who delivers operations of others refuses one that does not, everywhere alike: `prune` relies on it.
   */
  isTimely?(operation: Operation, dot: Dot, clock: ClockView): boolean

  /** Whether so much can be forgotten perhaps that `prune` is worth its time. */
  readonly isPrunable?: boolean

  /**
   * Forgets what was kept for operations that come late: whatever comes from now on follows all that `stable` has. Returns the cells that
   * are gone.
   */
  prune?(stable: ClockView, writers: WriterTable): readonly CellRange[]

  /** The cells that an operation, the last one applied, may have changed. */
  touched(operation: Operation, dot: Dot, writers: WriterTable): readonly CellRange[]

  /** Takes one cell of a state, each of which comes once, in any order. Throws `PROTOCOL` or `LIMIT` for what no state has. */
  readCell(key: Reader, value: Reader, writers: WriterTable): void

  /** All cells have been read. */
  settle(): void
}

/** Makes states of one kind, and knows how their operations are written. */
export interface CrdtType<State extends Crdt<Operation>, Operation> {
  /** For messages. */
  readonly name: string
  /** Whether a map may hold such values: they are gone without a trace when `remove` has taken all of their dots. */
  readonly isRemovable: boolean
  /** The methods of a state that prepare operations. Where `takesWriter` is true, their last argument is who will write it. */
  readonly prepares: readonly string[]
  readonly takesWriter?: boolean
  create(): State
  operation(writers: WriterTable): Schema<Operation>
  /** Adds to `basis` what an operation says that its writer has seen. */
  claim(operation: Operation, basis: Basis): void
}

/** What the writer of an operation has seen, by its own account. */
export class Basis {
  /** Dots that the operation takes away or refers to. */
  readonly dots: DotSet = new DotSet()
  /** The highest Lamport time of it; 0 for none. */
  time: number = 0
}

/**
 * Whether an operation only names what came before it: `clock` is all that it follows. Who delivers operations of others refuses one
 * that does not, everywhere alike: what took effect at one replica and not yet at another one would part them.
 */
export function isFounded<State extends Crdt<Operation>, Operation>(
  type: CrdtType<State, Operation>,
  operation: Operation,
  clock: ClockView,
): boolean {
  const basis = new Basis()
  type.claim(operation, basis)
  // A Lamport time is one more than the highest one seen: more operations than that cannot have led to it.
  if (basis.time > clock.total() + 1) return false
  for (const writer of basis.dots.writers()) if ((basis.dots.runs(writer).at(-1) ?? 0) > clock.at(writer)) return false
  return true
}

/** What is asked of a clock. */
export type ClockView = Pick<VectorClock, 'at' | 'total'>

/** What an operation, or a merge, has changed at this replica. */
export interface Change {
  /** Where: the fields of records and keys of maps that lead there. */
  readonly path: readonly unknown[]
  readonly kind: string
  /** What was added, removed or written; the type says what. */
  readonly value?: unknown
}

/** The changes of what stands at `key`. */
export function changesBelow(key: unknown, changes: readonly Change[]): readonly Change[] {
  return changes.map((change) => ({ ...change, path: [key, ...change.path] }))
}
