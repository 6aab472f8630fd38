import { bytesEqual } from '../../../src/base/bytes.ts'
import type { FeedId } from '../../../src/feed/feed-id.ts'
import { drawn } from './ledger.ts'
import type { Subject } from './life.ts'

/** Blocks that are sealed, and what they must be wherever they are. */
export class SealedLedger implements Subject {
  readonly name: string
  readonly blocks: readonly Uint8Array[]
  readonly mayFork = false
  /** What `seal` has resolved to. */
  sealed: FeedId | undefined
  readonly #world: { violation(text: string): void }

  constructor(number: number, lengths: readonly number[], world: { violation(text: string): void }) {
    this.name = `sealed ${number}`
    this.#world = world
    this.blocks = lengths.map((length, index) => drawn(number * 10_000 + index, length))
  }

  get id(): FeedId {
    if (this.sealed === undefined) throw new Error('it is not sealed yet')
    return this.sealed
  }

  check(where: string, _forks: readonly [number, number], index: number, block: Uint8Array): void {
    const right = this.blocks[index]
    if (right === undefined || !bytesEqual(right, block))
      this.#world.violation(`${where}: block ${index} of ${this.name} is another one`)
  }

  heard(fork: number, length: number): void {
    if (fork !== 0 || length !== this.blocks.length)
      this.#world.violation(`${this.name} has ${length} blocks, fork ${fork}, somewhere`)
  }
}
