import { emptyBytes } from '../../base/bytes.ts'
import { Bitmap } from '../bitmap.ts'
import type { Conflict } from '../fork.ts'
import { isLaterHead } from '../head.ts'
import { lengthMax } from '../numbering.ts'
import { Backoff } from './backoff.ts'
import type { ChunkReader } from './chunk-reader.ts'
import type { FeedHead, FeedStore } from './feed-store.ts'

export interface ReplicaOptions {
  /** The writer's key, or the name of a sealed feed: 32 bytes. */
  readonly name: Uint8Array
  readonly isSealed?: boolean
  /** The writer is here: new blocks are sent to followers without being asked for. */
  readonly isWriter?: boolean
  readonly store: FeedStore
  /** What is stored already. */
  readonly head?: FeedHead | undefined
  /** The one that the store was reset to last; 0 when it never was. Not needed when there is a head. */
  readonly fork?: number
  readonly peaks?: Uint8Array | undefined
  readonly have?: Bitmap
  /** `full`: all blocks are wanted. `sparse`: those that `want` names. */
  readonly mode?: 'full' | 'sparse'
  /** New blocks are wanted as soon as they are there, also in a sparse replica. */
  readonly isLive?: boolean
  /** Which of the blocks that are missing is asked for first: the next one, or the one that the fewest peers have. */
  readonly order?: 'next' | 'rarest'
  /** Of a full replica, the first block that is wanted. */
  readonly first?: number
  /** Whether it is shared with a peer of this id; with every one when absent. */
  readonly mayShare?: (peerId: string) => boolean
}

/** One feed, as the synchronizer has it: what is there, what is wanted, what has been asked for. */
export class Replica {
  readonly name: Uint8Array
  readonly isSealed: boolean
  readonly isWriter: boolean
  readonly store: FeedStore
  readonly order: 'next' | 'rarest'
  readonly mayShare: (peerId: string) => boolean
  isLive: boolean
  first: number
  mode: 'full' | 'sparse'
  /** Durable blocks. */
  readonly have: Bitmap
  /** Asked for, or being stored. */
  readonly inFlight: Bitmap = new Bitmap()
  readonly wanted: Bitmap = new Bitmap()
  /** The head that is durable, with its peaks: what is offered to others. */
  head: FeedHead | undefined
  peaks: Uint8Array
  /** The longest one that is verified, be it stored or on its way to be: what further proofs go on from. */
  tip: FeedHead | undefined
  tipPeaks: Uint8Array
  /** How often the writer has truncated it, as far as is known here: the head's, unless nothing of the new fork is here yet. */
  fork: number
  /** The last head that any peer has said, here or anywhere. */
  heard: FeedHead | undefined
  /** Counts how often it has begun anew: what was begun before is of no use any more. */
  epoch = 0
  /** What the store has of an older fork is being given up. */
  isRenewing = false
  /** How the store does. */
  readonly backoff: Backoff = new Backoff()
  /** What each peer has that shares it, by which one sees what is rare. */
  readonly holders: Set<Bitmap> = new Set()
  /** Where the chunks are that those may have who share the feed. */
  chunkReader: ChunkReader | undefined
  /** The writer has forked it, as this proves: nothing is done about it but to tell others. */
  conflict: Conflict | undefined

  constructor(options: ReplicaOptions) {
    this.name = options.name
    this.isSealed = options.isSealed ?? false
    this.isWriter = options.isWriter ?? false
    this.store = options.store
    this.order = options.order ?? 'next'
    this.first = options.first ?? 0
    this.mayShare = options.mayShare ?? (() => true)
    this.mode = options.mode ?? 'full'
    this.isLive = options.isLive ?? this.mode === 'full'
    this.have = options.have ?? new Bitmap()
    this.head = options.head
    this.peaks = options.peaks ?? emptyBytes
    this.tip = this.head
    this.tipPeaks = this.peaks
    this.heard = this.head
    this.fork = this.head?.fork ?? options.fork ?? 0
  }

  get isFrozen(): boolean {
    return this.conflict !== undefined
  }

  freeze(conflict: Conflict): void {
    this.conflict ??= conflict
  }

  /** Of the durable head, in blocks. */
  get length(): number {
    return this.head?.length ?? 0
  }

  /** Of the longest head that is verified. */
  get tipLength(): number {
    return this.tip?.length ?? 0
  }

  /** Of the last head that was heard, on the fork of now: how long the feed is at least, wherever its blocks are. */
  get heardLength(): number {
    return this.heard?.fork === this.fork ? this.heard.length : 0
  }

  /**
   * A longer head, or one of a later fork, was heard than is here. A writer of whom this is true was restored from an older copy: what it
   * appends before it has caught up proves that it has forked.
   */
  get isBehind(): boolean {
    return this.isRenewing || this.heardLength > this.length
  }

  /** Up to which all blocks that are kept are here. */
  get contiguous(): number {
    return Math.min(this.have.nextHole(this.first), this.length)
  }

  /** Whether nothing that is wanted is missing, as far as is known here. */
  get isComplete(): boolean {
    if (this.isBehind) return false
    if (this.mode === 'full') return this.have.nextHole(this.first) >= this.length
    return this.inFlight.count === 0 && this.nextMissing(this.wanted, 0, lengthMax) === undefined
  }

  /** Whether the store takes anything now. */
  isStoring(now: number): boolean {
    return !this.isRenewing && !this.backoff.isResting(now)
  }

  /** What the writer has appended is here. */
  append(head: FeedHead, peaks: Uint8Array): void {
    this.have.add(this.length, head.length)
    this.head = this.tip = head
    this.peaks = this.tipPeaks = peaks
    if (isLaterHead(head, this.heard)) this.heard = head
  }

  /** Nothing is here any more: all that there was is of an older fork. */
  renew(fork: number): void {
    this.abandon()
    this.fork = fork
    this.have.clear()
    this.head = this.tip = undefined
    this.peaks = this.tipPeaks = emptyBytes
    this.isRenewing = true
  }

  /** Only the beginning is here any more. */
  truncate(head: FeedHead, peaks: Uint8Array): void {
    this.abandon()
    this.fork = head.fork
    this.have.remove(head.length, lengthMax)
    this.head = this.tip = this.heard = head
    this.peaks = this.tipPeaks = peaks
    this.isRenewing = false
  }

  /** What was asked for, or is being stored, is of no use any more. */
  abandon(): void {
    this.epoch += 1
    this.inFlight.clear()
  }

  /** The first run from `from` on of blocks that are wanted, that `theirs` has, and that are neither here nor asked for. */
  nextMissing(theirs: Bitmap, from: number, end: number): readonly [start: number, end: number] | undefined {
    const { wanted, have, inFlight } = this
    const isFull = this.mode === 'full'
    for (let at = isFull ? Math.max(from, this.first) : from; ;) {
      const start = theirs.next(at, end)
      if (start === undefined) return undefined
      const next = isFull ? start : wanted.next(start, end)
      if (next === undefined) return undefined
      at = Math.max(next, have.nextHole(next))
      at = Math.max(at, inFlight.nextHole(at))
      if (at > start) continue
      const stops = [theirs.nextHole(start), have.next(start, end), inFlight.next(start, end)]
      if (!isFull) stops.push(wanted.nextHole(start))
      return [start, stops.reduce<number>((least, stop) => Math.min(least, stop ?? end), end)]
    }
  }
}
