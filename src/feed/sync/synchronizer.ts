import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { Verify } from '../../identity/signature.ts'
import type { TreeHash } from '../hash.ts'
import { decodeFeedMessage, infoFlags, refusals, type FeedMessage } from '../messages.ts'
import { Downloads } from './downloads.ts'
import { Failures } from './failures.ts'
import type { FeedHead, StoredGroup } from './feed-store.ts'
import { findHandOvers } from './hand-over.ts'
import { Heads, type HeadEvents } from './heads.ts'
import { News } from './news.ts'
import { Openings } from './openings.ts'
import { Peers, type Connected } from './peers.ts'
import { Renewals } from './renewals.ts'
import type { Replica } from './replica.ts'
import { Serving } from './serving.ts'
import { RemotePeer, type RemoteOptions, type RemotePort, type SharedFeed } from './shared-feed.ts'
import { findSlow, releaseSlow } from './slow.ts'
import { snapshotOf, type PeerSnapshot } from './snapshot.ts'
import { malformed } from '../../wire/reader.ts'

/** Of some 200 bytes each. */
const { feedExtents: extentsMax } = defaultLimits

/** What a synchronizer tells whoever runs it. */
export interface SynchronizerEvents extends HeadEvents {
  /** Blocks are durable; the head when the feed has grown. */
  stored?(replica: Replica, groups: readonly StoredGroup[], head: FeedHead | undefined): void
  /** Its writer has truncated it: nothing of it is here, and it is fetched anew. */
  renewed?(replica: Replica): void
  /**
   * A peer says something of a feed that an extension of this name understands. What the handler throws as a `PlaitError` ends the peer.
   * No more than `extensionsPerSecond` of one peer are handed on; the payload is the handler's.
   */
  extension?(replica: Replica, peer: RemotePeer, name: string, payload: Uint8Array): void
  /** A peer was ended for what it has done. */
  ended?(peer: RemotePeer, error: PlaitError): void
}

export interface SynchronizerOptions {
  readonly hash: TreeHash
  readonly verify: Verify
  readonly events?: SynchronizerEvents
}

