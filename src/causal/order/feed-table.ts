import { bounds } from '../../crdt/bounds.ts'
import type { Writer } from '../../crdt/dot.ts'
import { Writers } from '../../crdt/writers.ts'
import type { WriterTable } from '../../crdt/writers.ts'

/**
 * Short names for the writers that one feed mentions: the feed's own writer first, the others in the order in which its entries mention
 * them. An entry writes the key of a writer once, and its place from then on; whoever has read the feed up to there has the same table.
 */
export class FeedTable implements WriterTable {
  readonly #writers: Writers

  constructor(own: Writer, mentioned: Iterable<Writer> = []) {
    this.#writers = new Writers([own, ...mentioned])
  }

  get own(): Writer {
    return this.#writers.at(0)
  }

  /** Its own writer and those that were mentioned. */
  get size(): number {
    return this.#writers.size
  }

  /** Those that were mentioned, in order, as long as the table had `size` writers. */
  mentioned(size: number): readonly Writer[] {
    return [...this.#writers].slice(1, size)
  }

  /** How many more can be mentioned. */
  get room(): number {
    return bounds.writers - this.#writers.size
  }

  indexOf(writer: Writer): number {
    return this.#writers.indexOf(writer)
  }

  at(index: number): Writer {
    return this.#writers.at(index)
  }

  has(writer: Writer): boolean {
    return this.#writers.has(writer)
  }

  mention(writers: Iterable<Writer>): void {
    for (const writer of writers) this.#writers.add(writer)
  }

  /** The table as it will be with whoever is looked up in it and not there yet. */
  draft(): FeedTableDraft {
    return new FeedTableDraft(this)
  }
}

/** A table that notes who was not in it; it becomes the table by `FeedTable.mention`. */
export class FeedTableDraft implements WriterTable {
  readonly added: Writers = new Writers([], { grows: true })
  readonly #table: FeedTable
  readonly #size: number

  constructor(table: FeedTable) {
    this.#table = table
    this.#size = table.size
  }

  indexOf(writer: Writer): number {
    return this.#table.has(writer) ? this.#table.indexOf(writer) : this.#size + this.added.indexOf(writer)
  }

  at(index: number): Writer {
    return index < this.#size ? this.#table.at(index) : this.added.at(index - this.#size)
  }
}
