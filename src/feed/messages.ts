import { defaultLimits } from '../base/limits.ts'
import { malformed } from '../wire/reader.ts'
import { bool, bytes, decode, encode, fixed, hash, optional, struct, text, u8, upTo, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { chunkBodies, chunkLengths, chunkLists, type ChunkList } from './chunk-schemas.ts'
import { blocks, hashes } from './field-schemas.ts'
import { feedTagBytes } from './feed-tag.ts'
import { levels } from './numbering.ts'
import { runs, type Runs } from './runs.ts'

/** Bytes of a summary: 4,096 buckets of 8. */
export const summaryBytesMax = 32_768

const { feedBlockBytes, feedBlocks, feedRuns, packedChunksBytes, proofNodes, requestRuns, sharedFeeds } = defaultLimits

/** Every message but `open` and `summary` is about the feed with the number that its sender has given it in `open`. */
interface OfFeed {
  readonly feed: number
}

/** The sender has this feed, or wants it. Nothing else is said of it before the other side has opened it too. */
export interface OpenMessage extends OfFeed {
  readonly tag: Uint8Array
}

/** The head of the feed as the sender has it; of a sealed feed what its name is made of. */
export interface HeadMessage extends OfFeed {
  readonly fork: number
  readonly length: number
  readonly bytes: number
  readonly root: Uint8Array
  /** Absent for a sealed feed. */
  readonly signature?: Uint8Array | undefined
  /** The length of the receiver, as far as the sender knows, from which `nodes` lead to this one. */
  readonly known: number
  /** Absent: they follow from the blocks of the next proof, or are in it. */
  readonly nodes?: Uint8Array | undefined
}

/** What the sender does with the feed. */
export interface InfoMessage extends OfFeed {
  readonly fork: number
  /** Up to which its sender can verify blocks and proofs. */
  readonly length: number
  /** Blocks from 0 on without a hole. */
  readonly first: number
  readonly contiguous: number
  /** The sum of `infoFlags`. */
  readonly flags: number
}

export const infoFlags = { serves: 1, follows: 2 } as const

export interface RunsMessage extends OfFeed {
  readonly runs: Runs
}

export interface WantMessage extends OfFeed {
  readonly start: number
  readonly end: number
}

export interface RequestMessage extends OfFeed {
  /** Counts up from 1, for each feed. */
  readonly request: number
  readonly fork: number
  /** The length whose peaks the sender knows. */
  readonly known: number
  readonly runs: Runs
  /** How many bytes of blocks it takes; one block at least is answered. */
  readonly bytes: number
}

export interface CancelMessage extends OfFeed {
  readonly request: number
}

export interface RefuseMessage extends CancelMessage {
  /** One of `refusals`. */
  readonly reason: number
}

export const refusals = { missing: 1, busy: 2, forbidden: 3 } as const

/** Begins an answer, or what of it can be proven at once: the blocks of `runs` follow in order. */
export interface ProofMessage extends OfFeed {
  /** 0: nobody has asked; the receiver follows the feed. */
  readonly request: number
  readonly fork: number
  readonly length: number
  readonly known: number
  readonly runs: Runs
  readonly groupLevel?: number | undefined
  readonly nodes: Uint8Array
  /** Nothing more is answered to the request when these blocks have come. */
  readonly last: boolean
}

export interface DataMessage extends OfFeed {
  readonly request: number
  readonly blocks: readonly Uint8Array[]
}

/** Two heads that the writer has signed and that do not belong to one feed. */
export interface ForkMessage extends OfFeed {
  readonly fork: number
  readonly shorterLength: number
  readonly shorterBytes: number
  readonly shorterRoot: Uint8Array
  readonly shorterSignature: Uint8Array
  readonly longerLength: number
  readonly longerBytes: number
  readonly longerRoot: Uint8Array
  readonly longerSignature: Uint8Array
  readonly nodes: Uint8Array
}

export interface ExtensionMessage extends OfFeed {
  readonly name: string
  readonly payload: Uint8Array
}

/** Asks for chunks, which are no part of the feed: who shares it may have them. */
export interface FetchMessage extends OfFeed {
  /** Counts on with those of `RequestMessage`. */
  readonly request: number
  /** How many bytes of chunks it takes; one chunk at least is answered. */
  readonly bytes: number
  /** How they may be packed: the sum of `packings`. */
  readonly packings: number
  readonly chunks: ChunkList
}

export const packings = { zstd: 1 } as const

/** The next ones of those that were asked for, in their order. */
export interface ChunksMessage extends OfFeed {
  readonly request: number
  /** Nothing more is answered to the request. */
  readonly last: boolean
  /** Undefined for each that is not there, or has another length than was asked for. */
  readonly chunks: readonly (Uint8Array | undefined)[]
}

/** As `ChunksMessage`, with the bytes of all in one frame of Zstandard. */
export interface PackedMessage extends OfFeed {
  readonly request: number
  readonly last: boolean
  /** Of each, as it is when it is unpacked; undefined as there. */
  readonly lengths: readonly (number | undefined)[]
  readonly packed: Uint8Array
}

/** Which of its feeds, complete ones that it has not opened, the sender has in which state; of no feed alone. */
export interface SummaryMessage {
  readonly prints: Uint8Array
}

/** The messages by their names. */
export interface FeedMessages {
  readonly open: OpenMessage
  readonly close: OfFeed
  readonly head: HeadMessage
  readonly info: InfoMessage
  readonly have: RunsMessage
  readonly unhave: RunsMessage
  readonly want: WantMessage
  readonly unwant: WantMessage
  readonly request: RequestMessage
  readonly cancel: CancelMessage
  readonly refuse: RefuseMessage
  readonly proof: ProofMessage
  readonly data: DataMessage
  readonly fork: ForkMessage
  readonly extension: ExtensionMessage
  readonly summary: SummaryMessage
  readonly fetch: FetchMessage
  readonly chunks: ChunksMessage
  readonly packed: PackedMessage
}

export type FeedMessageName = keyof FeedMessages

/** A message with its name. */
export type FeedMessage = {
  [Name in FeedMessageName]: { readonly name: Name; readonly value: FeedMessages[Name] }
}[FeedMessageName]

/** The op of the fragment that carries each. */
export const feedOps: { readonly [Name in FeedMessageName]: number } = {
  open: 1,
  close: 2,
  head: 3,
  info: 4,
  have: 5,
  unhave: 6,
  want: 7,
  unwant: 8,
  request: 9,
  cancel: 10,
  refuse: 11,
  proof: 12,
  data: 13,
  fork: 14,
  extension: 15,
  summary: 16,
  fetch: 17,
  chunks: 18,
  packed: 19,
}

const feed = upTo(sharedFeeds - 1)
const length = upTo(feedBlocks)
const nodes = hashes({ max: proofNodes })
const signature = fixed(64)
const heldRuns = struct({ feed, runs: runs({ max: feedRuns, min: 1 }) })
const wanted = struct({ feed, start: length, end: length })

/** How the payload of each is laid out. */
export const feedSchemas: { readonly [Name in FeedMessageName]: Schema<FeedMessages[Name]> } = {
  open: struct({ feed, tag: fixed(feedTagBytes) }),
  close: struct({ feed }),
  head: struct({
    feed,
    fork: varint,
    length,
    bytes: varint,
    root: hash,
    signature: optional(signature),
    known: length,
    nodes: optional(nodes),
  }),
  info: struct({ feed, fork: varint, length, first: length, contiguous: length, flags: u8 }),
  have: heldRuns,
  unhave: heldRuns,
  want: wanted,
  unwant: wanted,
  request: struct({
    feed,
    request: varint,
    fork: varint,
    known: length,
    runs: runs({ max: requestRuns, min: 1 }),
    bytes: varint,
  }),
  cancel: struct({ feed, request: varint }),
  refuse: struct({ feed, request: varint, reason: u8 }),
  proof: struct({
    feed,
    request: varint,
    fork: varint,
    length,
    known: length,
    runs: runs({ max: requestRuns }),
    groupLevel: optional(upTo(levels - 1)),
    nodes,
    last: bool,
  }),
  data: struct({ feed, request: varint, blocks: blocks({ max: feedRuns, bytesMax: feedBlockBytes }) }),
  fork: struct({
    feed,
    fork: varint,
    shorterLength: length,
    shorterBytes: varint,
    shorterRoot: hash,
    shorterSignature: signature,
    longerLength: length,
    longerBytes: varint,
    longerRoot: hash,
    longerSignature: signature,
    nodes,
  }),
  extension: struct({ feed, name: text({ max: 64 }), payload: bytes({ max: 64 * 1024 }) }),
  summary: struct({ prints: bytes({ max: summaryBytesMax }) }),
  fetch: struct({ feed, request: varint, bytes: varint, packings: u8, chunks: chunkLists }),
  chunks: struct({ feed, request: varint, last: bool, chunks: chunkBodies }),
  packed: struct({
    feed,
    request: varint,
    last: bool,
    lengths: chunkLengths,
    packed: bytes({ max: packedChunksBytes }),
  }),
}

/** The payload of a message, fresh. Throws `INVALID_ARGUMENT` for what is beyond a bound. */
export function encodeFeedMessage<Name extends FeedMessageName>(name: Name, value: FeedMessages[Name]): Uint8Array {
  return encode<FeedMessages[Name]>(feedSchemas[name], value)
}

/** Throws `PROTOCOL` or `LIMIT`. Blocks of `data` and bytes of `chunks` are views of the payload; everything else is copied. */
export function decodeFeedMessage(op: number, payload: Uint8Array): FeedMessage {
  const name = namesByOp.get(op)
  if (name === undefined) throw malformed(`a message ${op} of no kind`)
  return { name, value: decode<FeedMessages[typeof name]>(feedSchemas[name], payload) } as FeedMessage
}

const namesByOp: ReadonlyMap<number, FeedMessageName> = new Map(
  Object.entries(feedOps).map(([name, op]) => [op, name as FeedMessageName]),
)
