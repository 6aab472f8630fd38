import { bytesEqual, emptyBytes } from '../../base/bytes.ts'
import type { Verify } from '../../identity/signature.ts'
import { provesFork, type Conflict } from '../fork.ts'
import type { TreeHash } from '../hash.ts'
import { checkHead, headsConflict, isLaterHead, type SignedHead } from '../head.ts'
import type { ForkMessage, HeadMessage, InfoMessage } from '../messages.ts'
import { checkSeal } from '../sealed-name.ts'
import type { FeedHead } from './feed-store.ts'
import { evidenceOf, headsOf, watchForFork } from './fork-watch.ts'
import type { Peers } from './peers.ts'
import type { Replica } from './replica.ts'
import type { Renewals } from './renewals.ts'
import type { SharedFeed } from './shared-feed.ts'
import { malformed } from '../../wire/reader.ts'

export interface HeadEvents {
  /** A longer head was verified; its blocks may be anywhere. */
  heard?(replica: Replica, head: FeedHead): void
  /**
   * The writer is here, and has heard that it has signed more than is here, or has truncated the feed since: it was restored from an older
   * copy. What it lacks is fetched; what it appended before that would prove a fork.
   */
  behind?(replica: Replica, head: FeedHead): void
  /** A peer has said how much it has. */
  informed?(replica: Replica, shared: SharedFeed): void
  /** The writer has forked its feed, as both heads prove: the feed is frozen. */
  forked?(replica: Replica, conflict: Conflict): void
}

export interface HeadOptions {
  readonly hash: TreeHash
  readonly verify: Verify
  readonly events?: HeadEvents
}

/** How far feeds reach, as their writers have signed it: what peers say of it is checked, and freezes a feed whose writer has forked. */
export class Heads {
  readonly #options: HeadOptions
  readonly #peers: Peers
  readonly #renewals: Renewals

  constructor(options: HeadOptions, peers: Peers, renewals: Renewals) {
    this.#options = options
    this.#peers = peers
    this.#renewals = renewals
  }

  takeHead(shared: SharedFeed, message: HeadMessage): void {
    const { replica } = shared
    const { fork, length, bytes, root, signature } = message
    const head: FeedHead = { fork, length, bytes, root, signature }
    const before = shared.head
    if (before?.length === length && before.signature !== undefined && signature !== undefined) {
      if (bytesEqual(before.signature, signature) && bytesEqual(before.root, root) && before.bytes === bytes) return
    }
    // What is known already was checked before: who confirms what it has says it again and again.
    if (!isSameHead(head, replica.head) && !isSameHead(head, replica.heard)) this.#check(replica, head)
    if (before !== undefined && (fork < before.fork || (fork === before.fork && length < before.length)))
      throw malformed('a head behind its last one')
    if (before !== undefined && fork > before.fork) {
      shared.have.clear()
      shared.doubts = undefined
      shared.knownLength = 0
    }
    shared.head = head
    this.compare(replica, head)
  }

