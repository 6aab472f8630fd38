import { defaultLimits } from '../../base/limits.ts'
import { varintLength, writeVarint } from '../../base/varint.ts'
import { bool, array, fixed, hash, optional, struct, u64, upTo, varint, type Schema } from '../../wire/schema.ts'
import { Reader } from '../../wire/reader.ts'
import { hashes } from '../field-schemas.ts'
import type { FeedName } from '../feed-id.ts'
import type { Conflict } from '../fork.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import { runs, type Runs } from '../runs.ts'

/** The kinds of records by which a log tells of feeds. The number of the feed, from 1 on, is the record's. */
export const feedRecords = {
  /** There is a feed with this number. */
  feed: 1,
  /** Blocks that were appended here: the feed ends behind the last one. */
  appended: 2,
  /** Blocks that were fetched. */
  fetched: 3,
  /** A head that was verified: the last record of what came with it, so that its peaks are there. */
  head: 4,
  /** Blocks that are not here any more. */
  cleared: 5,
  /** The writer is somebody else and has truncated the feed: it begins anew. */
  reset: 6,
  /** The writer is here, and the feed ends earlier: with a new fork number, or before anything behind was signed. */
  truncated: 7,
  /** Its writer has forked it. */
  frozen: 8,
  removed: 9,
  /** A feed that has no name yet, because not all of its blocks are there. */
  draft: 10,
  /** The draft has all its blocks, and this name. */
  sealed: 11,
  /** Nodes of proofs: the first record of what came with them, so that no block is there without its proof. */
  nodes: 12,
} as const

const length = upTo(defaultLimits.feedBlocks)

export const feedNameSchema: Schema<FeedName> = struct({ name: hash, isSealed: bool })

export const feedHeadSchema: Schema<FeedHead> = struct({
  fork: varint,
  length,
  bytes: varint,
  root: hash,
  signature: optional(fixed(64)),
})

export const sealedSchema: Schema<{ readonly name: Uint8Array; readonly head: FeedHead }> = struct({
  name: hash,
  head: feedHeadSchema,
})

/** What a proof proves: its nodes, and those that follow from them. */
const provenNodesMax = 65_536

/** Where each stands, and 32 bytes for each. */
export interface ProvenNodes {
  readonly positions: readonly number[]
  readonly hashes: Uint8Array
}

export const nodesSchema: Schema<ProvenNodes> = struct({
  positions: array(u64, { max: provenNodesMax }),
  hashes: hashes({ max: provenNodesMax }),
})

/** Runs in one record; more of them are more records. */
export const clearedRunsMax = 65_536

export const clearedSchema: Schema<{ readonly runs: Runs }> = struct({ runs: runs({ max: clearedRunsMax, min: 1 }) })

export const resetSchema: Schema<{ readonly fork: number }> = struct({ fork: varint })

export const truncatedSchema: Schema<{ readonly fork: number; readonly length: number; readonly bytes: number }> =
  struct({ fork: varint, length, bytes: varint })

/** Both heads, which do not belong to one feed, and the nodes that prove it. */
export const frozenSchema: Schema<Conflict> = struct({
  one: feedHeadSchema,
  other: feedHeadSchema,
  nodes: hashes({ max: defaultLimits.proofNodes }),
})

/** Blocks of one record: no more bytes than these, unless one block alone has more; for a block is read with its whole record. */
export const recordBlocksBytes: number = 128 * 1024
export const recordBlocksMax = 4_096

/** What stands before the bytes of the blocks in a record: LEB128 first number, count, and length of each. */
export function encodeBlocksHeader(start: number, blocks: readonly Uint8Array[]): Uint8Array {
  let bytes = varintLength(start) + varintLength(blocks.length)
  for (const block of blocks) bytes += varintLength(block.length)
  const header = new Uint8Array(bytes)
  let at = writeVarint(header, 0, start)
  at = writeVarint(header, at, blocks.length)
  for (const block of blocks) at = writeVarint(header, at, block.length)
  return header
}

/** The blocks of one record, as views of its payload. */
export interface RecordBlocks {
  readonly start: number
  readonly blocks: readonly Uint8Array[]
}

/** Throws `PROTOCOL` for what no record of blocks says. */
export function decodeBlocks(payload: Uint8Array): RecordBlocks {
  const reader = new Reader(payload, 0, payload.length)
  const start = reader.varint()
  const lengths: number[] = []
  for (let count = reader.varint(); count > 0; count -= 1) lengths.push(reader.varint())
  return { start, blocks: lengths.map((bytes) => reader.bytes(bytes)) }
}
