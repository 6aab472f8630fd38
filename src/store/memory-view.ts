import { encodeHex } from '../base/bytes.ts'
import type { View, ViewChange, ViewEntry, ViewRange } from './view.ts'

/** A view in memory, for simulations: it begins from nothing each time it is made, as one does whose file is lost. */
export class MemoryView implements View {
  cursor = 0
  readonly #entriesByTable = new Map<string, Map<string, ViewEntry>>()

  async read(table: string, key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#entriesByTable.get(table)?.get(encodeHex(key))?.value.slice()
  }

  async entries(table: string, { from, to, limit }: ViewRange = {}): Promise<ViewEntry[]> {
    // Hexadecimal has the order of the bytes.
    const low = from === undefined ? '' : encodeHex(from)
    const high = to === undefined ? undefined : encodeHex(to)
    return [...(this.#entriesByTable.get(table) ?? [])]
      .filter(([key]) => key >= low && (high === undefined || key < high))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .slice(0, limit)
      .map(([, { key, value }]) => ({ key: key.slice(), value: value.slice() }))
  }

  async transact(cursor: number, changes: readonly ViewChange[]): Promise<void> {
    for (const { table, key, value, isPrefix } of changes) {
      let entries = this.#entriesByTable.get(table)
      if (entries === undefined) this.#entriesByTable.set(table, (entries = new Map()))
      if (isPrefix === true) {
        const prefix = encodeHex(key)
        for (const one of entries.keys()) if (one.startsWith(prefix)) entries.delete(one)
      } else if (value === undefined) entries.delete(encodeHex(key))
      else entries.set(encodeHex(key), { key: key.slice(), value: value.slice() })
    }
    this.cursor = cursor
  }

  async close(): Promise<void> {}
}
