import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import type { Verify } from '../../identity/signature.ts'
import { feedTag } from '../feed-tag.ts'
import { provesFork } from '../fork.ts'
import type { TreeHash } from '../hash.ts'
import { checkHead, headsConflict, type SignedHead } from '../head.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps, infoFlags, refusals } from '../messages.ts'
import type { FeedMessage, FeedMessages, HeadMessage, InfoMessage, OpenMessage } from '../messages.ts'
import { lengthMax } from '../numbering.ts'
import { checkSeal } from '../sealed-name.ts'
import { Downloads } from './downloads.ts'
import { Failures } from './failures.ts'
import type { FeedHead, StoredGroup } from './feed-store.ts'
import { evidenceOf, headsOf, watchForFork } from './fork-watch.ts'
import { News } from './news.ts'
import type { Replica } from './replica.ts'
import { Serving } from './serving.ts'
import { RemotePeer, SharedFeed, type RemoteOptions, type RemotePort, type Say } from './shared-feed.ts'
import { findSlow, releaseSlow } from './slow.ts'
import { snapshotOf, type PeerSnapshot } from './snapshot.ts'
import { isSameBucket, isSummary, summaryFeedsMin, summaryOf } from './summary.ts'
import { malformed } from '../../wire/reader.ts'

/** Of some 200 bytes each. */
const { feedExtents: extentsMax } = defaultLimits

/** What a synchronizer tells whoever runs it. */
export interface SynchronizerEvents {
  /** Blocks are durable; the head when the feed has grown. */
  stored?(replica: Replica, groups: readonly StoredGroup[], head: FeedHead | undefined): void
  /** A longer head was verified; its blocks may be anywhere. */
  heard?(replica: Replica, head: FeedHead): void
  /** The writer has forked its feed, as both heads prove: the feed is frozen. */
  forked?(replica: Replica, heads: readonly [FeedHead, FeedHead]): void
  /** A peer was ended for what it has done. */
  ended?(peer: RemotePeer, error: PlaitError): void
}

export interface SynchronizerOptions {
  readonly hash: TreeHash
  readonly verify: Verify
  readonly events?: SynchronizerEvents
}

interface Connected {
  readonly downloads: Downloads
  readonly serving: Serving
  /** Which feed a tag of the other side is of, in hexadecimal. */
  readonly replicasByTag: Map<string, Replica>
}

/**
 * All feeds of a node and all peers that share some of them: who has what, who is asked for what, who is answered. Without I/O: it is
 * told what has come and what the time is, and sends, reads and stores through ports.
 */
export class Synchronizer {
  readonly #options: SynchronizerOptions
  readonly #replicas = new Set<Replica>()
  readonly #peers = new Map<RemotePeer, Connected>()
  readonly #failures = new Failures()
  readonly #news: News
  #now = 0
  #isFilling = false

  constructor(options: SynchronizerOptions) {
    this.#options = options
    this.#news = new News(this.#say)
  }

  get peers(): IterableIterator<RemotePeer> {
    return this.#peers.keys()
  }