/**
 * All feeds of a node and all peers that share some of them: who has what, who is asked for what, who is answered. Without I/O: it is
 * told what has come and what the time is, and sends, reads and stores through ports.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions
  readonly #replicas = new Set<Replica>()
  readonly #peers = new Peers()
  readonly #failures = new Failures()
  readonly #news: News
  readonly #openings: Openings
  readonly #heads: Heads
  readonly #renewals: Renewals
  /** Replicas whose store has failed of late. */
  readonly #resting = new Set<Replica>()
  #now = 0
  #isFilling = false

  constructor(options: SynchronizerOptions) {
    this.#options = options
    this.#news = new News(this.#peers.say)
    this.#openings = new Openings(options.hash, this.#peers)
    this.#renewals = new Renewals(this.#peers, this.#renewed)
    this.#heads = new Heads(options, this.#peers, this.#renewals)
  }

  get peers(): readonly RemotePeer[] {
    return this.#peers.all
  }

  /** Whether `tick` need not be called until something else is. */
  get isIdle(): boolean {
    if (this.#resting.size > 0) return false
    return this.#peers.all.every((peer) => {
      for (const { requests, pushed } of peer.byReplica.values())
        if (requests.size > 0 || pushed !== undefined) return false
      return true
    })
  }

  /** What it is doing, for each peer and feed. */
  snapshot(): readonly PeerSnapshot[] {
    return snapshotOf(this.#peers.all)
  }

  /** Shares a feed with every peer that knows it too. */
  add(replica: Replica, now: number): void {
    this.#now = now
    this.#replicas.add(replica)
    if (replica.isRenewing) this.#resting.add(replica)
    for (const peer of this.#peers.all) this.#openings.open(this.#openings.offer(peer, replica))
    this.#fill()
  }

  remove(replica: Replica): void {
    this.#replicas.delete(replica)
    for (const { shared } of this.#peers.offered(replica)) this.#openings.close(shared)
  }

  /** A circuit to a peer is there. Undefined when it has failed too often of late. */
  connect(port: RemotePort, options: RemoteOptions, now: number): RemotePeer | undefined {
    this.#now = now
    if (this.#failures.isResting(options.id, now)) return undefined
    const peer = new RemotePeer(port, options)
    const serving = new Serving(peer, this.#peers.say, this.#news)
    const downloads = new Downloads(peer, this.#peers.say, this.#options.hash, {
      stored: this.#stored,
      freed: (replica, start, end) => this.#peers.wake(replica, start, end),
    })
    this.#peers.add(peer, { downloads, serving, replicasByTag: new Map() })
    this.#openings.greet(peer, this.#replicas)
    return peer
  }

  /** The circuit is gone. */
  disconnect(peer: RemotePeer, now: number): void {
    this.#now = now
    const connected = this.#peers.of(peer)
    if (connected === undefined) return
    peer.isGone = true
    this.#peers.delete(peer)
    for (const shared of peer.byReplica.values()) shared.replica.holders.delete(shared.have)
    for (const shared of peer.byReplica.values()) connected.downloads.releaseAll(shared)
    this.#fill()
  }

  /** A message has come; its payload is the synchronizer's. */
  receive(peer: RemotePeer, op: number, payload: Uint8Array, now: number): void {
    this.#now = now
    if (this.#peers.of(peer) === undefined) return
    try {
      this.#take(peer, decodeFeedMessage(op, payload))
    } catch (error) {
      if (!PlaitError.is(error)) throw error
      this.#end(peer, error)
    }
    this.#fill()
  }

  /** The circuit takes more. */
  ready(peer: RemotePeer, now: number): void {
    this.#now = now
    peer.isWritable = true
    this.#news.goOn(peer)
    this.#peers.of(peer)?.serving.pump()
    this.#fill()
  }

  /**
   * The writer here has appended: the blocks are durable, and `head` is signed. Not to be done while the replica `isBehind`: what was
   * appended nevertheless is a fork, and is proven to be one.
   */
  appended(replica: Replica, head: FeedHead, peaks: Uint8Array, now: number): void {
    this.#now = now
    if (head.fork !== replica.fork || head.length <= replica.length) return this.#heads.compare(replica, head)
    if (replica.isBehind) {
      this.#peers.takeBack(replica)
      replica.abandon()
    }
    replica.append(head, peaks)
    for (const { shared, connected } of this.#peers.offered(replica)) {
      if (!shared.isShared) this.#openings.open(shared)
      else if ((shared.flags & infoFlags.follows) !== 0) connected.serving.push(shared)
      else this.#news.tellAll(shared)
    }
  }

  /**
   * The writer here has truncated the feed: `head` is signed, of a larger fork, and no longer than the feed was; the store has the blocks
   * below it, and none beyond. All copies give up what they have of the older fork, and fetch it anew: whoever lacks blocks itself should
   * have them back before.
   */
  truncated(replica: Replica, head: FeedHead, peaks: Uint8Array, now: number): void {
    this.#now = now
    assert(replica.isWriter && head.fork > replica.fork && head.length <= replica.length, 'a truncated feed')
    this.#renewals.truncate(replica, head, peaks)
    this.#tellAll(replica)
    this.#fill()
  }

  /**
   * Blocks that were here are not any more, because they were found rotten or were given up: nobody is told any longer that they are here,
   * and those that are wanted are fetched again. What is stored of them later is stored as if they had never been here.
   */
  lost(replica: Replica, start: number, end: number, now: number): void {
    this.#now = now
    const stop = Math.min(end, replica.length)
    for (let at = start; at < stop;) {
      const runs = replica.have.runs(at, stop, defaultLimits.feedRuns)
      if (runs.length === 0) break
      at = runs.at(-1) as number
      replica.have.remove(runs[0] as number, at)
      for (const { shared } of this.#peers.offered(replica)) this.#news.tellUnhave(shared, runs)
    }
    this.#peers.wake(replica, start, stop)
    this.#fill()
  }

  /**
   * Says something to the same extension of a peer, or of all peers that share the feed: a name of at most 64 bytes, a payload of at most
   * 64 KiB. Nothing is queued: returns to how many it went, which have opened the feed and take more now. They may drop it.
   */
  extend(replica: Replica, peer: RemotePeer | undefined, name: string, payload: Uint8Array): number {
    let sent = 0
    for (const { shared } of this.#peers.offered(replica)) {
      if ((peer !== undefined && shared.peer !== peer) || !shared.isShared || !shared.peer.isWritable) continue
      this.#peers.say(shared, 'extension', { name, payload })
      sent += 1
    }
    return sent
  }

  /** Blocks of a sparse replica that are to be fetched. */
  want(replica: Replica, start: number, end: number, now: number): void {
    this.#now = now
    replica.wanted.add(start, end)
    this.#peers.wake(replica, start, end)
    for (const { shared } of this.#peers.offered(replica)) {
      if (shared.isShared) this.#peers.say(shared, 'want', { start, end })
      else this.#openings.open(shared)
    }
    this.#fill()
  }

  /** Looks for what does not move. To be called some times a second while anything is on its way, or a store has failed. */
  tick(now: number): void {
    this.#now = now
    for (const replica of this.#resting) {
      if (replica.backoff.isResting(now)) continue
      this.#resting.delete(replica)
      this.#renewals.retry(replica)
      this.#peers.wake(replica)
    }
    for (const { peer, shared, number, isDead } of findSlow(this.#peers.all, now)) {
      const { downloads } = this.#peers.of(peer) as Connected
      if (isDead)
        this.#end(peer, new PlaitError('TIMEOUT', 'the peer has stopped answering requests', { traced: false }))
      else releaseSlow(peer, shared, number, now, this.#peers.say, downloads)
    }
    for (const { shared, request, to } of findHandOvers(this.#peers.all, now)) {
      this.#peers.say(shared, 'cancel', { request: request.number })
      this.#peers.of(shared.peer)?.downloads.release(shared, request.number)
      this.#peers.of(to)?.downloads.fill(now)
    }
    this.#fill()
  }

  /** Asks every peer for what is missing. Once for each event, however deep what it sets off goes. */
  #fill(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    for (const peer of this.#peers.all) this.#peers.of(peer)?.downloads.fill(this.#now)
    this.#isFilling = false
  }

  #take(peer: RemotePeer, message: FeedMessage): void {
    const { name, value } = message
    if (name === 'open') return this.#openings.takeOpen(peer, value)
    if (name === 'summary') return this.#openings.takeSummary(peer, value)
    const shared = peer.byTheirNumber.get(value.feed)
    if (shared === undefined) {
      if (name === 'close' && peer.strangeTags.delete(value.feed)) return
      throw malformed('a message about a feed that is not shared')
    }
    if (name === 'close') {
      this.#openings.close(shared)
      peer.byTheirNumber.delete(value.feed)
    } else if (shared.isShared) this.#takeShared(shared, message)
  }

  #takeShared(shared: SharedFeed, { name, value }: FeedMessage): void {
    const { downloads, serving } = this.#peers.of(shared.peer) as Connected
    switch (name) {
      case 'head':
        return this.#heads.takeHead(shared, value)
      case 'info':
        return this.#heads.takeInfo(shared, value)
      case 'have':
        shared.look(value.runs[0] as number, value.runs.at(-1) as number)
        return changeRuns(shared, value.runs, true)
      case 'unhave':
        changeRuns(shared, value.runs, false)
        return this.#news.tellLost(shared, value.runs)
      case 'want':
        shared.wants.add(value.start, Math.max(value.start, value.end))
        if (shared.wants.extents > extentsMax) throw beyondExtents()
        return this.#news.tellRuns(shared, value.start, value.end)
      case 'unwant':
        return shared.wants.remove(value.start, Math.max(value.start, value.end))
      case 'request':
        return serving.answer(shared, value)
      case 'cancel':
        return serving.cancel(shared, value.request)
      case 'refuse':
        if (value.reason === refusals.missing) downloads.refused(shared, value.request)
        else downloads.release(shared, value.request)
        if (value.reason !== refusals.missing) shared.peer.restsUntil = this.#now + 250
        return
      case 'proof':
        return downloads.takeProof(shared, value, this.#now)
      case 'data':
        return downloads.takeData(shared, value, this.#now)
      case 'fork':
        return this.#heads.takeFork(shared, value)
      case 'extension':
        if (!shared.peer.extensionQuota.take(this.#now)) return
        return this.#options.events?.extension?.(shared.replica, shared.peer, value.name, value.payload)
      case 'open':
      case 'close':
      case 'summary':
        return
    }
  }

  readonly #stored = (
    from: SharedFeed,
    isStored: boolean,
    head: FeedHead | undefined,
    groups: readonly StoredGroup[],
  ): void => {
    const { replica } = from
    if (isStored) {
      for (const { shared } of this.#peers.offered(replica)) {
        if (shared.isShared) this.#news.tell(shared, groups)
        else if (head !== undefined) this.#openings.open(shared)
      }
      this.#options.events?.stored?.(replica, groups, head)
    }
    this.#settled(replica, isStored)
  }

  /** A copy has begun anew, and may say so when it knows of no block that would. */
  readonly #renewed = (replica: Replica, isDone: boolean): void => {
    if (isDone && replica.head !== undefined) this.#tellAll(replica)
    this.#settled(replica, isDone)
    if (isDone) this.#options.events?.renewed?.(replica)
  }

  #tellAll(replica: Replica): void {
    for (const { shared } of this.#peers.offered(replica)) {
      if (shared.isShared) this.#news.tellAll(shared)
      else this.#openings.open(shared)
    }
  }

  /** The store has done something for a feed, or failed to: then it is left alone for some time. */
  readonly #settled = (replica: Replica, isDone: boolean): void => {
    if (isDone) replica.backoff.succeed()
    else {
      replica.backoff.fail(this.#now)
      this.#resting.add(replica)
      this.#peers.takeBack(replica)
    }
    this.#fill()
  }

  /** Ends a peer for what it has done, and remembers it. */
  #end(peer: RemotePeer, error: PlaitError): void {
    if (peer.isGone) return
    this.#failures.note(peer.options.id, this.#now)
    this.disconnect(peer, this.#now)
    peer.port.end(error)
    this.#options.events?.ended?.(peer, error)
  }
}

/** Blocks that the peer has or has no longer: none beyond its head, and no more places than it may make us remember. */
function changeRuns({ head, have }: SharedFeed, runs: readonly number[], isSet: boolean): void {
  if ((runs.at(-1) as number) > (head?.length ?? 0)) throw malformed('blocks beyond its head')
  for (let at = 0; at < runs.length; at += 2) {
    if (isSet) have.add(runs[at] as number, runs[at + 1] as number)
    else have.remove(runs[at] as number, runs[at + 1] as number)
  }
  if (have.extents > extentsMax) throw beyondExtents()
}

function beyondExtents(): PlaitError {
  const facts = { limit: extentsMax }
  return new PlaitError('LIMIT', 'the other side has said too many places of one feed', { facts, traced: false })
}
