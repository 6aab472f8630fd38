import { varintLength, writeVarint } from '../base/varint.ts'
import { keyFromWriter, writerFromKey } from '../crdt/dot.ts'
import type { Writer } from '../crdt/dot.ts'
import type { View, ViewChange } from '../store/view.ts'
import { Reader } from '../wire/reader.ts'
import { decode, encode } from '../wire/schema.ts'
import { groupState } from './group-state.ts'
import type { GroupState } from './group-state.ts'

/** How much of each feed has been carried out: the key of its writer, and a LEB128 number. */
const clockTable = 'clock'
/** What the machine knew when it had delivered no more than that. */
const stateTable = 'state'
const stateKey = new Uint8Array(0)

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

  /** Empties the consumer's tables and the clock, and puts a state in place of the one there is. */
  async rewind(tables: readonly string[], state: GroupState | undefined): Promise<void> {
    await this.idle()
    const changes: ViewChange[] = []
    for (const table of [...tables, clockTable, stateTable])
      for (const { key } of await this.view.entries(table)) changes.push({ table, key, value: undefined })
    await this.write(changes, [], state)
  }

  async idle(): Promise<void> {
    await this.#last.catch(() => {})
  }

  async close(): Promise<void> {
    await this.idle()
    await this.view.close()
  }
}
