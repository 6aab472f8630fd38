import type { PlaitError } from '../base/error.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { Identity } from '../identity/identity.ts'
import type { Verify } from '../identity/signature.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Admission, PlaitNode } from '../node/node-api.ts'
import type { CompactionReport } from '../store/compaction.ts'
import type { Store } from '../store/open-store.ts'
import type { OpenReport } from '../store/recovery.ts'
import type { StoreLimits } from '../store/store-limits.ts'
import type { Chunk, ChunkName, ChunkOptions, ChunkSource } from './chunk-api.ts'
import type { FeedId } from './feed-id.ts'
import type { TreeHash } from './hash.ts'
import type { PeerSnapshot } from './sync/snapshot.ts'

export interface FeedsOptions {
  /** Which nodes may exchange feeds with this one; they still learn nothing of a feed whose id they do not know. `anyone` when absent. */
  readonly open?: Admission
  /** Doors for tests: the hash of trees, the check of signatures, and small bounds; SHA-256, Ed25519 and large ones when absent. */
  readonly hash?: TreeHash
  readonly verify?: Verify
  readonly log?: FeedLogBounds
}

/** When the log of a store begins another file, and writes a checkpoint. */
export interface FeedLogBounds {
  readonly limits?: Partial<StoreLimits>
  /** After so many bytes of log, or so many blocks, there is a checkpoint. */
  readonly checkpointBytes?: number
  readonly checkpointBlocks?: number
}

/** How a feed of somebody else is kept. */
export interface FeedOptions {
  /** `full`: all blocks are fetched, and kept. `sparse`: those that are asked for. `full` when absent. */
  readonly mode?: 'full' | 'sparse'
  /** New blocks are fetched as soon as they are there, also in a sparse feed. True in a full feed when absent. */
  readonly isLive?: boolean
  /** Which missing block is asked for first: the next one, or the one that the fewest peers have. `next` when absent. */
  readonly order?: 'next' | 'rarest'
  /** Of a full feed, the first block that is kept: those before it are not fetched. 0 when absent. */
  readonly first?: number
  /** Whether it is shared with a node, which has to know its id too; with every one when absent. Call `review` when it says otherwise. */
  readonly mayShare?: (nodeId: NodeId) => boolean
}

export interface CreateFeedOptions extends Pick<FeedOptions, 'mayShare' | 'first'> {
  /**
   * The key of the writer, which stays the caller's to keep and to close. When absent a key is made, and kept in the store's folder
   * (`keys/`, mode 0600): who has that file can write the feed.
   */
  readonly identity?: Identity
}

/** The feeds of a store, shared with other nodes. */
export interface Feeds extends AsyncDisposable {
  /** With which they are exchanged. */
  readonly node: PlaitNode | undefined
  /** In which they are kept. */
  readonly store: Store
  /** What opening the log of the store has found: a torn tail, rot. */
  readonly report: OpenReport
  /** A new feed that is written here. Resolves when it is durable. With an identity whose feed is here already it is that one. */
  create(options?: CreateFeedOptions): Promise<WritableFeed>
  /** A sealed feed of these blocks, complete from the beginning and for ever as it is; its id is a hash of all. */
  seal(blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>, options?: Pick<FeedOptions, 'mayShare'>): Promise<Feed>
  /**
   * A feed by its id: one that is here, or one of somebody else that is fetched from now on. One that is open already is given again; a
   * sparse one becomes a full one when that is asked for, other options stay.
   */
  open(id: FeedId, options?: FeedOptions): Promise<Feed>
  /** One that is here and whose key is in the store, or is `identity`. Rejects with `FORBIDDEN` when the key is not here. */
  openWritable(id: FeedId, options?: CreateFeedOptions): Promise<WritableFeed>
  /** Forgets a feed and its blocks, and shares it no more; its space is free after `compact`. */
  remove(id: FeedId): Promise<void>
  /** Those that are here. */
  list(): readonly FeedInfo[]
  /**
   * Exchanges feeds with the node at `plait://NODEID@HOST:PORT` until it is closed: a circuit that ends is opened again. Resolves when the
   * first one is open. Rejects like `Peer.open`; the connection is given up then. There is one for each address: who asks again gets it.
   */
  connect(address: string, options?: WaitOptions): Promise<FeedConnection>
  /** Takes the space back of what was removed or cleared. */
  compact(): Promise<CompactionReport>
  /** What is going on with each peer. */
  snapshot(): readonly PeerSnapshot[]
  /** Stops sharing, and makes durable what was taken. Idempotent. The store and the node stay open. */
  close(): Promise<void>
}

