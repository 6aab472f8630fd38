import { Bitmap } from '../bitmap.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { TreeHash } from '../hash.ts'
import type { DataMessage, ProofMessage } from '../messages.ts'
import { lengthMax } from '../numbering.ts'
import { chooseBlocks } from './choice.ts'
import type { FeedHead, StoredGroup } from './feed-store.ts'
import { Doubts } from './doubts.ts'
import { IncomingAnswer } from './incoming-answer.ts'
import type { Replica } from './replica.ts'
import type { RemotePeer, Request, Say, SharedFeed } from './shared-feed.ts'
import { noteUseful, noteUseless } from './useless.ts'
import { malformed } from '../../wire/reader.ts'

/** No request asks for less, unless nothing more is missing. */
export const requestBytesMin: number = 64 * 1024
const { pushBytes, requestBlocks, requestRuns, servedRequests } = defaultLimits
/** So many may wait to be answered at the other side, which counts those too that were taken back a moment ago. */
export const openRequestsMax: number = servedRequests / 2
/** Of the window: nothing is asked for before so much of it is free. */
export const requestShareMin: number = 1 / 4

export interface DownloadEvents {
  /** Blocks that were asked for may be asked for again. */
  freed(replica: Replica, start: number, end: number): void
  /** Verified blocks are durable, or, when `isStored` is false, could not be stored. */
  stored(shared: SharedFeed, isStored: boolean, head: FeedHead | undefined, groups: readonly StoredGroup[]): void
}

/** Asks one peer for blocks, and takes what it answers: verifies it and has it stored. Throws what a peer has to be ended with. */
export class Downloads {
  readonly #peer: RemotePeer
  readonly #say: Say
  readonly #hash: TreeHash
  readonly #events: DownloadEvents

  constructor(peer: RemotePeer, say: Say, hash: TreeHash, events: DownloadEvents) {
    this.#peer = peer
    this.#say = say
    this.#hash = hash
    this.#events = events
  }