  /**
   * Holds a head that the writer has signed against those that are known: it is a later one, or it may prove a fork.
   * One of an older fork is neither: whoever says it has not heard yet that the writer has truncated the feed.
   */
  compare(replica: Replica, head: FeedHead): void {
    const { fork, tip, heard } = replica
    const other = [tip, heard].find((known) => known !== undefined && areInConflict(replica, known, head))
    if (other !== undefined) this.#freeze(replica, other, head, emptyBytes)
    else if (isLaterHead(head, tip ?? { fork, length: 0 }) || isCutOff(replica, head)) this.#hear(replica, head)
    else if (!replica.isSealed)
      watchForFork(this.#options.hash, replica, head, (longer, nodes) => this.#freeze(replica, head, longer, nodes))
  }

  #hear(replica: Replica, head: FeedHead): void {
    const { heard } = replica
    if (!isLaterHead(head, heard)) return
    replica.heard = head
    if (replica.mode === 'sparse' && replica.isLive && heard !== undefined && head.length > heard.length) {
      const [start, end] = [heard.length, head.length]
      replica.wanted.add(start, end)
      this.#peers.wake(replica, start, end)
      for (const { shared } of this.#peers.offered(replica))
        if (shared.isShared) this.#peers.say(shared, 'want', { start, end })
    }
    this.#options.events?.heard?.(replica, head)
    if (replica.isWriter) this.#options.events?.behind?.(replica, head)
    if (head.fork > replica.fork || isCutOff(replica, head)) this.#renewals.begin(replica, head)
  }

  takeInfo(shared: SharedFeed, { fork, length, first, contiguous, flags }: InfoMessage): void {
    const most = shared.head?.length ?? 0
    if (length > most || contiguous > length || first > contiguous) throw malformed('more than its head has')
    shared.flags = flags
    if (fork !== shared.head?.fork) return
    shared.first = first
    shared.have.add(first, contiguous)
    shared.look(first, contiguous)
    // What it was sent since is on its way to be known there.
    if (shared.isOnFork) shared.knownLength = Math.max(shared.knownLength, length)
    this.#options.events?.informed?.(shared.replica, shared)
  }

  takeFork(shared: SharedFeed, message: ForkMessage): void {
    const { replica } = shared
    const [shorter, longer] = headsOf(message)
    if (replica.isSealed) throw malformed('a fork of what cannot change')
    this.#check(replica, shorter)
    this.#check(replica, longer)
    const isFork = provesFork(this.#options.hash, withKey(replica, shorter), withKey(replica, longer), message.nodes)
    if (!isFork) throw malformed('a fork that is none')
    this.#freeze(replica, shorter, longer, message.nodes)
  }

  /** Throws unless the writer has signed it, or the feed has its name from it. */
  #check(replica: Replica, head: FeedHead): void {
    // Its name says nothing of a fork: whoever claims one would have the whole feed given up.
    if (replica.isSealed && head.fork !== 0) throw malformed('a fork of what cannot change')
    if (replica.isSealed) checkSeal(this.#options.hash, replica.name, head)
    else checkHead(this.#options.verify, withKey(replica, head))
  }

  /** The writer has forked: says so to all, and does nothing more about the feed. */
  #freeze(replica: Replica, shorter: FeedHead, longer: FeedHead, nodes: Uint8Array): void {
    if (replica.isFrozen) return
    const conflict = { one: shorter, other: longer, nodes }
    const evidence = evidenceOf(conflict)
    for (const { shared, connected } of this.#peers.offered(replica)) {
      connected.downloads.releaseAll(shared)
      if (shared.isShared && evidence !== undefined) this.#peers.say(shared, 'fork', evidence)
    }
    replica.freeze(conflict)
    this.#options.events?.forked?.(replica, conflict)
  }
}

/**
 * The writer has taken all blocks back, and here the store was reset for that, and closed before it had the head that says so: no block
 * will ever bring it, and without it nobody else hears of the fork from here.
 */
function isCutOff({ fork, tip, have }: Replica, head: FeedHead): boolean {
  return fork > 0 && head.fork === fork && head.length === 0 && tip === undefined && have.count === 0
}

function areInConflict(replica: Replica, one: FeedHead, other: FeedHead): boolean {
  return headsConflict(withKey(replica, one), withKey(replica, other))
}

function withKey({ name }: Replica, head: FeedHead): SignedHead {
  return { ...head, key: name, signature: head.signature ?? new Uint8Array(0) }
}

function isSameHead(one: FeedHead, other: FeedHead | undefined): boolean {
  if (other?.signature === undefined || one.signature === undefined) return false
  return (
    one.fork === other.fork &&
    one.length === other.length &&
    one.bytes === other.bytes &&
    bytesEqual(one.root, other.root) &&
    bytesEqual(one.signature, other.signature)
  )
}
