import { concatBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Feed, Feeds } from '../feed/feed-api.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { ViewChange, ViewEntry } from '../store/view.ts'
import { malformed } from '../wire/reader.ts'
import { array, bytes, decode, encode, struct, text, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { groupState } from './group-state.ts'
import type { GroupState } from './group-state.ts'

/** What a group was when its machine had come so far: a sealed feed, so that any member can serve it and nobody can forge it. */
export interface GroupBase {
  readonly state: GroupState
  /** The consumer's tables. */
  readonly rows: AsyncIterable<readonly ViewChange[]>
}

interface Head {
  readonly version: number
  /** Blocks of the state; rows are in all that follow. */
  readonly stateBlocks: number
}

interface Rows {
  readonly table: string
  readonly entries: readonly ViewEntry[]
}

const version = 1
const blockBytes = 256 * 1024
const valueMax = 1024 * 1024

const headSchema: Schema<Head> = struct({ version: varint, stateBlocks: varint })
const rowsSchema: Schema<Rows> = struct({
  table: text({ max: 64 }),
  entries: array(struct({ key: bytes({ max: valueMax }), value: bytes({ max: valueMax }) }), { max: valueMax }),
})

/** The blocks of a snapshot. `pages`: the entries of each table, some at a time. */
export async function* snapshotBlocks(
  state: GroupState,
  pages: AsyncIterable<Rows> | Iterable<Rows>,
): AsyncGenerator<Uint8Array> {
  const whole = encode(groupState, state)
  const stateBlocks = Math.ceil(whole.length / blockBytes)
  yield encode(headSchema, { version, stateBlocks })
  for (let at = 0; at < stateBlocks; at += 1) yield whole.subarray(at * blockBytes, (at + 1) * blockBytes)
  for await (const { table, entries } of pages) {
    let part: ViewEntry[] = []
    let size = 0
    for (const entry of entries) {
      part.push(entry)
      size += entry.key.length + entry.value.length + 8
      if (size < blockBytes) continue
      yield encode(rowsSchema, { table, entries: part })
      part = []
      size = 0
    }
    if (part.length > 0) yield encode(rowsSchema, { table, entries: part })
  }
}

/** The sealed feed of a snapshot, fetched from now on. */
export function openSnapshot(feeds: Feeds, name: Uint8Array, mayShare: (nodeId: NodeId) => boolean): Promise<Feed> {
  return feeds.open(formatFeedId({ name, isSealed: true }), { mode: 'full', mayShare })
}

/** Reads a snapshot, as its blocks come. Rejects with `PROTOCOL` for what is none, `VERSION_MISMATCH` for one of a later version. */
export async function readSnapshot(feed: Feed, signal?: AbortSignal): Promise<GroupBase> {
  const waiting = signal === undefined ? {} : { signal }
  const first = await feed.read(0, waiting)
  const head = decode(headSchema, first)
  if (head.version !== version)
    throw new PlaitError(
      'VERSION_MISMATCH',
      `a snapshot of version ${head.version}; this plait reads version ${version}`,
    )
  if (head.stateBlocks >= feed.length) throw malformed('a snapshot that ends before its state')
  const parts: Uint8Array[] = []
  const from = 1 + head.stateBlocks
  for await (const batch of feed.batches({ from: 1, to: from, ...waiting })) parts.push(...batch)
  const state = decode(groupState, concatBytes(parts))
  return { state, rows: readRows(feed, from, waiting) }
}

async function* readRows(
  feed: Feed,
  from: number,
  waiting: { readonly signal?: AbortSignal },
): AsyncGenerator<readonly ViewChange[]> {
  for await (const block of feed.blocks({ from, ...waiting })) {
    const { table, entries } = decode(rowsSchema, block)
    yield entries.map(({ key, value }) => ({ table, key, value }))
  }
}
