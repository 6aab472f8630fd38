import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { Verify } from '../../identity/signature.ts'
import type { TreeHash } from '../hash.ts'
import { decodeFeedMessage, infoFlags } from '../messages.ts'
import { lengthMax } from '../numbering.ts'
import { ChunkDownloads } from './chunk-downloads.ts'
import { ChunkServing } from './chunk-serving.ts'
import { Chunks } from './chunks.ts'
import { Commits, type CommitEvents } from './commits.ts'
import { Downloads } from './downloads.ts'
import { Failures } from './failures.ts'
import type { FeedHead } from './feed-store.ts'
import { findHandOvers } from './hand-over.ts'
import { Heads, type HeadEvents } from './heads.ts'
import { Inbox, type InboxEvents } from './inbox.ts'
import { News } from './news.ts'
import { Openings } from './openings.ts'
import { Peers } from './peers.ts'
import { Renewals } from './renewals.ts'
import type { Replica } from './replica.ts'
import { Serving } from './serving.ts'
import { RemotePeer, type RemoteOptions, type RemotePort } from './shared-feed.ts'
import type { ChunkPacker } from './chunk-packer.ts'
import { findSlow, releaseSlow } from './slow.ts'
import { snapshotOf, type PeerSnapshot } from './snapshot.ts'

/** What a synchronizer tells whoever runs it. */
export interface SynchronizerEvents extends HeadEvents, InboxEvents, CommitEvents {
  /** A peer was ended for what it has done. */
  ended?(peer: RemotePeer, error: PlaitError): void
  /** A feed is to be shared that was closed over the circuit to a peer: another circuit should take its place, in a later turn. */
  spent?(peer: RemotePeer): void
}

export interface SynchronizerOptions {
  readonly hash: TreeHash
  readonly verify: Verify
  /** Chunks go and come as they are when absent. */
  readonly packer?: ChunkPacker
  readonly events?: SynchronizerEvents
}

/**
 * All feeds of a node and all peers that share some of them: who has what, who is asked for what, who is answered. Without I/O: it is
 * told what has come and what the time is, and sends, reads and stores through ports.
 */
export class Synchronizer {
  /** What is wanted besides blocks. */
  readonly chunks: Chunks
  readonly #options: SynchronizerOptions
  readonly #replicas = new Set<Replica>()
  readonly #peers = new Peers()
  readonly #failures = new Failures()
  readonly #news: News
  readonly #openings: Openings
  readonly #heads: Heads
  readonly #renewals: Renewals
  readonly #inbox: Inbox
  readonly #commits: Commits
  #now = 0
  #isFilling = false

