/** State derived from a log: sorted tables of bytes, and the position up to which the log is in them. It can always be made again. */
export interface View {
  /** Below this position everything has been applied. Never ahead of what is synced in the log, since owners apply only that. */
  readonly cursor: number
  /** The value of a key; undefined when there is none. */
  read(table: string, key: Uint8Array): Promise<Uint8Array | undefined>
  /** Entries in the order of their keys' bytes, from `from` (included) to `to` (not included), `limit` at most. */
  entries(table: string, range?: ViewRange): Promise<ViewEntry[]>
  /** Makes the changes and moves the cursor, both or neither, also in a power cut. */
  transact(cursor: number, changes: readonly ViewChange[]): Promise<void>
  close(): Promise<void>
}

export interface ViewRange {
  readonly from?: Uint8Array
  readonly to?: Uint8Array
  readonly limit?: number
}

export interface ViewEntry {
  readonly key: Uint8Array
  readonly value: Uint8Array
}

export interface ViewChange {
  readonly table: string
  readonly key: Uint8Array
  /** None: the key is removed. */
  readonly value: Uint8Array | undefined
  /** All keys that begin with `key` are removed. */
  readonly isPrefix?: boolean
}

/** The first key behind all that begin with a prefix; undefined when there is none. */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  const last = prefix.findLastIndex((byte) => byte < 255)
  if (last < 0) return undefined
  const end = prefix.slice(0, last + 1)
  end[last] = (end[last] as number) + 1
  return end
}

/** What a view is derived from: with any other log or format it begins from nothing again, at cursor 0. */
export interface ViewSource {
  readonly logId: Uint8Array
  /** Of the log. A cursor beyond it is that of a log which is lost. */
  readonly logEnd: number
  /** Of the tables: another number whenever what is derived changes. */
  readonly format: number
}