  /** What it is doing, for each peer and feed. */
  snapshot(): readonly PeerSnapshot[] {
    return snapshotOf(this.#peers.keys())
  }

  /** Shares a feed with every peer that knows it too. */
  add(replica: Replica, now: number): void {
    this.#now = now
    this.#replicas.add(replica)
    for (const peer of this.#peers.keys()) this.#open(this.#offer(peer, replica))
    this.#fill()
  }

  remove(replica: Replica): void {
    this.#replicas.delete(replica)
    for (const peer of this.#peers.keys()) {
      const shared = peer.byReplica.get(replica)
      if (shared !== undefined) this.#close(shared)
    }
  }

  /** A circuit to a peer is there. Undefined when it has failed too often of late. */
  connect(port: RemotePort, options: RemoteOptions, now: number): RemotePeer | undefined {
    this.#now = now
    if (this.#failures.isResting(options.id, now)) return undefined
    const peer = new RemotePeer(port, options)
    const serving = new Serving(peer, this.#say, (shared) => this.#news.tellAll(shared))
    const downloads = new Downloads(peer, this.#say, this.#options.hash, {
      stored: this.#stored,
      freed: (replica) => this.#wake(replica),
    })
    this.#peers.set(peer, { downloads, serving, replicasByTag: new Map() })
    this.#greet(peer)
    return peer
  }

  /** The circuit is gone. */
  disconnect(peer: RemotePeer, now: number): void {
    this.#now = now
    const connected = this.#peers.get(peer)
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
    if (!this.#peers.has(peer)) return
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
    for (const [shared, [start, end]] of peer.untold) {
      if (!peer.isWritable) break
      peer.untold.delete(shared)
      if (shared.isShared) this.#news.tellRuns(shared, start, end)
    }
    this.#peers.get(peer)?.serving.pump()
    this.#fill()
  }

  /** The writer here has appended: the blocks are durable, and `head` is signed. */
  appended(replica: Replica, head: FeedHead, peaks: Uint8Array, now: number): void {
    this.#now = now
    replica.have.add(replica.length, head.length)
    replica.head = replica.tip = head
    replica.peaks = replica.tipPeaks = peaks
    for (const [peer, { serving }] of this.#peers) {
      const shared = peer.byReplica.get(replica)
      if (shared?.isShared !== true) this.#open(shared)
      else if ((shared.flags & infoFlags.follows) !== 0) serving.push(shared)
      else this.#news.tellAll(shared)
    }
  }

  /** Blocks of a sparse replica that are to be fetched. */
  want(replica: Replica, start: number, end: number, now: number): void {
    this.#now = now
    replica.wanted.add(start, end)
    for (const peer of this.#peers.keys()) {
      const shared = peer.byReplica.get(replica)
      if (shared?.isShared === true) this.#say(shared, 'want', { start, end })
      else this.#open(shared)
    }
    this.#wake(replica)
    this.#fill()
  }

  /** Looks for what does not move. To be called some times a second while anything is on its way. */
  tick(now: number): void {
    this.#now = now
    for (const { peer, shared, number, isDead } of findSlow([...this.#peers.keys()], now)) {
      const { downloads } = this.#peers.get(peer) as Connected
      if (isDead)
        this.#end(peer, new PlaitError('TIMEOUT', 'the peer has stopped answering requests', { traced: false }))
      else releaseSlow(peer, shared, number, now, this.#say, downloads)
    }
    this.#fill()
  }

  /** Asks every peer for what is missing. Once for each event, however deep what it sets off goes. */
  #fill(): void {
    if (this.#isFilling) return
    this.#isFilling = true
    for (const { downloads } of this.#peers.values()) downloads.fill(this.#now)
    this.#isFilling = false
  }

  /** Something of this feed may have to be asked for, by whoever has it. */
  #wake(replica: Replica): void {
    for (const peer of this.#peers.keys()) {
      const shared = peer.byReplica.get(replica)
      if (shared !== undefined) peer.hungry.add(shared)
    }
  }

  readonly #say: Say = (shared, name, value) => {
    const { peer, ours } = shared
    if (peer.isGone) return
    const message = { ...value, feed: ours } as unknown as FeedMessages[typeof name]
    peer.isWritable = peer.port.send(feedOps[name], encodeFeedMessage(name, message)) && peer.isWritable
  }

  /** Opens all feeds; of many only those that are not complete, and says of the others in which state they are. */
  #greet(peer: RemotePeer): void {
    const shared = [...this.#replicas].flatMap((replica) => this.#offer(peer, replica) ?? [])
    const isShort = shared.length < summaryFeedsMin
    const quiet = isShort ? [] : shared.filter(({ replica }) => replica.isComplete)
    for (const one of shared) if (isShort || !one.replica.isComplete) this.#open(one)
    if (isShort) return
    peer.summary = summaryOf(this.#options.hash, quiet)
    const payload = encodeFeedMessage('summary', { prints: peer.summary })
    peer.isWritable = peer.port.send(feedOps.summary, payload) && peer.isWritable
  }

  /** Opens those of which the other side has another state than this one. */
  #takeSummary(peer: RemotePeer, { prints }: FeedMessages['summary']): void {
    const { summary } = peer
    if (!isSummary(prints)) throw malformed('a summary of no buckets')
    if (summary === undefined) return
    for (const shared of peer.byReplica.values())
      if (!shared.isOpened && !isSameBucket(shared.chairTag, summary, prints)) this.#open(shared)
  }

  /** The other side may find the feed from now on; undefined when there are too many. */
  #offer(peer: RemotePeer, replica: Replica): SharedFeed | undefined {
    if (peer.nextNumber >= defaultLimits.sharedFeeds) return undefined
    const { binding, role } = peer.options
    const tags = {
      chair: feedTag(this.#options.hash, replica.name, binding, 'chair'),
      guest: feedTag(this.#options.hash, replica.name, binding, 'guest'),
    }
    const shared = new SharedFeed(replica, peer, peer.nextNumber, tags.chair)
    peer.nextNumber += 1
    peer.byReplica.set(replica, shared)
    const theirTag = encodeHex(role === 'chair' ? tags.guest : tags.chair)
    this.#peers.get(peer)?.replicasByTag.set(theirTag, replica)
    for (const [number, tag] of peer.strangeTags) {
      if (tag !== theirTag) continue
      peer.strangeTags.delete(number)
      this.#begin(shared, number)
    }
    return shared
  }

  #open(shared: SharedFeed | undefined): void {
    if (shared === undefined || shared.isOpened || shared.replica.isFrozen) return
    shared.isOpened = true
    const { binding, role } = shared.peer.options
    this.#say(shared, 'open', { tag: feedTag(this.#options.hash, shared.replica.name, binding, role) })
  }

  #opened(peer: RemotePeer, { feed, tag }: OpenMessage): void {
    if (peer.byTheirNumber.has(feed) || peer.strangeTags.has(feed)) throw malformed('a feed opened twice')
    const text = encodeHex(tag)
    const replica = this.#peers.get(peer)?.replicasByTag.get(text)
    const shared = replica === undefined ? undefined : peer.byReplica.get(replica)
    if (shared === undefined) peer.strangeTags.set(feed, text)
    else if (shared.theirs !== undefined) throw malformed('a feed opened twice')
    else this.#begin(shared, feed)
  }

  /** Both know the feed: says what is here, and asks what is there. */
  #begin(shared: SharedFeed, theirs: number): void {
    this.#open(shared)
    shared.theirs = theirs
    shared.peer.byTheirNumber.set(theirs, shared)
    shared.replica.holders.add(shared.have)
    const { replica } = shared
    const { fork, length, contiguous, isLive, mode } = replica
    if (replica.head !== undefined) {
      this.#say(shared, 'head', { ...replica.head, known: 0 })
      shared.sentLength = replica.head.length
    }
    const flags = infoFlags.serves | (isLive ? infoFlags.follows : 0)
    this.#say(shared, 'info', { fork, length, contiguous, flags })
    const wanted = mode === 'full' ? [0, lengthMax] : replica.wanted.runs(0, lengthMax, 64)
    for (let at = 0; at < wanted.length; at += 2)
      this.#say(shared, 'want', { start: wanted[at] as number, end: wanted[at + 1] as number })
  }

  #close(shared: SharedFeed): void {
    const { peer } = shared
    this.#peers.get(peer)?.downloads.releaseAll(shared)
    if (!shared.isClosing && shared.isOpened) this.#say(shared, 'close', {})
    shared.isClosing = true
    peer.byReplica.delete(shared.replica)
    shared.replica.holders.delete(shared.have)
  }

  #take(peer: RemotePeer, message: FeedMessage): void {
    const { name, value } = message
    if (name === 'open') return this.#opened(peer, value)
    if (name === 'summary') return this.#takeSummary(peer, value)
    const shared = peer.byTheirNumber.get(value.feed)
    if (shared === undefined) {
      if (name === 'close' && peer.strangeTags.delete(value.feed)) return
      throw malformed('a message about a feed that is not shared')
    }
    if (name === 'close') {
      this.#close(shared)
      peer.byTheirNumber.delete(value.feed)
    } else if (shared.isShared) this.#takeShared(shared, message)
  }

  #takeShared(shared: SharedFeed, { name, value }: FeedMessage): void {
    const { downloads, serving } = this.#peers.get(shared.peer) as Connected
    if (name === 'head' || name === 'info' || name === 'have') shared.peer.hungry.add(shared)
    switch (name) {
      case 'head':
        return this.#takeHead(shared, value)
      case 'info':
        return this.#takeInfo(shared, value)
      case 'have':
        return changeRuns(shared, value.runs, true)
      case 'unhave':
        return changeRuns(shared, value.runs, false)
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
        return this.#takeFork(shared, value)
      case 'open':
      case 'close':
      case 'extension':
      case 'summary':
        return
    }
  }

  #takeHead(shared: SharedFeed, message: HeadMessage): void {
    const { replica } = shared
    const { fork, length, bytes, root, signature } = message
    const head: FeedHead = { fork, length, bytes, root, signature }
    const before = shared.head
    if (before?.length === length && before.signature !== undefined && signature !== undefined) {
      if (bytesEqual(before.signature, signature) && bytesEqual(before.root, root) && before.bytes === bytes) return
    }
    this.#check(replica, head)
    if (before !== undefined && (fork < before.fork || (fork === before.fork && length < before.length)))
      throw malformed('a head behind its last one')
    shared.head = head
    const { tip } = replica
    if (tip !== undefined && headsConflict(withKey(replica, tip), withKey(replica, head))) {
      this.#freeze(replica, tip, head, new Uint8Array(0))
    } else if (fork > replica.fork || (fork === replica.fork && length > replica.tipLength)) {
      if (replica.mode === 'sparse' && replica.isLive && tip?.fork === fork) replica.wanted.add(tip.length, length)
      this.#options.events?.heard?.(replica, head)
    } else if (!replica.isSealed) {
      watchForFork(this.#options.hash, replica, head, (longer, nodes) => this.#freeze(replica, head, longer, nodes))
    }
  }

  /** Throws unless the writer has signed it, or the feed has its name from it. */
  #check(replica: Replica, head: FeedHead): void {
    if (replica.isSealed) checkSeal(this.#options.hash, replica.name, head)
    else checkHead(this.#options.verify, withKey(replica, head))
  }

  #takeInfo(shared: SharedFeed, { fork, length, contiguous, flags }: InfoMessage): void {
    const most = shared.head?.length ?? 0
    if (length > most || contiguous > length) throw malformed('more than its head has')
    shared.flags = flags
    if (fork !== shared.replica.fork && shared.replica.tip !== undefined) return
    shared.knownLength = length
    shared.have.add(0, contiguous)
  }

  #takeFork(shared: SharedFeed, message: FeedMessages['fork']): void {
    const { replica } = shared
    const [shorter, longer] = headsOf(message)
    if (replica.isSealed) throw malformed('a fork of what cannot change')
    this.#check(replica, shorter)
    this.#check(replica, longer)
    const isFork = provesFork(this.#options.hash, withKey(replica, shorter), withKey(replica, longer), message.nodes)
    if (!isFork) throw malformed('a fork that is none')
    this.#freeze(replica, shorter, longer, message.nodes)
  }

  /** The writer has forked: says so to all, and does nothing more about the feed. */
  #freeze(replica: Replica, shorter: FeedHead, longer: FeedHead, nodes: Uint8Array): void {
    if (replica.isFrozen) return
    const evidence = evidenceOf(shorter, longer, nodes)
    for (const [peer, { downloads }] of this.#peers) {
      const shared = peer.byReplica.get(replica)
      if (shared === undefined) continue
      downloads.releaseAll(shared)
      if (shared.isShared && evidence !== undefined) this.#say(shared, 'fork', evidence)
    }
    replica.isFrozen = true
    this.#options.events?.forked?.(replica, [shorter, longer])
  }