  constructor(options: SynchronizerOptions) {
    this.#options = options
    this.#news = new News(this.#peers.say)
    const { hash, events = {} } = options
    this.#openings = new Openings(hash, this.#peers, this.#news, (peer) => events?.spent?.(peer))
    this.#commits = new Commits(this.#peers, this.#news, this.#openings, events, () => this.#fill())
    this.#renewals = new Renewals(this.#peers, (replica, isDone) => this.#commits.renewed(replica, isDone, this.#now))
    this.#heads = new Heads(options, this.#peers, this.#renewals)
    this.chunks = new Chunks(this.#peers, this.#openings, (now) => {
      this.#now = now
      this.#fill()
    })
    this.#inbox = new Inbox(this.#peers, this.#openings, this.#heads, this.#news, this.chunks, events)
  }

  get peers(): readonly RemotePeer[] {
    return this.#peers.all
  }

  /** Whether `tick` need not be called until something else is. */
  get isIdle(): boolean {
    if (this.#commits.isResting || !this.chunks.isIdle) return false
    return this.#peers.all.every((peer) => {
      // Something to ask for that is not asked for yet: the peer rests.
      if (peer.hungry.size > 0) return false
      for (const { requests, pushed, doubts } of peer.byReplica.values())
        if (requests.size > 0 || pushed !== undefined || doubts?.any === true) return false
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
    if (replica.isRenewing) this.#commits.rest(replica)
    for (const peer of this.#peers.all) this.#openings.open(this.#openings.offer(peer, replica))
    this.#fill()
  }

  remove(replica: Replica): void {
    this.#replicas.delete(replica)
    for (const { shared } of this.#peers.offered(replica)) {
      this.#openings.close(shared)
      this.chunks.leave(shared)
    }
  }

  /** Shares a feed with those peers with whom it may be shared now, and with no others. */
  review(replica: Replica, now: number): void {
    this.#now = now
    for (const peer of this.#peers.all) {
      const shared = peer.byReplica.get(replica)
      const mayShare = replica.mayShare(peer.options.id)
      if (shared !== undefined && !mayShare) {
        this.#openings.close(shared)
        this.chunks.leave(shared)
      }
      if (shared === undefined && mayShare) this.#openings.open(this.#openings.offer(peer, replica))
    }
    this.#fill()
  }

  /** A circuit to a peer is there. Undefined when it has failed too often of late. */
  connect(port: RemotePort, options: RemoteOptions, now: number): RemotePeer | undefined {
    this.#now = now
    if (this.#failures.isResting(options.id, now)) return undefined
    const peer = new RemotePeer(port, options)
    const serving = new Serving(peer, this.#peers.say, this.#news)
    const downloads = new Downloads(peer, this.#peers.say, this.#options.hash, {
      stored: (...stored) => this.#commits.stored(...stored, this.#now),
      freed: (replica, start, end) => this.#peers.wake(replica, start, end),
    })
    const chunkDownloads = new ChunkDownloads(peer, this.#peers.say, this.#options)
    const chunkServing = new ChunkServing(peer, this.#peers.say, this.#options.packer)
    this.#peers.add(peer, { downloads, serving, chunkDownloads, chunkServing, replicasByTag: new Map() })
    this.#openings.greet(peer, this.#replicas)
    this.chunks.join(peer)
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
    for (const shared of peer.byReplica.values()) {
      connected.downloads.releaseAll(shared)
      connected.chunkDownloads.releaseAll(shared)
      this.chunks.leave(shared)
    }
    connected.chunkServing.end()
    this.#fill()
  }

  /** A message has come; its payload is the synchronizer's. */
  receive(peer: RemotePeer, op: number, payload: Uint8Array, now: number): void {
    this.#now = now
    if (this.#peers.of(peer) === undefined) return
    try {
      this.#inbox.take(peer, decodeFeedMessage(op, payload), now)
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
    this.#peers.of(peer)?.chunkServing.pump()
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
    this.#commits.tellAll(replica)
    this.#fill()
  }

  /**
   * Blocks that were here are not any more, because they were found rotten or were given up: nobody is told any longer that they are here,
   * and those that are wanted are fetched again: who gives up blocks of a sparse replica should `unwant` them before. What comes of them
   * is stored as if they had never been here.
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
    // Who needs the beginning learns that it is not kept any more.
    if (end <= replica.first)
      for (const { shared } of this.#peers.offered(replica)) if (shared.isShared) this.#news.sayInfo(shared)
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

  /** All blocks of a sparse replica are to be fetched from now on, those to come too. */
  widen(replica: Replica, now: number): void {
    this.#now = now
    replica.mode = 'full'
    replica.isLive = true
    this.#peers.wake(replica)
    for (const { shared } of this.#peers.offered(replica)) {
      if (!shared.isShared) this.#openings.open(shared)
      else {
        this.#news.sayInfo(shared)
        this.#peers.say(shared, 'want', { start: 0, end: lengthMax })
      }
    }
    this.#fill()
  }

  /** Blocks of a sparse replica that are not to be fetched any more; what was asked for comes nevertheless. */
  unwant(replica: Replica, start: number, end: number, now: number): void {
    this.#now = now
    replica.wanted.remove(start, end)
    for (const { shared } of this.#peers.offered(replica))
      if (shared.isShared) this.#peers.say(shared, 'unwant', { start, end })
  }

  /** Looks for what does not move. To be called some times a second while anything is on its way, or a store has failed. */
  tick(now: number): void {
    this.#now = now
    for (const replica of this.#commits.rested(now)) {
      this.#renewals.retry(replica)
      this.#peers.wake(replica)
    }
    this.#believeAgain()
    this.chunks.believeAgain(now)
    for (const { peer, shared, number, isDead } of findSlow(this.#peers.all, now)) {
      if (isDead)
        this.#end(peer, new PlaitError('TIMEOUT', 'the peer has stopped answering requests', { traced: false }))
      else releaseSlow(peer, shared, number, now, this.#peers)
    }
    for (const { shared, request, to } of findHandOvers(this.#peers.all, now)) {
      this.#peers.say(shared, 'cancel', { request: request.number })
      this.#peers.release(shared, request.number)
      this.#ask(to)
    }
    this.#fill()
  }

  /** What peers could not give some time ago they may be able to give now. */
  #believeAgain(): void {
    for (const { byReplica } of this.#peers.all) {
      for (const shared of byReplica.values()) {
        const runs = shared.doubts?.due(this.#now) ?? []
        for (let at = 0; at < runs.length; at += 2) {
          const [start, end] = [runs[at] as number, runs[at + 1] as number]
          shared.have.add(start, end)
          shared.look(start, end)
        }
      }
    }
  }

  /** Asks every peer for what is missing. Once for each event, however deep what it sets off goes. */
  #fill(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    for (const peer of this.#peers.all) this.#ask(peer)
    this.#isFilling = false
  }

  #ask(peer: RemotePeer): void {
    const isChunksTurn = peer.turn === 'chunks'
    if (isChunksTurn) this.chunks.fill(peer, this.#now)
    this.#peers.of(peer)?.downloads.fill(this.#now)
    if (!isChunksTurn) this.chunks.fill(peer, this.#now)
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
