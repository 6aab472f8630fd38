import { PlaitError } from '../base/error.ts'
import { array, fixed } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { malformed } from '../wire/reader.ts'
import { bounds } from './bounds.ts'
import { keyFromWriter, writerBytes, writerFromKey } from './dot.ts'
import type { Writer } from './dot.ts'

/**
 * Numbers for writers, so that an encoding names each by a byte or two instead of 32. Both sides have to have the same: it stands in
 * front of what is encoded (`withWriters`), or it is known to both, as the members of a group are.
 */
export interface WriterTable {
  /** The place of a writer. Throws `INVALID_ARGUMENT` for one that has none. */
  indexOf(writer: Writer): number
  /** The writer at a place. Throws `PROTOCOL` for a place that nobody has. */
  at(index: number): Writer
}

/** A table in the order in which its writers were added. */
export class Writers implements WriterTable {
  readonly #writers: Writer[] = []
  readonly #indexes = new Map<Writer, number>()
  readonly #grows: boolean

  /** With `grows`, whoever is looked up and not there gets the next place. What is no writer is found out when it is written. */
  constructor(writers: Iterable<Writer> = [], options: { readonly grows?: boolean } = {}) {
    this.#grows = options.grows === true
    for (const writer of writers) this.add(writer)
  }

  get size(): number {
    return this.#writers.length
  }

  /** The place of a writer, the next one if it has none yet. */
  add(writer: Writer): number {
    const known = this.#indexes.get(writer)
    if (known !== undefined) return known
    const index = this.#writers.length
    if (index >= bounds.writers) throw new PlaitError('INVALID_ARGUMENT', `more than ${bounds.writers} writers`)
    this.#writers.push(writer)
    this.#indexes.set(writer, index)
    return index
  }

  has(writer: Writer): boolean {
    return this.#indexes.has(writer)
  }

  indexOf(writer: Writer): number {
    const index = this.#indexes.get(writer)
    if (index !== undefined) return index
    if (this.#grows) return this.add(writer)
    throw new PlaitError('INVALID_ARGUMENT', `the writer ${writer} is not in the table`)
  }

  at(index: number): Writer {
    const writer = this.#writers[index]
    if (writer === undefined) throw malformed(`writer ${index} of ${this.#writers.length}`)
    return writer
  }

  [Symbol.iterator](): Iterator<Writer> {
    return this.#writers[Symbol.iterator]()
  }
}

/** The keys of writers, in ascending order of the writers, each once. */
export const writerList: Schema<Writers> = {
  ...array(fixed(writerBytes), { max: bounds.writers }),
  measure: (writers) => keys.measure([...writers].map(keyFromWriter)),
  write: (writers, out, offset) => keys.write([...writers].map(keyFromWriter), out, offset),
  read(reader) {
    const writers = keys.read(reader).map(writerFromKey)
    for (let index = 1; index < writers.length; index += 1) {
      if ((writers[index - 1] as Writer) >= (writers[index] as Writer)) throw malformed('writers that are not in order')
    }
    return new Writers(writers)
  },
}

const keys = array(fixed(writerBytes), { max: bounds.writers })

/**
 * What is written with a table, behind that table: exactly the writers that occur, so that a value has one encoding whoever
 * encodes it.
 */
export function withWriters<Value>(schemaOf: (writers: WriterTable) => Schema<Value>): Schema<Value> {
  // Made once, for whichever table is in use: to make the schema of an operation anew costs more than to write one.
  const table = new TableInUse()
  const body = schemaOf(table)
  const writersOf = (value: Value): Writers => {
    const found = new Writers([], { grows: true })
    table.use(found, () => body.measure(value))
    return found.size > 1 ? sortedWriters(found) : found
  }
  return {
    bytesMin: 1 + body.bytesMin,
    openEnded: body.openEnded,
    measure(value) {
      const writers = writersOf(value)
      return writerList.measure(writers) + table.use(writers, () => body.measure(value))
    },
    write(value, out, offset) {
      const writers = writersOf(value)
      const start = writerList.write(writers, out, offset)
      return table.use(writers, () => body.write(value, out, start))
    },
    read(reader) {
      const writers = new ReadWriters(writerList.read(reader))
      const value = table.use(writers, () => body.read(reader))
      writers.finish()
      return value
    },
    describe: () => body.describe(),
  }
}

/** Stands for one table after the other. */
class TableInUse implements WriterTable {
  #table: WriterTable = new Writers()

  /** Stands for `table` while `step` runs, and afterwards for what it stood for before. */
  use<Result>(table: WriterTable, step: () => Result): Result {
    const before = this.#table
    this.#table = table
    try {
      return step()
    } finally {
      this.#table = before
    }
  }

  indexOf(writer: Writer): number {
    return this.#table.indexOf(writer)
  }

  at(index: number): Writer {
    return this.#table.at(index)
  }
}

export function sortedWriters(writers: Iterable<Writer>): Writers {
  return new Writers([...writers].sort())
}

/** A table that was read, and wants to be used: a writer that occurs nowhere would be a second encoding of the same. */
export class ReadWriters implements WriterTable {
  readonly #writers: Writers
  readonly #unused: Set<number>

  constructor(writers: Writers) {
    this.#writers = writers
    this.#unused = new Set(Array.from(writers, (_writer, index) => index))
  }

  indexOf(writer: Writer): number {
    return this.#writers.indexOf(writer)
  }

  at(index: number): Writer {
    this.#unused.delete(index)
    return this.#writers.at(index)
  }

  /** Throws `PROTOCOL` when one was not asked for. */
  finish(): void {
    if (this.#unused.size > 0) throw malformed(`${this.#unused.size} writers that occur nowhere`)
  }
}
