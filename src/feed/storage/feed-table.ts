import { array, decode, encode, hash, optional, struct, upTo, varint, bool, type Schema } from '../../wire/schema.ts'
import { defaultLimits } from '../../base/limits.ts'
import { hashes } from '../field-schemas.ts'
import { levels } from '../numbering.ts'
import { runs, type Runs } from '../runs.ts'
import type { Conflict } from '../fork.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import { feedHeadSchema, frozenSchema } from './feed-record.ts'
import type { StoredFeed } from './stored-feed.ts'

/** Another one whenever the table, or the derived files, are laid out anew: then all is derived from the log again. */
const version = 1

/** All feeds of a log, as a checkpoint keeps them. */
export interface FeedTable {
  readonly version: number
  /** Above all that were ever given. */
  readonly nextNumber: number
  readonly feeds: readonly FeedRow[]
}

export interface FeedRow {
  readonly number: number
  readonly name: Uint8Array
  readonly isSealed: boolean
  readonly isDraft: boolean
  readonly ownLength: number
  readonly head?: FeedHead | undefined
  readonly peaks: Uint8Array
  readonly tipFork: number
  readonly tipLength: number
  readonly tipBytes: number
  readonly tipPeaks: Uint8Array
  readonly conflict?: Conflict | undefined
  readonly have: Runs
}

/** Nobody outside can make the table longer than the log is. */
const unbounded = 2 ** 32

const peaks = hashes({ max: levels })

const feedTableSchema: Schema<FeedTable> = struct({
  version: varint,
  nextNumber: varint,
  feeds: array(
    struct({
      number: varint,
      name: hash,
      isSealed: bool,
      isDraft: bool,
      ownLength: upTo(defaultLimits.feedBlocks),
      head: optional(feedHeadSchema),
      peaks,
      tipFork: varint,
      tipLength: upTo(defaultLimits.feedBlocks),
      tipBytes: varint,
      tipPeaks: peaks,
      conflict: optional(frozenSchema),
      have: runs({ max: unbounded }),
    }),
    { max: unbounded },
  ),
})

export function encodeFeedTable(nextNumber: number, feeds: Iterable<StoredFeed>): Uint8Array {
  return encode(feedTableSchema, { version, nextNumber, feeds: [...feeds].map(rowOf) })
}

/** Undefined for what is no table of this version. */
export function decodeFeedTable(bytes: Uint8Array): FeedTable | undefined {
  try {
    const table = decode(feedTableSchema, bytes)
    return table.version === version ? table : undefined
  } catch {
    return undefined
  }
}

function rowOf(feed: StoredFeed): FeedRow {
  const { number, name, isSealed, isDraft, ownLength, head, tip, tipPeaks, conflict, have } = feed
  return {
    ...{ number, name, isSealed, isDraft, ownLength, head, peaks: feed.peaks, tipPeaks },
    tipFork: tip.fork,
    tipLength: tip.length,
    tipBytes: tip.bytes,
    conflict,
    have: have.runs(0, defaultLimits.feedBlocks, Infinity),
  }
}
