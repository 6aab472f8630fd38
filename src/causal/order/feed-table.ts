import { PlaitError } from '../../base/error.ts'
import { bounds } from '../../crdt/bounds.ts'
import type { Writer } from '../../crdt/dot.ts'
import type { WriterTable } from '../../crdt/writers.ts'
import { beyond, malformed } from '../../wire/reader.ts'

/**
 * Short names for the writers that one feed mentions: the feed's own writer first, the others in the order in which its entries mention
 * them. An entry writes the key of a writer once, and its place from then on; whoever has read the feed up to there has the same table.
 *
 * While an entry is written or read the table takes whoever is not in it (`begin`), and keeps them when that went well (`keep`).
 */
export class FeedTable implements WriterTable {
  readonly #writers: Writer[]
  readonly #places = new Map<Writer, number>()
  /** How many it had when an entry was begun. */
  #kept: number
  #isOpen = false

  constructor(own: Writer, mentioned: Iterable<Writer> = []) {
    this.#writers = [own, ...mentioned]
    this.#kept = this.#writers.length
    for (const [place, writer] of this.#writers.entries()) this.#places.set(writer, place)
  }

  get own(): Writer {
    return this.at(0)
  }

  /** Its own writer and those that were mentioned. */
  get size(): number {
    return this.#writers.length
  }

  /** Those that were mentioned, in order, as long as the table had `size` writers. */
  mentioned(size: number): readonly Writer[] {
    return this.#writers.slice(1, size)
  }

  /** Those that are new in the entry that is being written or read. */
  get added(): readonly Writer[] {
    return this.#writers.length === this.#kept ? nobody : this.#writers.slice(this.#kept)
  }

  has(writer: Writer): boolean {
    return this.#places.has(writer)
  }

  indexOf(writer: Writer): number {
    const place = this.#places.get(writer)
    if (place !== undefined) return place
    if (!this.#isOpen) throw new PlaitError('INVALID_ARGUMENT', `the writer ${writer} is not in the table`)
    return this.mention(writer)
  }

  at(index: number): Writer {
    const writer = this.#writers[index]
    if (writer === undefined) throw malformed(`writer ${index} of ${this.#writers.length}`)
    return writer
  }

  /** From now on whoever is looked up and not there gets the next place. */
  begin(): void {
    this.#isOpen = true
  }

  mention(writer: Writer): number {
    if (this.#writers.length >= bounds.writers) throw beyond(bounds.writers + 1, bounds.writers)
    this.#places.set(writer, this.#writers.length)
    return this.#writers.push(writer) - 1
  }

  /** Those that are new stay. */
  keep(): void {
    this.#isOpen = false
    this.#kept = this.#writers.length
  }

  /** Those that are new were never there. */
  forget(): void {
    this.#isOpen = false
    for (const writer of this.#writers.splice(this.#kept)) this.#places.delete(writer)
  }
}

const nobody: readonly Writer[] = []
