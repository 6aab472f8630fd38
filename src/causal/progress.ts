import { Queue } from '../base/queue.ts'
import type { ViewChange } from '../store/view.ts'
import type { Row } from './order/history.ts'

/** One entry on its way to the view. */
export interface Step {
  readonly place: number
  readonly number: number
  /** Undefined until it is done. */
  changes: readonly ViewChange[] | undefined
}

const nothing: readonly ViewChange[] = []

/**
 * Which entries have been delivered, carried out, and are durable where they were written: as many from the beginning as are all of that
 * go into the view in one transaction, with how much of each feed they are.
 */
export class Progress {
  /** How much of each feed is in the view, or on its way there, by place. */
  readonly #row: number[]
  readonly #steps = new Queue<Step>()

  constructor(row: Row) {
    this.#row = [...row]
  }

  /** The view has so much of a feed, which has its place from now on. */
  begin(place: number, number: number): void {
    while (this.#row.length <= place) this.#row.push(0)
    this.#row[place] = number
  }

  /** Entries that are not in the view. */
  get waiting(): number {
    return this.#steps.length
  }

  /** Whether the view has an entry. */
  has(place: number, number: number): boolean {
    return number <= (this.#row[place] ?? 0)
  }

  /** The next entry that was delivered, which is nothing to carry out unless `step.changes` is set to undefined. */
  add(place: number, number: number): Step {
    const step: Step = { place, number, changes: nothing }
    this.#steps.push(step)
    return step
  }

  /** Takes what can go into the view: `isDurable` says whether an entry is safe where it was written. */
  take(isDurable: (step: Step) => boolean): Taken | undefined {
    const places = new Set<number>()
    const changes: ViewChange[] = []
    for (let step = this.#steps.peek(); step?.changes !== undefined && isDurable(step); step = this.#steps.peek()) {
      this.#steps.shift()
      while (this.#row.length <= step.place) this.#row.push(0)
      this.#row[step.place] = step.number
      places.add(step.place)
      changes.push(...step.changes)
    }
    if (places.size === 0) return undefined
    return { changes, numbers: Array.from(places, (place) => [place, this.#row[place] as number] as const) }
  }

  get total(): number {
    return this.#row.reduce((sum, number) => sum + number, 0)
  }
}

export interface Taken {
  readonly changes: readonly ViewChange[]
  /** Of each feed of which there is more: its place, and its last entry. */
  readonly numbers: readonly (readonly [place: number, number: number])[]
}