  /** Asks for what is missing here and is there, until as much is on its way as the window takes. */
  fill(now: number): void {
    const { hungry, window } = this.#peer
    if (now < this.#peer.restsUntil || this.#peer.isGone) return
    for (const shared of hungry) {
      for (let isAsking = true; isAsking;) {
        // Not for each block that has become durable: a request of two blocks costs what one of a thousand does.
        if (this.#peer.owedBytes > window.bytes * (1 - requestShareMin)) return
        if (this.#peer.openRequests >= openRequestsMax) return
        isAsking = this.#ask(shared, now)
      }
      hungry.delete(shared)
    }
  }

  /** The proof that begins an answer, or what the peer sends unasked. */
  takeProof(shared: SharedFeed, message: ProofMessage, now: number): void {
    const { request: number, length, known, runs, groupLevel, nodes } = message
    const { replica, head } = shared
    const shape = { known, length, ranges: runs, groupLevel }
    const request = number === 0 ? this.#unasked(shared, message, now) : shared.requests.get(number)
    if (request === undefined) return noteUseless(this.#peer, nodes.length)
    if (request.answer !== undefined && !request.answer.isComplete) throw malformed('a proof within an answer')
    if (!shared.isOnFork || message.fork !== replica.fork || head?.length !== length)
      throw malformed('a proof without its head')
    if (known !== 0 && known !== request.known) throw malformed('a proof from a length that was not asked for')
    for (let at = 0; at < runs.length; at += 2)
      if (!covers(request.pending, runs, at)) throw malformed('blocks not asked for')
    if (!request.isAnswered && number !== 0) this.#peer.window.noteAnswer(now - request.sentAt)
    request.isAnswered = true
    request.progressAt = now
    request.isLast = message.last
    request.isProofKept = false
    request.head = head
    // What was proven from another length than the one of now could be of a fork; whoever was faster has brought it already.
    if (length > replica.tipLength && known !== replica.tipLength) return this.#drop(shared, request)
    const trust = { root: head.root, peaks: known === 0 ? undefined : request.peaks }
    const bytesMax = request.bytes - request.receivedBytes
    request.answer = new IncomingAnswer(this.#hash, shape, nodes, trust, Math.max(0, bytesMax))
    this.#settle(shared, request, [])
  }

  /** Blocks of an answer. */
  takeData(shared: SharedFeed, { request: number, blocks }: DataMessage, now: number): void {
    const bytes = blocks.reduce((sum, block) => sum + block.length, 0)
    const request = number === 0 ? shared.pushed : shared.requests.get(number)
    if (request?.answer === undefined) return noteUseless(this.#peer, bytes)
    request.progressAt = now
    request.receivedBytes += bytes
    noteUseful(this.#peer, bytes)
    if (number !== 0) this.#peer.window.noteBytes(bytes, now)
    this.#settle(shared, request, request.answer.take(blocks))
  }

  /** Nothing more comes of it (0: of what is pushed): what is missing may be asked for elsewhere. */
  release(shared: SharedFeed, number: number): void {
    const request = number === 0 ? shared.pushed : shared.requests.get(number)
    if (request !== undefined) this.#drop(shared, request)
  }

  /** The peer refuses: what is still owed is not there. */
  refused(shared: SharedFeed, number: number, now: number): void {
    const request = number === 0 ? shared.pushed : shared.requests.get(number)
    if (request !== undefined) this.#disbelieve(shared, request, now)
    this.release(shared, number)
  }

  /** The same for all of a feed. */
  releaseAll(shared: SharedFeed): void {
    for (const number of shared.requests.keys()) this.release(shared, number)
    this.release(shared, 0)
  }

  #ask(shared: SharedFeed, now: number): boolean {
    const { replica, head } = shared
    if (head === undefined || !shared.isShared || !shared.isOnFork || !replica.isStoring(now)) return false
    const room = this.#peer.window.bytes - this.#peer.owedBytes
    const most = Math.min(Math.max(requestBytesMin, this.#peer.window.bytes / 2), Math.max(requestBytesMin, room))
    const blockBytes = Math.max(1, head.bytes / Math.max(1, head.length))
    const blocks = Math.min(requestBlocks, Math.max(1, Math.ceil(most / blockBytes)))
    const pending = chooseBlocks(shared, head.length, blocks)
    if (pending.count === 0) return false
    const runs = pending.runs(0, head.length, requestRuns)
    for (let at = 0; at < runs.length; at += 2) replica.inFlight.add(runs[at] as number, runs[at + 1] as number)
    const bytes = Math.ceil(Math.min(2 * most, pending.count * Math.max(blockBytes * 2, 1_024)))
    const request = this.#open(shared, (shared.lastRequest += 1), pending, bytes, now)
    request.owedBytes = Math.min(bytes, Math.ceil(pending.count * blockBytes))
    this.#peer.owedBytes += request.owedBytes
    shared.requests.set(request.number, request)
    this.#peer.openRequests += 1
    this.#peer.turn = 'chunks'
    const { number, known } = request
    this.#say(shared, 'request', { request: number, fork: replica.fork, known, runs, bytes })
    return true
  }

  #open({ replica }: SharedFeed, number: number, pending: Bitmap, bytes: number, now: number): Request {
    return {
      number,
      known: replica.tipLength,
      peaks: replica.tipPeaks,
      bytes,
      owedBytes: 0,
      receivedBytes: 0,
      pending,
      sentAt: now,
      progressAt: now,
      isAnswered: false,
      answer: undefined,
      head: undefined,
      isLast: false,
      isProofKept: false,
    }
  }

  /** What is pushed counts as a request, when it follows on what is here and nobody else was asked for it. */
  #unasked(shared: SharedFeed, { fork, known, runs }: ProofMessage, now: number): Request | undefined {
    const { replica } = shared
    const [start, end] = runs
    if (shared.pushed !== undefined) throw malformed('a proof within an answer')
    if (start === undefined || end === undefined || runs.length !== 2) return undefined
    if (end <= (shared.head?.length ?? 0)) shared.have.add(start, end)
    shared.look(start, end)
    const isFree = replica.have.next(start, end) === undefined && replica.inFlight.next(start, end) === undefined
    const isNext = fork === replica.fork && known === replica.tipLength
    if (!isNext || !isFree || !replica.isLive || !replica.isStoring(now)) return undefined
    replica.inFlight.add(start, end)
    const pending = everything(start, end)
    shared.pushed = this.#open(shared, 0, pending, pushBytes, now)
    return shared.pushed
  }

  /** Has stored what is verified, and closes a request that is answered. */
  #settle(shared: SharedFeed, request: Request, groups: readonly StoredGroup[]): void {
    const { answer } = request
    const proven = answer?.proven
    if (answer === undefined || proven === undefined) return
    const { known, length } = answer.shape
    if (!request.isProofKept && length > shared.replica.tipLength && known !== shared.replica.tipLength)
      return this.#drop(shared, request)
    for (const { start, blocks } of groups) {
      request.pending.remove(start, start + blocks.length)
      shared.have.add(start, start + blocks.length)
    }
    const isNew = !request.isProofKept
    request.isProofKept = true
    if (isNew || groups.length > 0) this.#store(shared, request, isNew, groups)
    if (!answer.isComplete || !request.isLast) return
    // An answer of nothing at all would be asked for again and again.
    if (answer.shape.ranges.length === 0) this.#disbelieve(shared, request, request.progressAt)
    this.#drop(shared, request)
  }

  #drop(shared: SharedFeed, request: Request): void {
    if (request.number === 0) shared.pushed = undefined
    else if (shared.requests.delete(request.number)) this.#peer.openRequests -= 1
    this.#forget(shared, request)
  }

  /** The peer does not have what it seemed to, for now. */
  #disbelieve(shared: SharedFeed, request: Request, now: number): void {
    const runs = request.pending.runs(0, lengthMax, Infinity)
    shared.doubts ??= new Doubts()
    shared.doubts.note(runs, now)
    for (let at = 0; at < runs.length; at += 2) shared.have.remove(runs[at] as number, runs[at + 1] as number)
  }

  #store(shared: SharedFeed, request: Request, isNew: boolean, groups: readonly StoredGroup[]): void {
    const { replica } = shared
    const { answer, head } = request
    const proven = answer?.proven
    if (answer === undefined || proven === undefined || head === undefined) return
    const grows = isNew && answer.shape.length > replica.tipLength
    if (grows) {
      replica.tip = head
      replica.tipPeaks = proven.peaks
    }
    const bytes = groups.reduce((sum, { blocks }) => blocks.reduce((one, block) => one + block.length, sum), 0)
    const owed = Math.min(request.owedBytes, bytes)
    request.owedBytes -= owed
    const { epoch } = replica
    const batch = {
      fork: replica.fork,
      head: grows ? head : undefined,
      peaks: grows ? proven.peaks : undefined,
      positions: isNew ? proven.positions : [],
      hashes: isNew ? proven.hashes : new Uint8Array(0),
      groups,
    }
    const handedAt = request.progressAt
    replica.store.store(batch, (isStored, now) => {
      this.#peer.owedBytes -= owed
      if (isStored && now !== undefined) this.#peer.window.noteStored(now - handedAt)
      if (epoch !== replica.epoch) return
      for (const { start, blocks } of groups) {
        replica.inFlight.remove(start, start + blocks.length)
        if (isStored) replica.have.add(start, start + blocks.length)
      }
      if (grows) settleTip(replica, isStored, head, proven.peaks)
      this.#events.stored(shared, isStored, grows ? head : undefined, groups)
    })
  }

  /** Frees what it has not brought. */
  #forget({ replica }: SharedFeed, request: Request): void {
    this.#peer.owedBytes -= request.owedBytes
    request.owedBytes = 0
    const runs = request.pending.runs(0, lengthMax, Infinity)
    for (let at = 0; at < runs.length; at += 2) replica.inFlight.remove(runs[at] as number, runs[at + 1] as number)
    if (this.#peer.owedBytes === 0) this.#peer.window.noteIdle()
    if (runs.length > 0) this.#events.freed(replica, runs[0] as number, runs.at(-1) as number)
  }
}

/** A head that was verified is durable, or could not be stored: then proofs go on from the last one that was. */
function settleTip(replica: Replica, isStored: boolean, head: FeedHead, peaks: Uint8Array): void {
  if (isStored && head.length > replica.length) {
    replica.head = head
    replica.peaks = peaks
  }
  if (isStored) return
  replica.tip = replica.head
  replica.tipPeaks = replica.peaks
}

function everything(start: number, end: number): Bitmap {
  const bitmap = new Bitmap()
  bitmap.add(start, end)
  return bitmap
}

function covers(pending: Bitmap, runs: readonly number[], at: number): boolean {
  return pending.nextHole(runs[at] as number) >= (runs[at + 1] as number)
}
