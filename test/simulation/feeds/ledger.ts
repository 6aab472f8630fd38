import { bytesEqual } from '../../../src/base/bytes.ts'
import { formatFeedId, type FeedId } from '../../../src/feed/feed-id.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { simulatedIdentity } from '../../../src/identity/simulated.ts'
import { SeededRandom } from '../../../src/testing/index.ts'

/** Every block is a piece of this, with a number of its own in it. */
const pattern = new SeededRandom('blocks').bytes(1 << 18)

const identities: Identity[] = []

/** How a feed of a larger fork began: with blocks of another one. */
interface Beginning {
  readonly fork: number
  readonly length: number
}

/** What a writer has put into its feed, kept outside of the world to hold everything against it. */
export class Ledger {
  readonly identity: Identity
  readonly id: FeedId
  readonly name: string
  /** Acknowledged: what must be there whenever the feed is opened again. */
  fork = 0
  length = 0
  /** The furthest that anybody but the writer has heard of, by fork. */
  readonly heardByFork: Map<number, number> = new Map<number, number>()
  /** Its disk was put back, and it may have written before it knew: numbers may be given twice. */
  mayFork = false
  /** Its disk was put back: what nobody else had heard of may be lost. */
  isRestored = false
  /** The writer's disk has rotted: what nobody else has may be lost. */
  isRotten = false
  /** A call of `truncate` has not been answered. */
  isTruncating = false
  readonly #world: { violation(text: string): void }
  readonly #blocksByFork = new Map<number, Map<number, Uint8Array[]>>()
  readonly #beginningsByFork = new Map<number, Beginning[]>()
  /** Handed to `append`, and nobody knows yet whether and where they are. */
  readonly #loose: Set<Uint8Array> = new Set<Uint8Array>()
  #made = 0

  constructor(number: number, world: { violation(text: string): void }) {
    this.identity = identities[number] ??= simulatedIdentity(Uint8Array.of(77, number))
    this.id = formatFeedId({ name: this.identity.publicKey, isSealed: false })
    this.name = `feed ${number}`
    this.#world = world
  }

  /** Blocks that nobody has seen yet. */
  make(lengths: readonly number[]): Uint8Array[] {
    return lengths.map((length) => {
      this.#made += 1
      const block = drawn(this.#made, length)
      this.#loose.add(block)
      return block
    })
  }

  /** `append` has said that the blocks begin at a number. */
  acknowledge(fork: number, start: number, blocks: readonly Uint8Array[]): void {
    if (fork === this.fork && start < this.length && !this.isRestored)
      this.#world.violation(`${this.name} gave the number ${start} again: it had ${this.length}`)
    if (start < (this.heardByFork.get(fork) ?? 0) && !this.mayFork)
      this.#world.violation(`${this.name} gave the number ${start} that others have: ${this.heardByFork.get(fork)}`)
    blocks.forEach((block, index) => this.#settle(fork, start + index, block, 'is acknowledged'))
    this.fork = fork
    this.length = start + blocks.length
  }

  /** They were refused, for good: nobody may ever see them. */
  refuse(blocks: readonly Uint8Array[]): void {
    for (const block of blocks) this.#loose.delete(block)
  }

  /** `truncate` is called, on a feed of this fork: it may have caught up with what the writer had forgotten. */
  beginTruncate(fork: number, length: number): void {
    const beginnings = this.#beginningsByFork.get(fork + 1) ?? []
    // One that was not answered may have been carried out, too.
    if (!this.isRestored && !this.isTruncating) beginnings.length = 0
    this.isTruncating = true
    beginnings.push({ fork, length })
    this.#beginningsByFork.set(fork + 1, beginnings)
  }

  /** The writer opens its feed, and finds it like this. */
  reopened(fork: number, length: number): void {
    const isExcused = this.isRestored || this.isRotten
    if (fork !== this.fork && !(this.isTruncating && fork === this.fork + 1) && !isExcused)
      this.#world.violation(`${this.name} was at fork ${this.fork}, and is at ${fork}`)
    if (fork === this.fork && length < this.length && !isExcused)
      this.#world.violation(
        `${this.name} has ${length} blocks when it is opened again; ${this.length} were acknowledged`,
      )
    // What a failed sync has left unanswered may come to light when the store is opened again.
    this.isTruncating &&= fork === this.fork
    if (fork !== this.fork) this.#began(fork, length)
    this.fork = fork
    this.length = length
  }

  truncated(fork: number, length: number): void {
    this.#began(fork, length)
    this.isTruncating = false
    this.fork = fork
    this.length = length
  }

  /** Of the truncations that may have led to a fork it was one that left so many blocks, or fewer. */
  #began(fork: number, length: number): void {
    const beginnings = this.#beginningsByFork.get(fork)
    if (beginnings === undefined || this.isRestored) return
    this.#beginningsByFork.set(
      fork,
      beginnings.filter((beginning) => beginning.length <= length),
    )
  }

  /** Somebody has been given a block of this fork, or one of those between two. */
  check(where: string, forks: readonly [number, number], index: number, block: Uint8Array): void {
    for (let fork = forks[0]; fork <= forks[1]; fork += 1)
      if (this.#candidates(fork, index).some((candidate) => bytesEqual(candidate, block))) return
    for (const loose of this.#loose) {
      if (!bytesEqual(loose, block)) continue
      this.#settle(forks[1], index, loose, `is at ${where}`)
      return
    }
    this.#world.violation(`${where}: block ${index} of ${this.name}, fork ${forks[1]}, is none of its writer's`)
  }

  heard(fork: number, length: number): void {
    if (length > (this.heardByFork.get(fork) ?? 0)) this.heardByFork.set(fork, length)
  }

  #settle(fork: number, index: number, block: Uint8Array, what: string): void {
    // Those that are too short to be told from one another stay.
    if (block.length >= 4) this.#loose.delete(block)
    const candidates = this.#candidates(fork, index)
    if (candidates.some((candidate) => bytesEqual(candidate, block))) return
    if (candidates.length > 0 && !this.isRestored)
      this.#world.violation(`block ${index} of ${this.name}, fork ${fork}, ${what}, and was another one before`)
    let blocks = this.#blocksByFork.get(fork)
    if (blocks === undefined) this.#blocksByFork.set(fork, (blocks = new Map()))
    const own = blocks.get(index)
    if (own === undefined) blocks.set(index, [block])
    else own.push(block)
  }

  /** What a block may be: one, unless its writer was put back. */
  #candidates(fork: number, index: number): readonly Uint8Array[] {
    const own = this.#blocksByFork.get(fork)?.get(index)
    if (own !== undefined && !this.isRestored) return own
    const found = own === undefined ? [] : [...own]
    for (const beginning of this.#beginningsByFork.get(fork) ?? [])
      if (index < beginning.length) found.push(...this.#candidates(beginning.fork, index))
    return found
  }
}

/** A block that is like no other one of its length, as far as there is room for a number. */
export function drawn(number: number, length: number): Uint8Array {
  const from = (number * 7_919) % (pattern.length - length)
  const block = pattern.slice(from, from + length)
  for (let at = 0, rest = number; at < Math.min(4, length); at += 1, rest = Math.floor(rest / 256))
    block[at] = rest & 255
  return block
}
