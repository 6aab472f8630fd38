import { emptyBytes } from '../../base/bytes.ts'
import { Bitmap } from '../bitmap.ts'
import { lengthMax } from '../numbering.ts'
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
  readonly peaks?: Uint8Array | undefined
  readonly have?: Bitmap
  /** `full`: all blocks are wanted. `sparse`: those that `want` names. */
  readonly mode?: 'full' | 'sparse'
  /** New blocks are wanted as soon as they are there, also in a sparse replica. */
  readonly isLive?: boolean
  /** Which of the blocks that are missing is asked for first: the next one, or the one that the fewest peers have. */
  readonly order?: 'next' | 'rarest'
}

/** One feed, as the synchronizer has it: what is there, what is wanted, what has been asked for. */
export class Replica {
  readonly name: Uint8Array
  readonly isSealed: boolean
  readonly isWriter: boolean
  readonly store: FeedStore
  readonly order: 'next' | 'rarest'
  readonly isLive: boolean
  readonly mode: 'full' | 'sparse'
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
  /** What each peer has that shares it, by which one sees what is rare. */
  readonly holders: Set<Bitmap> = new Set()
  /** The writer has forked it: nothing more is done about it. */
  isFrozen = false

  constructor(options: ReplicaOptions) {
    this.name = options.name
    this.isSealed = options.isSealed ?? false
    this.isWriter = options.isWriter ?? false
    this.store = options.store
    this.order = options.order ?? 'next'
    this.mode = options.mode ?? 'full'
    this.isLive = options.isLive ?? this.mode === 'full'
    this.have = options.have ?? new Bitmap()
    this.head = options.head
    this.peaks = options.peaks ?? emptyBytes
    this.tip = this.head
    this.tipPeaks = this.peaks
  }

  /** Of the durable head, in blocks. */
  get length(): number {
    return this.head?.length ?? 0
  }

  /** Of the longest head that is verified. */
  get tipLength(): number {
    return this.tip?.length ?? 0
  }

  get fork(): number {
    return this.tip?.fork ?? 0
  }

  /** Blocks from 0 on without a hole. */
  get contiguous(): number {
    return Math.min(this.have.nextHole(0), this.length)
  }

  /** Whether nothing that is wanted is missing, as far as is known here. */
  get isComplete(): boolean {
    if (this.tipLength > this.length) return false
    if (this.mode === 'full') return this.have.count === this.length
    return this.inFlight.count === 0 && this.nextMissing(this.wanted, 0, lengthMax) === undefined
  }

  /** The first run from `from` on of blocks that are wanted, that `theirs` has, and that are neither here nor asked for. */
  nextMissing(theirs: Bitmap, from: number, end: number): readonly [start: number, end: number] | undefined {
    const { wanted, have, inFlight } = this
    const isFull = this.mode === 'full'
    for (let at = from; ;) {
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
