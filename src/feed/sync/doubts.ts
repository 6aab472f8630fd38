import { Bitmap } from '../bitmap.ts'
import { lengthMax } from '../numbering.ts'
import type { Runs } from '../runs.ts'

/** For how long a peer is not believed, at first, and at most. */
export const doubtMs = { first: 5_000, longest: 160_000 } as const

/**
 * Blocks that a peer has said to have and then could not give. After a while it is believed again, each time after a longer one: what kept
 * it from giving them, a damaged node of a tree for one, may have been mended, and nobody says so.
 */
export class Doubts {
  readonly #blocks = new Bitmap()
  #pauseMs: number = doubtMs.first
  #untilMs = Infinity

  get any(): boolean {
    return this.#blocks.count > 0
  }

  note(runs: Runs, now: number): void {
    for (let at = 0; at < runs.length; at += 2) this.#blocks.add(runs[at] as number, runs[at + 1] as number)
    this.#untilMs = now + this.#pauseMs
    this.#pauseMs = Math.min(doubtMs.longest, 2 * this.#pauseMs)
  }

  /** It has said something else of them since. */
  forget(start: number, end: number): void {
    this.#blocks.remove(start, end)
  }

  /** Those that are believed again from now on. */
  due(now: number): Runs {
    if (!this.any || now < this.#untilMs) return []
    const runs = this.#blocks.runs(0, lengthMax, Infinity)
    this.#blocks.clear()
    return runs
  }
}
