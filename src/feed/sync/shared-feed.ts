import type { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { Bitmap } from '../bitmap.ts'
import type { TagRole } from '../feed-tag.ts'
import type { FeedMessageName, FeedMessages } from '../messages.ts'
import type { ChunkRequest } from './chunk-downloads.ts'
import type { Doubts } from './doubts.ts'
import type { FeedHead } from './feed-store.ts'
import type { IncomingAnswer } from './incoming-answer.ts'
import type { Replica } from './replica.ts'
import { Quota } from './quota.ts'
import { RequestWindow } from './request-window.ts'

/** The circuit to one peer. */
export interface RemotePort {
  /** Takes a message in any case; false when no more should come before `ready`. */
  send(op: number, payload: Uint8Array): boolean
  /** Ends the circuit, for what its other end has done. */
  end(error: PlaitError): void
}

export interface RemoteOptions {
  /** Who it is, as far as failures are remembered: its node id. */
  readonly id: string
  /** What binds the session: at least 16 bytes that no other one has. */
  readonly binding: Uint8Array
  /** Of this side. */
  readonly role: TagRole
}

/** Blocks that were asked for. */
export interface Request {
  readonly number: number
  readonly known: number
  readonly peaks: Uint8Array
  /** Of the blocks, and what is still owed of them, by estimate. */
  readonly bytes: number
  owedBytes: number
  receivedBytes: number
  /** Blocks that have not come. */
  readonly pending: Bitmap
  readonly sentAt: number
  progressAt: number
  isAnswered: boolean
  answer: IncomingAnswer | undefined
  /** The head that the answer is proven by: the peer may have sent a longer one since. */
  head: FeedHead | undefined
  isLast: boolean
  /** What the proof has proven was stored, or is with the first blocks. */
  isProofKept: boolean
}

/** One feed with one peer. */
export class SharedFeed {
  readonly replica: Replica
  readonly peer: RemotePeer
  /** The number that this side uses, and the one that the other does. */
  readonly ours: number
  theirs: number | undefined
  /** The tag of the chair's end, by which both can find the feed in a summary. */
  readonly chairTag: Uint8Array
  /** The one that the other side shows, in hexadecimal. */
  readonly theirTag: string
  /** It was opened here. */
  isOpened = false
  isClosing = false

  /** Its head, verified. */
  head: FeedHead | undefined
  readonly have: Bitmap = new Bitmap()
  /** The first block that it keeps. */
  first = 0
  /** Of those, what it could not give. */
  doubts: Doubts | undefined
  readonly wants: Bitmap = new Bitmap()
  /** Where something may have to be asked for: elsewhere there was nothing when it was looked for last. Nowhere when empty. */
  searchFrom: number = Infinity
  searchTo = 0
  flags = 0
  /** Up to which it can verify, as far as is known here. */
  knownLength = 0
  /** The head that it was sent last. */
  sent: FeedHead | undefined
  /** Blocks from 0 on without a hole that it was told are here. */
  sentContiguous = 0

  readonly requests: Map<number, Request> = new Map()
  readonly chunkRequests: Map<number, ChunkRequest> = new Map()
  /** What it sends without being asked. */
  pushed: Request | undefined
  lastRequest = 0

  /** Up to which it has all blocks that it keeps. */
  get contiguous(): number {
    return this.have.nextHole(this.first)
  }

  constructor(replica: Replica, peer: RemotePeer, ours: number, chairTag: Uint8Array, theirTag: string = '') {
    this.chairTag = chairTag
    this.theirTag = theirTag
    this.replica = replica
    this.peer = peer
    this.ours = ours
  }

  /** Something may have to be asked for from `start` to before `end`. */
  look(start: number, end: number): void {
    this.searchFrom = Math.min(this.searchFrom, start)
    this.searchTo = Math.max(this.searchTo, end)
    this.peer.hungry.add(this)
  }

  /** The last head that it was sent, if it is of the fork on which the replica is: up to there it may be told of blocks. */
  get sentLength(): number {
    return this.sent?.fork === this.replica.fork ? this.sent.length : 0
  }

  /** Both are on the same fork: what it has is what is wanted here. */
  get isOnFork(): boolean {
    return this.head?.fork === this.replica.fork
  }

  /** It has said to have this block. */
  holds(block: number): boolean {
    return this.isShared && this.isOnFork && this.have.has(block)
  }

  get isShared(): boolean {
    return this.theirs !== undefined && !this.isClosing && !this.replica.isFrozen
  }
}

/** One peer, with all feeds that are shared with it. */
export class RemotePeer {
  readonly options: RemoteOptions
  readonly port: RemotePort
  readonly window: RequestWindow = new RequestWindow()
  readonly byReplica: Map<Replica, SharedFeed> = new Map()
  readonly byTheirNumber: Map<number, SharedFeed> = new Map()
  /** Tags that nobody here knows, by the numbers of the other side: a feed that is added later may be one of them. */
  readonly strangeTags: Map<number, string> = new Map()
  /** Feeds of which something may have to be asked for. */
  readonly hungry: Set<SharedFeed> = new Set()
  /** What it wants to know of, and was not told because it did not take more: a first and a last block for each feed. */
  readonly untold: Map<SharedFeed, readonly [start: number, end: number]> = new Map()
  /** Blocks that were lost, and that it was not told of for the same reason. */
  readonly unsaid: Map<SharedFeed, Bitmap> = new Map()
  /** Feeds of which it was not told how far they are here now, for the same reason. */
  readonly unconfirmed: Set<SharedFeed> = new Set()
  /** What its messages of extensions may be handed on by. */
  readonly extensionQuota: Quota = new Quota(defaultLimits.extensionsPerSecond)
  /** Feeds that were closed, by the tags of the other side in hexadecimal. */
  readonly closed: Map<string, SharedFeed> = new Map()
  nextNumber = 0
  /** Requests that it has not answered to their end. */
  openRequests = 0
  /** Bytes that were asked for and are neither stored nor given up. */
  owedBytes = 0
  /** Bytes that came and were of no use. */
  uselessBytes = 0
  /** Bytes that may come of requests that were taken back, and count for nothing. */
  excusedBytes = 0
  /** Which kind may be asked for first, when there is room for one only: the one that was not asked for last. */
  turn: 'blocks' | 'chunks' = 'blocks'
  /** Its requests for chunks that are not answered to their end. */
  servedFetches = 0
  /** Not to be asked before, because it was slow. */
  restsUntil = 0
  strikes = 0
  isGone = false
  /** What was said of the feeds that were not opened at once. */
  summary: Uint8Array | undefined
  isWritable = true

  constructor(port: RemotePort, options: RemoteOptions) {
    this.port = port
    this.options = options
  }
}

/** Sends a message about a feed to a peer. */
export type Say = <Name extends Exclude<FeedMessageName, 'summary'>>(
  shared: SharedFeed,
  name: Name,
  value: Omit<FeedMessages[Name], 'feed'>,
) => void
