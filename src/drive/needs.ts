import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { Want } from './want.ts'

/** A file to fetch. */
export interface Need extends Want {
  /** As listed; the real one comes with the content. */
  readonly size: number
}

/** The files that are still to be asked for: filled by the listing, emptied by the lanes. */
export class Needs {
  readonly #queue = new Queue<Need>()
  readonly #more = new Waiters()
  readonly #room = new Waiters()
  #finished = false

  get length(): number {
    return this.#queue.length
  }

  /** Nothing is here, and nothing will be added any more. */
  get over(): boolean {
    return this.#finished && this.#queue.length === 0
  }

  add(need: Need): void {
    this.#queue.push(need)
    if (this.#more.any) this.#more.wake()
  }

  /** The next file. */
  take(): Need | undefined {
    if (this.#room.any) this.#room.wake()
    return this.#queue.shift()
  }

  /** All has been added. */
  finish(): void {
    this.#finished = true
    this.#more.wake()
  }

  /** Resolves when something has been added, or all has been. */
  more(signal: AbortSignal): Promise<void> {
    return this.#more.wait(signal)
  }

  /** Resolves when something has been taken. */
  room(signal: AbortSignal): Promise<void> {
    return this.#room.wait(signal)
  }
}
