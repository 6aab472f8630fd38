import type { PlaitError } from '../base/error.ts'
import type { ClockView } from '../crdt/crdt-type.ts'
import type { View, ViewChange } from '../store/view.ts'
import type { Delivery } from './group-machine.ts'

/** What takes the operations of a group: the state of a replica, or the application. */
export interface Consumer {
  /** Tables of the view that are the consumer's: all that it knows. Emptied when all is delivered again. */
  readonly tables: readonly string[]
  /** Whether that is all that its operations have led to: then it can go on from the tables of somebody else. */
  readonly isRestorable: boolean
  /** Whether it carries everything out in `take`, and waits for nobody. */
  readonly isImmediate: boolean
  /** Goes on from what its tables have. Before anything is taken. */
  load(view: View): Promise<void>
  /**
   * Takes an operation, in causal order, in the turn in which it is delivered. `done` is to be called when it has been carried out, with
   * what changes in the view; at once or later, in any order. What is done is not delivered again after a restart. What throws is
   * set aside, and counts as done.
   */
  take(delivery: Delivery, done: (changes: readonly ViewChange[]) => void): void
  /** What is done goes into the view now; calls back what is returned when it is there. */
  committing(): () => void
  /** Whether there may be so much to forget that `prune` is worth its time. Absent: never. */
  readonly isPrunable?: boolean
  /**
   * Forgets what only operations can need that do not follow all that `stable` has: none of them will come. Called when all that was taken
   * is done; returns what changes in the view.
   */
  prune?(stable: ClockView): readonly ViewChange[]
  /** Everything taken so far is void: all that counts is delivered again. */
  reset(): void
  /** Whether no more should come for now. `Group` is told of its end by `relieved`. */
  readonly isFull: boolean
  /** The group is closed or has failed. */
  end(error: PlaitError): void
}