export interface FeedConnection extends AsyncDisposable {
  readonly address: string
  readonly isOpen: boolean
  close(): Promise<void>
}

export interface FeedInfo {
  readonly id: FeedId
  readonly isWritable: boolean
  readonly length: number
  readonly bytes: number
}

/** An append-only log of blocks, of which anybody can prove that its writer has written them in this order. */
export interface Feed extends FeedEvents {
  readonly id: FeedId
  /** 32 bytes: the writer's key, or the hash of a sealed feed. Not to be changed. */
  readonly name: Uint8Array
  readonly isSealed: boolean
  readonly isWritable: boolean
  /**
   * Blocks and their bytes by the longest head of its writer that was verified; the blocks themselves may be elsewhere. Of a feed that is
   * written here, by the last one that is durable.
   */
  readonly length: number
  readonly bytes: number
  /** Up to which all blocks are here that are kept: from 0 on, or from `FeedOptions.first`. */
  readonly contiguousLength: number
  /** How often the writer has truncated it. */
  readonly fork: number
  /** Whether a block is here. */
  has(index: number): boolean
  /**
   * One block, which is the caller's; fetched from others when it is not here, for as long as it takes. Rejects with `INVALID_ARGUMENT`
   * for a number that cannot be, `FEED_FROZEN` for a block that is not here of a feed that has forked, `STORE_CLOSED`, or the signal's
   * reason.
   */
  read(index: number, options?: WaitOptions): Promise<Uint8Array>
  /**
   * Blocks in order, from `from` (0) to before `to`; by default up to the length that is known when the last one was read, or, when
   * `isLive`, for ever. Each is the caller's. Those that are not here are fetched, some ahead.
   */
  blocks(options?: ReadOptions): AsyncIterable<Uint8Array>
  /** As `blocks`, with all at once that could be read at once: what many small blocks are read by. */
  batches(options?: ReadOptions): AsyncIterable<readonly Uint8Array[]>
  /** Resolves when all blocks from `start` (0) to before `end` (the length) are here; asks for them if need be. */
  download(range?: DownloadRange, options?: WaitOptions): Promise<void>
  /** Resolves when the feed has more than `length` blocks. */
  longerThan(length: number, options?: WaitOptions): Promise<void>
  /**
   * Drops the blocks from `start` to before `end`; others hear that they are not here any more. The proofs stay. Of a full feed only the
   * first blocks can be dropped, which are not fetched again as long as it is open.
   */
  clear(start: number, end: number): Promise<void>
  /**
   * Chunks by the SHA-256 of their bytes, from those who share the feed and have them, in the order in which they come, each hash once
   * however often it stands in the list, for as long as it takes: who did not have one is asked again, when it says something new of the
   * feed or some seconds later. Several holders are asked at once; what comes is verified, and stored nowhere. No more are on their way,
   * or wait to be taken, than the windows of their holders take; give lengths where they are known, because that is reckoned in bytes.
   * Rejects with the signal's reason, `STORE_CLOSED` when the feed is closed, `FEED_FROZEN` when its writer forks it. Throws
   * `INVALID_ARGUMENT` for what is no hash of 32 bytes, or a length beyond 1 MiB. Who takes no more of them has to end the iterator, as
   * leaving `for await` does.
   */
  chunks(wanted: Iterable<Uint8Array | ChunkName>, options?: ChunkOptions): AsyncIterable<Chunk>
  /** From now on those who share the feed may have the chunks of `source`, until the feed is closed; of another one instead, or of none. */
  serveChunks(source: ChunkSource | undefined): void
  /** Sends `payload` (64 KiB at most), by name, to every peer that shares the feed and is connected; see the event `extension`. */
  extend(name: string, payload: Uint8Array): void
  /** Begins to share the feed with those with whom it may be shared now (`mayShare`), and ends it with others. */
  review(): void
  status(): FeedStatus
  /** Shares it no more; it stays in the store. Idempotent. */
  close(): Promise<void>
}

