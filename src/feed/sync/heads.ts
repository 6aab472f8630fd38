import { bytesEqual } from '../../base/bytes.ts'
import type { Verify } from '../../identity/signature.ts'
import { provesFork } from '../fork.ts'
import type { TreeHash } from '../hash.ts'
import { checkHead, headsConflict, type SignedHead } from '../head.ts'
import type { ForkMessage, HeadMessage, InfoMessage } from '../messages.ts'
import { checkSeal } from '../sealed-name.ts'
import type { FeedHead } from './feed-store.ts'
import { evidenceOf, headsOf, watchForFork } from './fork-watch.ts'
import type { Peers } from './peers.ts'
import type { Replica } from './replica.ts'
import type { SharedFeed } from './shared-feed.ts'
import { malformed } from '../../wire/reader.ts'

export interface HeadEvents {
  /** A longer head was verified; its blocks may be anywhere. */
  heard?(replica: Replica, head: FeedHead): void
  /** The writer has forked its feed, as both heads prove: the feed is frozen. */
  forked?(replica: Replica, heads: readonly [FeedHead, FeedHead]): void
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

  constructor(options: HeadOptions, peers: Peers) {
    this.#options = options
    this.#peers = peers
  }

  takeHead(shared: SharedFeed, message: HeadMessage): void {
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

  takeInfo(shared: SharedFeed, { fork, length, contiguous, flags }: InfoMessage): void {
    const most = shared.head?.length ?? 0
    if (length > most || contiguous > length) throw malformed('more than its head has')
    shared.flags = flags
    if (fork !== shared.replica.fork && shared.replica.tip !== undefined) return
    shared.knownLength = length
    shared.have.add(0, contiguous)
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
    if (replica.isSealed) checkSeal(this.#options.hash, replica.name, head)
    else checkHead(this.#options.verify, withKey(replica, head))
  }

  /** The writer has forked: says so to all, and does nothing more about the feed. */
  #freeze(replica: Replica, shorter: FeedHead, longer: FeedHead, nodes: Uint8Array): void {
    if (replica.isFrozen) return
    const evidence = evidenceOf(shorter, longer, nodes)
    for (const { shared, connected } of this.#peers.offered(replica)) {
      connected.downloads.releaseAll(shared)
      if (shared.isShared && evidence !== undefined) this.#peers.say(shared, 'fork', evidence)
    }
    replica.isFrozen = true
    this.#options.events?.forked?.(replica, [shorter, longer])
  }
}

function withKey({ name }: Replica, head: FeedHead): SignedHead {
  return { ...head, key: name, signature: head.signature ?? new Uint8Array(0) }
}
