import { defaultLimits } from '../../base/limits.ts'
import { varintLength, writeVarint } from '../../base/varint.ts'
import { keyFromWriter, writerBytes, writerFromKey } from '../../crdt/dot.ts'
import { dotList } from '../../crdt/dot-list.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import type { WriterTable } from '../../crdt/writers.ts'
import { beyond, malformed, Reader } from '../../wire/reader.ts'
import type { Schema } from '../../wire/schema.ts'
import type { FeedTable } from './feed-table.ts'

/** What an entry of a feed is, by the number that stands for it in its first byte. */
export const entryKinds = {
  /** What the application has published. */
  operation: 1,
  /** Nothing but what it follows: who has delivered and has nothing to say, says so. */
  acknowledgement: 2,
  /** Who belongs to the group, and what they may do. */
  membership: 3,
  /** The name of a sealed feed that holds the state at what the entry follows. */
  snapshot: 4,
} as const

export type EntryKind = keyof typeof entryKinds

/** One entry of the feed of a member. Its dot is not in it: the feed's key and the place in the feed are the dot. */
export interface Entry {
  readonly kind: EntryKind
  /**
   * The operations of others that it directly follows and that do not imply one another, one for each writer at most. It follows the
   * entry before it in its feed, too; that is not written.
   */
  readonly follows: DotList
  /** A view of the bytes that were read. Names writers by the table of its feed. */
  readonly body: Uint8Array
}

/** The body of an entry that is to be written. */
export interface EntryBody<Value> {
  readonly schema: (writers: WriterTable) => Schema<Value>
  readonly value: Value
}

/** The bytes of an entry, and where its body begins in them. */
export interface EncodedEntry {
  readonly bytes: Uint8Array
  readonly bodyStart: number
}

/**
 * An entry as it stands in the feed: its kind, the LEB128 count and the keys of the writers that are mentioned for the first time, the
 * dots that it follows, and the body up to the end. The table learns who was mentioned. Throws `INVALID_ARGUMENT` for a body that
 * breaks its bounds, `LIMIT` when it is longer than a block can be; the table is as before then.
 */
export function encodeEntry<Value>(
  table: FeedTable,
  kind: EntryKind,
  follows: DotList,
  body: EntryBody<Value>,
): EncodedEntry {
  table.begin()
  try {
    const dots = dotList(table)
    const schema = body.schema(table)
    const dotsBytes = dots.measure(follows)
    const bodyBytes = schema.measure(body.value)
    const { added } = table
    const head = 1 + varintLength(added.length) + added.length * writerBytes
    const length = head + dotsBytes + bodyBytes
    if (length > defaultLimits.feedBlockBytes) throw beyond(length, defaultLimits.feedBlockBytes)
    const bytes = new Uint8Array(length)
    bytes[0] = entryKinds[kind]
    let at = writeVarint(bytes, 1, added.length)
    for (const writer of added) {
      bytes.set(keyFromWriter(writer), at)
      at += writerBytes
    }
    const bodyStart = dots.write(follows, bytes, at)
    schema.write(body.value, bytes, bodyStart)
    table.keep()
    return { bytes, bodyStart }
  } catch (error) {
    table.forget()
    throw error
  }
}

/**
 * Reads an entry; the table learns who is mentioned. Throws `PROTOCOL` or `LIMIT` for what is none, and leaves the table as it was:
 * everybody passes over the same entries.
 */
export function decodeEntry(table: FeedTable, bytes: Uint8Array): Entry {
  const reader = new Reader(bytes)
  const kind = kindsByNumber.get(reader.u8())
  if (kind === undefined) throw malformed('an entry of no kind')
  try {
    const count = reader.varint()
    if (count * writerBytes > reader.remaining) throw malformed(`${count} writers in ${reader.remaining} bytes`)
    for (let index = 0; index < count; index += 1) {
      const writer = writerFromKey(reader.bytes(writerBytes))
      if (table.has(writer)) throw malformed('a writer mentioned twice')
      table.mention(writer)
    }
    const follows = dotList(table).read(reader)
    for (const [index, { writer }] of follows.entries()) {
      if (writer === table.own) throw malformed('an entry that names its own feed')
      if (index > 0 && follows[index - 1]?.writer === writer) throw malformed('two dots of one writer')
    }
    table.keep()
    return { kind, follows, body: reader.bytes(reader.remaining) }
  } catch (error) {
    table.forget()
    throw error
  }
}

const kindsByNumber: ReadonlyMap<number, EntryKind> = new Map(
  Object.entries(entryKinds).map(([kind, number]) => [number, kind as EntryKind]),
)
