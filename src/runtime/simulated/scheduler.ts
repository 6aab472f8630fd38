import { assert } from '../../base/assert.ts'
import type { Timer } from '../timers.ts'

/** What a group of events belongs to, one process for example; when it has ended none of them happens any more. */
export interface Scope {
  ended: boolean
}

/** Cancelled entries are left in the heap until they come up, or until there are this many and they are the majority. */
const sweepFrom = 1_024

/** So many events in one instant are a loop that never lets time pass. */
const instantEventsMax = 1_000_000

/**
 * Virtual time: a binary heap of events by (time, order of scheduling). Time jumps from event to event; nothing ever waits. All
 * events of one instant run in one `step`, and whoever drives it lets promises go on between two steps.
 */
export class Scheduler {
  #now = 0
  #sequence = 0
  #fired = 0
  #cancelled = 0
  readonly #sweep = (): void => this.#countCancelled()
  #heap: Entry[] = []
  #endOfTurn: Entry[] = []

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.#now
  }

  /** Events that have happened. */
  get fired(): number {
    return this.#fired
  }

  /** Events that are still to come; those that were cancelled or whose scope has ended do not count. Linear. */
  get waiting(): number {
    return [...this.#heap, ...this.#endOfTurn].filter(({ isCancelled, scope }) => !isCancelled && scope?.ended !== true)
      .length
  }

  /** Calls `run` at `timeMs`, or at once (after what is scheduled for now) when that has passed. */
  at(timeMs: number, run: () => void, scope?: Scope): Timer {
    assert(!Number.isNaN(timeMs), 'an event needs a time')
    const entry = new Entry(Math.max(timeMs, this.#now), (this.#sequence += 1), run, scope, this.#sweep)
    push(this.#heap, entry)
    return entry
  }

  /** Calls `run` when the events of this instant have happened and their promises have gone on. */
  endOfTurn(run: () => void, scope?: Scope): void {
    this.#endOfTurn.push(new Entry(this.#now, 0, run, scope, this.#sweep))
  }

  /**
   * Runs what is due next: the ends of turns if there are any, else all events of the next instant that is not after `untilMs`.
   * Without one the time becomes `untilMs` (if finite) and the answer is false.
   */
  step(untilMs: number): boolean {
    if (this.#endOfTurn.length > 0) {
      const turns = this.#endOfTurn
      this.#endOfTurn = []
      for (const entry of turns) this.#fire(entry)
      return true
    }
    const first = this.#peek()
    if (first === undefined || first.time > untilMs) {
      if (Number.isFinite(untilMs)) this.#now = Math.max(this.#now, untilMs)
      return false
    }
    this.#now = first.time
    let events = 0
    for (let next = this.#peek(); next !== undefined && next.time === this.#now; next = this.#peek()) {
      pop(this.#heap)
      this.#fire(next)
      events += 1
      if (events >= instantEventsMax) throw new RangeError(`${events} events at ${this.#now} ms: time stands still`)
    }
    return true
  }

  #fire(entry: Entry): void {
    if (entry.scope?.ended === true) return
    const run = entry.take()
    if (run === undefined) return
    this.#fired += 1
    run()
  }

  /** The next entry that has not been cancelled. */
  #peek(): Entry | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      if (!first.isCancelled && first.scope?.ended !== true) return first
      if (first.isCancelled) this.#cancelled -= 1
      pop(this.#heap)
    }
    return undefined
  }

  #countCancelled(): void {
    this.#cancelled += 1
    if (this.#cancelled < sweepFrom || this.#cancelled * 2 < this.#heap.length) return
    const live = this.#heap.filter((entry) => !entry.isCancelled && entry.scope?.ended !== true)
    this.#heap = live.sort((left, right) => (isBefore(left, right) ? -1 : 1))
    this.#cancelled = 0
  }
}

class Entry implements Timer {
  readonly time: number
  readonly sequence: number
  readonly scope: Scope | undefined
  isCancelled = false
  #run: (() => void) | undefined
  readonly #onCancel: () => void

  constructor(time: number, sequence: number, run: () => void, scope: Scope | undefined, onCancel: () => void) {
    this.time = time
    this.sequence = sequence
    this.#run = run
    this.scope = scope
    this.#onCancel = onCancel
  }

  cancel(): void {
    if (this.#run === undefined) return
    this.#run = undefined
    this.isCancelled = true
    this.#onCancel()
  }

  /** What is to be run; only once. */
  take(): (() => void) | undefined {
    const run = this.#run
    this.#run = undefined
    return run
  }
}

function isBefore(left: Entry, right: Entry): boolean {
  return left.time < right.time || (left.time === right.time && left.sequence < right.sequence)
}

function push(heap: Entry[], entry: Entry): void {
  let index = heap.length
  heap.push(entry)
  while (index > 0) {
    const parentIndex = (index - 1) >>> 1
    const parent = heap[parentIndex] as Entry
    if (isBefore(parent, entry)) break
    heap[index] = parent
    index = parentIndex
  }
  heap[index] = entry
}

/** Removes the first entry. */
function pop(heap: Entry[]): void {
  const last = heap.pop()
  if (last === undefined || heap.length === 0) return
  let index = 0
  for (;;) {
    let childIndex = index * 2 + 1
    if (childIndex >= heap.length) break
    if (childIndex + 1 < heap.length && isBefore(heap[childIndex + 1] as Entry, heap[childIndex] as Entry))
      childIndex += 1
    const child = heap[childIndex] as Entry
    if (isBefore(last, child)) break
    heap[index] = child
    index = childIndex
  }
  heap[index] = last
}
