import { Waiters } from '../base/waiters.ts'
import type { Writer } from '../crdt/dot.ts'

/**
 * What the view has had when it was opened. It is gone through by itself before anything that comes after it: what counts among so many
 * entries is the same again then, and what comes later and makes some of it void is noticed.
 */
export class Replay {
  /** How much of each feed the view has had. */
  readonly clock: ReadonlyMap<Writer, number>
  readonly #behind = new Set<Writer>()
  readonly #over = new Waiters()

  /** `delivered`: how much of a feed need not be gone through. */
  constructor(clock: ReadonlyMap<Writer, number> = new Map(), delivered: (writer: Writer) => number = () => 0) {
    this.clock = clock
    for (const [writer, number] of clock) if (delivered(writer) < number) this.#behind.add(writer)
  }

  /** Whether an entry has its turn. */
  mayTake(writer: Writer, number: number): boolean {
    return this.#behind.size === 0 || number <= (this.clock.get(writer) ?? 0)
  }

  /** An entry was delivered. */
  note(writer: Writer, number: number): void {
    if (this.#behind.size === 0 || number !== this.clock.get(writer)) return
    this.#behind.delete(writer)
    if (this.#behind.size === 0) this.#over.wake()
  }

  /** Resolves when all of it has been delivered. */
  async over(signal: AbortSignal): Promise<void> {
    while (this.#behind.size > 0) await this.#over.wait(signal)
  }
}
