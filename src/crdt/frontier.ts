import { includesDot, withDot } from './dot-list.ts'
import type { DotList } from './dot-list.ts'
import type { Dot } from './dot.ts'

/**
 * The operations that a state has seen and nothing that it has seen follows. One dot when all wrote in turn, at most one for each
 * writer. An operation that carries the frontier of the state in which it was prepared says with it all that came before: `dotList` is
 * how it is written.
 */
export class Frontier {
  #dots: DotList

  constructor(dots: DotList = []) {
    this.#dots = dots
  }

  get dots(): DotList {
    return this.#dots
  }

  /** An operation has been delivered, in causal order, that carries the frontier `follows`. */
  deliver(dot: Dot, follows: DotList): void {
    // All of `follows` is here or has been followed before: causal order. What it implies beyond itself is here no longer either.
    this.#dots = withDot(
      this.#dots.filter((other) => !includesDot(follows, other)),
      dot,
    )
  }
}
