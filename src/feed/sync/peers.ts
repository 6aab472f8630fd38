import { encodeFeedMessage, feedOps, type FeedMessages } from '../messages.ts'
import { lengthMax } from '../numbering.ts'
import type { ChunkDownloads } from './chunk-downloads.ts'
import type { ChunkServing } from './chunk-serving.ts'
import type { Downloads } from './downloads.ts'
import type { Replica } from './replica.ts'
import type { Serving } from './serving.ts'
import type { RemotePeer, Say, SharedFeed } from './shared-feed.ts'

/** What is done with one peer. */
export interface Connected {
  readonly downloads: Downloads
  readonly serving: Serving
  readonly chunkDownloads: ChunkDownloads
  readonly chunkServing: ChunkServing
  /** Which feed a tag of the other side is of, in hexadecimal. */
  readonly replicasByTag: Map<string, Replica>
}

/** All peers to whom there is a circuit. */
export class Peers {
  readonly #connected = new Map<RemotePeer, Connected>()

  get all(): readonly RemotePeer[] {
    return [...this.#connected.keys()]
  }

  add(peer: RemotePeer, connected: Connected): void {
    this.#connected.set(peer, connected)
  }

  delete(peer: RemotePeer): void {
    this.#connected.delete(peer)
  }

  /** Undefined for one that is gone. */
  of(peer: RemotePeer): Connected | undefined {
    return this.#connected.get(peer)
  }

  /** Every peer that may share the feed, be it opened or not. */
  offered(replica: Replica): readonly { readonly shared: SharedFeed; readonly connected: Connected }[] {
    const offered = []
    for (const [peer, connected] of this.#connected) {
      const shared = peer.byReplica.get(replica)
      if (shared !== undefined) offered.push({ shared, connected })
    }
    return offered
  }

  /** Something of this feed may have to be asked for, by whoever has it. */
  wake(replica: Replica, start = 0, end: number = lengthMax): void {
    for (const { shared } of this.offered(replica)) shared.look(start, end)
  }

  /** Nothing more comes of a request, be it for blocks or for chunks. */
  release(shared: SharedFeed, number: number): void {
    const connected = this.of(shared.peer)
    connected?.downloads.release(shared, number)
    connected?.chunkDownloads.release(shared, number)
  }

  /** Takes all requests for blocks of a feed back. */
  takeBack(replica: Replica): void {
    for (const { shared, connected } of this.offered(replica)) {
      for (const request of shared.requests.keys()) if (shared.isShared) this.say(shared, 'cancel', { request })
      connected.downloads.releaseAll(shared)
    }
    this.wake(replica)
  }

  readonly say: Say = (shared, name, value) => {
    const { peer, ours, isClosing } = shared
    // What was begun before it may end after it.
    if (peer.isGone || isClosing) return
    const message = { ...value, feed: ours } as unknown as FeedMessages[typeof name]
    peer.isWritable = peer.port.send(feedOps[name], encodeFeedMessage(name, message)) && peer.isWritable
  }
}