  readonly #stored = (
    from: SharedFeed,
    isStored: boolean,
    head: FeedHead | undefined,
    groups: readonly StoredGroup[],
  ): void => {
    const { replica } = from
    if (isStored) {
      for (const peer of this.#peers.keys()) {
        const shared = peer.byReplica.get(replica)
        if (shared?.isShared === true) this.#news.tell(shared, groups)
        else if (head !== undefined) this.#open(shared)
      }
      this.#options.events?.stored?.(replica, groups, head)
    } else this.#takeBack(replica)
    this.#fill()
  }

  /** Takes all requests for a feed back: what they went on from was not stored. */
  #takeBack(replica: Replica): void {
    for (const [peer, { downloads }] of this.#peers) {
      const shared = peer.byReplica.get(replica)
      if (shared === undefined) continue
      for (const request of shared.requests.keys()) if (shared.isShared) this.#say(shared, 'cancel', { request })
      downloads.releaseAll(shared)
    }
    this.#wake(replica)
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

function withKey({ name }: Replica, head: FeedHead): SignedHead {
  return { ...head, key: name, signature: head.signature ?? new Uint8Array(0) }
}

function beyondExtents(): PlaitError {
  const facts = { limit: extentsMax }
  return new PlaitError('LIMIT', 'the other side has said too many places of one feed', { facts, traced: false })
}
