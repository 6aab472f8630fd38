import { encodeHex } from '../../base/bytes.ts'
import { defaultLimits } from '../../base/limits.ts'
import { evidenceOf } from './fork-watch.ts'
import { feedTag } from '../feed-tag.ts'
import type { TreeHash } from '../hash.ts'
import { encodeFeedMessage, feedOps, type FeedMessages, type OpenMessage } from '../messages.ts'
import { lengthMax } from '../numbering.ts'
import type { News } from './news.ts'
import type { Peers } from './peers.ts'
import type { Replica } from './replica.ts'
import { SharedFeed, type RemotePeer } from './shared-feed.ts'
import { isSameBucket, isSummary, summaryFeedsMin, summaryOf } from './summary.ts'
import { malformed } from '../../wire/reader.ts'

/** WANT messages that open a feed. */
const wantsMax = 64

/** Who shares which feeds: what is offered, opened, found by its tag, said in a summary, and closed. */
export class Openings {
  readonly #hash: TreeHash
  readonly #peers: Peers
  readonly #news: News

  readonly #spent: (peer: RemotePeer) => void

  /** `spent`: a feed is to be shared that was closed before over the same circuit, which takes another circuit. */
  constructor(hash: TreeHash, peers: Peers, news: News, spent: (peer: RemotePeer) => void) {
    this.#hash = hash
    this.#peers = peers
    this.#news = news
    this.#spent = spent
  }

  /** Opens all feeds; of many only those that are not complete, and says of the others in which state they are. */
  greet(peer: RemotePeer, replicas: Iterable<Replica>): void {
    const shared = [...replicas].flatMap((replica) => this.offer(peer, replica) ?? [])
    const isShort = shared.length < summaryFeedsMin
    const quiet = isShort ? [] : shared.filter(({ replica }) => replica.isComplete)
    for (const one of shared) if (isShort || !one.replica.isComplete) this.open(one)
    if (isShort) return
    peer.summary = summaryOf(this.#hash, quiet)
    const payload = encodeFeedMessage('summary', { prints: peer.summary })
    peer.isWritable = peer.port.send(feedOps.summary, payload) && peer.isWritable
  }

  /** Opens those of which the other side has another state than this one. */
  takeSummary(peer: RemotePeer, { prints }: FeedMessages['summary']): void {
    const { summary } = peer
    if (!isSummary(prints)) throw malformed('a summary of no buckets')
    if (summary === undefined) return
    for (const shared of peer.byReplica.values())
      if (!shared.isOpened && !isSameBucket(shared.chairTag, summary, prints)) this.open(shared)
  }

  /** The other side may find the feed from now on; undefined when there are too many, or it may not. */
  offer(peer: RemotePeer, replica: Replica): SharedFeed | undefined {
    const { id, binding, role } = peer.options
    if (peer.nextNumber >= defaultLimits.sharedFeeds || !replica.mayShare(id)) return undefined
    const tags = {
      chair: feedTag(this.#hash, replica.name, binding, 'chair'),
      guest: feedTag(this.#hash, replica.name, binding, 'guest'),
    }
    const theirTag = encodeHex(role === 'chair' ? tags.guest : tags.chair)
    // An OPEN that is on its way could be of before or of now: what was closed is not shared again over this circuit.
    if (peer.closed.has(theirTag)) {
      this.#spent(peer)
      return undefined
    }
    const shared = new SharedFeed(replica, peer, peer.nextNumber, tags.chair, theirTag)
    peer.nextNumber += 1
    peer.byReplica.set(replica, shared)
    this.#peers.of(peer)?.replicasByTag.set(theirTag, replica)
    for (const [number, tag] of peer.strangeTags) {
      if (tag !== theirTag) continue
      peer.strangeTags.delete(number)
      this.#begin(shared, number)
    }
    return shared
  }

  open(shared: SharedFeed | undefined): void {
    if (shared === undefined || shared.isOpened) return
    shared.isOpened = true
    const { binding, role } = shared.peer.options
    this.#peers.say(shared, 'open', { tag: feedTag(this.#hash, shared.replica.name, binding, role) })
  }

  takeOpen(peer: RemotePeer, { feed, tag }: OpenMessage): void {
    if (peer.byTheirNumber.has(feed) || peer.strangeTags.has(feed)) throw malformed('a feed opened twice')
    const text = encodeHex(tag)
    const replica = this.#peers.of(peer)?.replicasByTag.get(text)
    const shared = replica === undefined ? undefined : peer.byReplica.get(replica)
    // What follows was said before the other side has heard that it was closed.
    const closed = peer.closed.get(text)
    if (closed !== undefined) return void peer.byTheirNumber.set(feed, closed)
    if (shared === undefined) peer.strangeTags.set(feed, text)
    else if (shared.theirs !== undefined) throw malformed('a feed opened twice')
    else this.#begin(shared, feed)
  }

  close(shared: SharedFeed): void {
    const { peer } = shared
    const connected = this.#peers.of(peer)
    connected?.downloads.releaseAll(shared)
    connected?.chunkDownloads.releaseAll(shared)
    if (!shared.isClosing && shared.isOpened) this.#peers.say(shared, 'close', {})
    shared.isClosing = true
    connected?.serving.drop(shared)
    connected?.chunkServing.drop(shared)
    peer.byReplica.delete(shared.replica)
    peer.closed.set(shared.theirTag, shared)
    for (const places of [shared.have, shared.wants]) places.clear()
    connected?.replicasByTag.delete(shared.theirTag)
    for (const waiting of [peer.hungry, peer.untold, peer.unsaid, peer.unconfirmed]) waiting.delete(shared)
    shared.replica.holders.delete(shared.have)
  }

  /** Both know the feed: says what is here, and asks what is there. */
  #begin(shared: SharedFeed, theirs: number): void {
    this.open(shared)
    shared.theirs = theirs
    shared.peer.byTheirNumber.set(theirs, shared)
    const { replica } = shared
    // Whoever comes later hears of it, too.
    const evidence = replica.conflict === undefined ? undefined : evidenceOf(replica.conflict)
    if (evidence !== undefined) this.#peers.say(shared, 'fork', evidence)
    if (replica.isFrozen) return
    replica.holders.add(shared.have)
    const { mode, first } = replica
    if (replica.head !== undefined) {
      this.#peers.say(shared, 'head', { ...replica.head, known: 0 })
      shared.sent = replica.head
    }
    this.#news.sayInfo(shared)
    const wanted = mode === 'full' ? [first, lengthMax] : [...replica.wanted.runs(0, lengthMax, wantsMax + 1)]
    // What is too much to be said one by one is said as if all between were wanted too.
    if (wanted.length > 2 * wantsMax) wanted.splice(2 * wantsMax - 1, Infinity, lengthMax)
    for (let at = 0; at < wanted.length; at += 2)
      this.#peers.say(shared, 'want', { start: wanted[at] as number, end: wanted[at + 1] as number })
  }
}
