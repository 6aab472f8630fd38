import type { Head } from '../head.ts'
import type { Runs } from '../runs.ts'

/** What is known of a feed as a whole. The signature is absent for a sealed feed. */
export interface FeedHead extends Omit<Head, 'key'> {
  readonly signature?: Uint8Array | undefined
}

/** Blocks that follow one another, and the nodes below their group, in the order of their positions. */
export interface StoredGroup {
  readonly start: number
  readonly blocks: readonly Uint8Array[]
  readonly position: number
  readonly nodes: Uint8Array
}

/** All that is stored at once: verified, and none of it there before but nodes. */
export interface VerifiedBatch {
  /** What it is of. A batch of another fork than the stored feed's fails: the writer has truncated it in the meantime. */
  readonly fork: number
  /** A longer head that has been proven, with its peaks; absent when the length stays. */
  readonly head?: FeedHead | undefined
  readonly peaks?: Uint8Array | undefined
  /** Nodes besides those of the groups: where each stands, and 32 bytes for each. */
  readonly positions: readonly number[]
  readonly hashes: Uint8Array
  readonly groups: readonly StoredGroup[]
}

/**
 * All that the synchronizer asks of a feed's storage. Each call is answered once, by its callback, at once or later; with nothing when it
 * fails. Reads may overtake one another; what is stored is stored, and answered, in the order of the calls; when one
 * fails, those fail too that were made before its answer. What is handed over either
 * way does not change any more.
 */
export interface FeedStore {
  /** The first of these runs, cut so that their blocks have at most `bytesMax` bytes, one block at least; and how many they have. */
  measure(
    runs: Runs,
    bytesMax: number,
    done: (measured?: { readonly runs: Runs; readonly bytes: number }) => void,
  ): void
  /** 32 bytes for each position. Nothing when one of the nodes is not there. */
  readNodes(positions: readonly number[], done: (nodes?: Uint8Array) => void): void
  /** Blocks from `start` on, before `end`, with at most `bytesMax` bytes, one block at least. */
  readBlocks(start: number, end: number, bytesMax: number, done: (blocks?: readonly Uint8Array[]) => void): void
  /**
   * One commit: all of it or nothing. What it has stored is offered to others from then on. `now`, where there is a clock, shows how long
   * it took.
   */
  store(batch: VerifiedBatch, done: (isStored: boolean, now?: number) => void): void
  /**
   * Forgets all blocks and nodes, and the head: the feed begins anew with that fork number, in order with the calls of `store`. A new
   * replica is told the number as long as there is no head.
   */
  reset(fork: number, done: (isStored: boolean) => void): void
}
