import { concatBytes } from '../base/bytes.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { keyFromWriter, writerFromKey } from '../crdt/dot.ts'
import type { Writer } from '../crdt/dot.ts'
import type { View, ViewChange, ViewEntry } from '../store/view.ts'
import { Reader } from '../wire/reader.ts'
import { decode, encode } from '../wire/schema.ts'
import { groupState } from './group-state.ts'
import type { GroupState } from './group-state.ts'
import type { GroupBase } from './snapshot-feed.ts'

/** How much of each feed has been carried out: the key of its writer, and a LEB128 number. */
const clockTable = 'clock'
/** What the machine knew when it had delivered no more than that. */
const stateTable = 'state'
const stateKey = new Uint8Array(0)

const pageEntries = 1_024

/** Some entries of a table, in order. */
export interface Page {
  readonly table: string
  readonly entries: readonly ViewEntry[]
}

/** How much of each feed a state is of. */
export function clockOf({ writers, feeds }: GroupState): readonly (readonly [Writer, number])[] {
  return feeds.flatMap(({ delivered }, place) =>
    delivered === 0 ? [] : [[writerFromKey(writers[place] as Uint8Array), delivered] as const],
  )
}

/** What a group keeps in its view beside what is its consumer's. */
export class GroupView {
  readonly view: View
  /** Transactions go one after the other. */
  #last: Promise<void> = Promise.resolve()

  constructor(view: View) {
    this.view = view
  }

  /** How much of each feed has been carried out. */
  async clock(): Promise<Map<Writer, number>> {
    const entries = await this.view.entries(clockTable)
    return new Map(entries.map(({ key, value }) => [writerFromKey(key), new Reader(value).varint()]))
  }

  async state(): Promise<GroupState | undefined> {
    const bytes = await this.view.read(stateTable, stateKey)
    return bytes === undefined ? undefined : decode(groupState, bytes)
  }

  /** Rejects with what the view fails with. Nothing after it is written then. */
  write(changes: readonly ViewChange[], clock: Iterable<readonly [Writer, number]>, state?: GroupState): Promise<void> {
    const all = [...changes]
    for (const [writer, number] of clock) {
      const value = new Uint8Array(varintLength(number))
      writeVarint(value, 0, number)
      all.push({ table: clockTable, key: keyFromWriter(writer), value })
    }
    if (state !== undefined) all.push({ table: stateTable, key: stateKey, value: encode(groupState, state) })
    this.#last = this.#last.then(() => this.view.transact(this.view.cursor + 1, all))
    return this.#last
  }

  /**
   * Empties the consumer's tables and the clock, and puts a state in place of the one there is, with how much of each feed it is of, and
   * what was carried out of that.
   */
  async rewind(tables: readonly string[], state: GroupState | undefined, base?: GroupBase): Promise<void> {
    await this.idle()
    const everything = new Uint8Array(0)
    const changes: ViewChange[] = [...tables, clockTable, stateTable].map((table) => ({
      ...{ table, key: everything, value: undefined, isPrefix: true },
    }))
    for await (const rows of base?.rows ?? []) for (const row of rows) if (tables.includes(row.table)) changes.push(row)
    await this.write(changes, base === undefined || state === undefined ? [] : clockOf(state), state)
  }

  /** The tables as they are when all that was written before this is in them; what is written after it waits until they are read. */
  pages(tables: readonly string[], nextTurn: () => Promise<void>): AsyncIterable<Page> {
    let release = (): void => {}
    const before = this.#last
    this.#last = new Promise((resolve) => {
      release = resolve
    })
    return this.#read(tables, nextTurn, before, release)
  }

  async *#read(
    tables: readonly string[],
    nextTurn: () => Promise<void>,
    before: Promise<void>,
    release: () => void,
  ): AsyncGenerator<Page> {
    try {
      await before
      for (const table of tables) {
        let from: Uint8Array | undefined
        for (;;) {
          const entries = await this.view.entries(table, { ...(from && { from }), limit: pageEntries })
          if (entries.length > 0) yield { table, entries }
          const last = entries.at(-1)
          if (entries.length < pageEntries || last === undefined) break
          from = concatBytes([last.key, Uint8Array.of(0)])
          await nextTurn()
        }
      }
    } finally {
      release()
    }
  }

  async idle(): Promise<void> {
    await this.#last.catch(() => {})
  }

  async close(): Promise<void> {
    await this.idle()
    await this.view.close()
  }
}