/** A feed whose key is here. */
export interface WritableFeed extends Feed {
  /**
   * Appends one block, or several that follow one another, of `feedBlockBytes` (1 MiB) at most each. They belong to the feed until it
   * resolves, to the number of the first one, when all are synced to the disk; then they are offered to others. What is
   * appended before that, in this turn or while the disk is busy, shares one sync. Blocks of one call stand together; after a crash
   * some of them may be there without the others. Rejects with `FEED_BEHIND` when others have blocks of this feed that are not here
   * (they are being fetched; `behind` tells, and `caughtup`), `FEED_FROZEN` after a fork, `NO_SPACE`, `STORE_FAILED`, `STORE_CLOSED`,
   * `BUFFER_FULL` when 64 MiB wait.
   */
  append(block: Uint8Array | readonly Uint8Array[]): Promise<number>
  /**
   * Takes all blocks from `length` on back, with a new fork number: everybody who follows gives up what it has and fetches the feed
   * again. The only way to take a block back.
   */
  truncate(length: number): Promise<void>
}

export interface ReadOptions extends WaitOptions {
  readonly from?: number
  readonly to?: number
  readonly isLive?: boolean
}

export interface DownloadRange {
  readonly start?: number
  readonly end?: number
}

export interface FeedStatus {
  readonly id: FeedId
  readonly length: number
  readonly bytes: number
  readonly fork: number
  readonly contiguousLength: number
  /** Blocks that are here. */
  readonly held: number
  /** The first holes, 64 at most: starts and ends in turn. */
  readonly holes: readonly number[]
  /** The writer has forked the feed, as is proven: nothing more is done about it. */
  readonly isFrozen: boolean
  /** The feed is written here, and others have more of it. */
  readonly isBehind: boolean
  readonly peers: readonly FeedPeerStatus[]
}

export interface FeedPeerStatus {
  readonly nodeId: string
  readonly length: number
  readonly held: number
  readonly contiguousLength: number
  /** Requests for blocks that are on their way. */
  readonly requests: number
}

export interface FeedEventDetails {
  /** The feed has grown, by its writer here or by a verified head. */
  readonly append: { readonly length: number; readonly bytes: number }
  /** Blocks of others have come, are verified and durable: starts and ends in turn. */
  readonly download: { readonly runs: readonly number[]; readonly blocks: number; readonly bytes: number }
  /** The writer has signed two feeds; both heads prove it. The feed is frozen. */
  readonly conflict: { readonly fork: number; readonly lengths: readonly [number, number] }
  /** The writer has truncated it. */
  readonly truncate: { readonly fork: number; readonly length: number }
  /** The feed is written here, and somebody has more of it than this store. */
  readonly behind: { readonly length: number; readonly theirLength: number }
  /** It has all again. */
  readonly caughtup: { readonly length: number }
  /** A peer has said how much of the feed is durable there, from its `first` block on; it says so again whenever that is more. */
  readonly peer: {
    readonly nodeId: string
    readonly length: number
    readonly contiguousLength: number
    /** What is before it was dropped there. */
    readonly first: number
  }
  /** Somebody has sent something by `extend`. */
  readonly extension: { readonly nodeId: string; readonly name: string; readonly payload: Uint8Array }
  /** Blocks that were here cannot be read any more; they are fetched from others. */
  readonly lost: { readonly runs: readonly number[]; readonly error: PlaitError }
}

export type FeedEventName = keyof FeedEventDetails

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** An `EventTarget` whose events have their types. */
export interface FeedEvents {
  addEventListener<Name extends FeedEventName>(
    name: Name,
    listener: (event: CustomEvent<FeedEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  addEventListener(...other: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends FeedEventName>(
    name: Name,
    listener: (event: CustomEvent<FeedEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  removeEventListener(...other: Parameters<EventTarget['removeEventListener']>): void
  dispatchEvent(event: Event): boolean
}
