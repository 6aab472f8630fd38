import type { NodeId } from '../../identity/node-id.ts'
import type { Region } from '../ring.ts'
import type { Held } from './archive.ts'

/** Whom a batch reached. */
export interface SpreadReport {
  /** How many others have it, as far as is known. */
  readonly reached: number
  /** How many have not. */
  readonly missing: number
  /** Those of them whose names came back. */
  readonly unreached: readonly NodeId[]
}

/** A member to whom a batch was given. */
export interface Child {
  readonly id: NodeId
  /** What it has to see to; nothing, also when that was taken from it. */
  region: Region | undefined
  readonly isAgain: boolean
  /** `waiting`: for room on the way to it. */
  state: 'waiting' | 'asked' | 'taken'
  attempts: number
  sentAt: number
  dueAt: number
  /** Nobody has to wait for it any more before more is published. */
  isSlow: boolean
  /** How many in its part are seen to by somebody else, of whom it was not told: there was no room for more. */
  untold: number
}

/** Who handed it over, and under which number. */
export interface Order {
  readonly from: NodeId
  readonly ticket: number
}

/** The duty to bring a batch to a part of the ring, or to some members. */
export class Task {
  readonly ticket: number
  readonly held: Held
  readonly hops: number
  readonly isAgain: boolean
  /** Undefined at the author. */
  readonly order: Order | undefined
  readonly childrenById: Map<NodeId, Child> = new Map()
  /** Passed over: they may have got it, and somebody else sees to their part. */
  readonly skipped: Set<NodeId>
  readonly unreached: Set<NodeId> = new Set()
  /** Missing, without a name. */
  nameless = 0
  reached = 0
  /** Children for whom it is worth waiting before more is published. */
  prompt = 0
  /** When the other side has to hear next that this goes on, and when it is over anyhow. */
  tellAt: number
  readonly endsAt: number
  /** Those who get nothing but the batch get the same bytes. */
  leafMessage: Uint8Array | undefined

  constructor(options: {
    readonly ticket: number
    readonly held: Held
    readonly hops: number
    readonly isAgain: boolean
    readonly order?: Order | undefined
    readonly skipped: Iterable<NodeId>
    readonly tellAt: number
    readonly endsAt: number
  }) {
    this.ticket = options.ticket
    this.held = options.held
    this.hops = options.hops
    this.isAgain = options.isAgain
    this.order = options.order
    this.skipped = new Set(options.skipped)
    this.tellAt = options.tellAt
    this.endsAt = options.endsAt
  }

  get report(): SpreadReport {
    return { reached: this.reached, missing: this.unreached.size + this.nameless, unreached: [...this.unreached] }
  }
}
