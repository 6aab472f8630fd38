import type { ChunkFetch } from './chunk-fetch.ts'
import type { Openings } from './openings.ts'
import type { Peers } from './peers.ts'
import type { RemotePeer, SharedFeed } from './shared-feed.ts'

/** All chunks that are wanted here, and of whom. Who has which is not known before it is asked. */
export class Chunks {
  readonly #peers: Peers
  readonly #openings: Openings
  readonly #goOn: (now: number) => void
  readonly #fetches = new Set<ChunkFetch>()

  /** `goOn` asks for what is missing. */
  constructor(peers: Peers, openings: Openings, goOn: (now: number) => void) {
    this.#peers = peers
    this.#openings = openings
    this.#goOn = goOn
  }

  /** Whether nothing is wanted. */
  get isIdle(): boolean {
    return this.#fetches.size === 0
  }

  begin(fetch: ChunkFetch, now: number): void {
    this.#fetches.add(fetch)
    for (const { shared } of this.#peers.offered(fetch.replica)) this.#openings.open(shared)
    this.#goOn(now)
  }

  /** Some that have come were taken: there is room for more. */
  taken(fetch: ChunkFetch, now: number): void {
    if (fetch.isMissingAny) this.#goOn(now)
  }

  /** All have come, or nobody wants them any longer. */
  end(fetch: ChunkFetch, now: number): void {
    if (!this.#fetches.delete(fetch)) return
    for (const { connected } of this.#peers.offered(fetch.replica)) connected.chunkDownloads.stop(fetch)
    this.#goOn(now)
  }

  /** A peer is there. */
  join(peer: RemotePeer): void {
    for (const { replica } of this.#fetches) this.#openings.open(peer.byReplica.get(replica))
  }

  /** A feed is not shared with a peer any more. */
  leave(shared: SharedFeed): void {
    for (const fetch of this.#fetches) fetch.forget(shared)
  }

  /** A peer has said something new of a feed. */
  hear(shared: SharedFeed): void {
    for (const fetch of this.#fetches) fetch.hear(shared)
  }

  believeAgain(now: number): void {
    for (const fetch of this.#fetches) fetch.believeAgain(now)
  }

  /** Asks one peer for as much as it may be asked for, in turn for each who wants some. */
  fill(peer: RemotePeer, now: number): void {
    const downloads = this.#peers.of(peer)?.chunkDownloads
    for (const fetch of this.#fetches) {
      if (downloads?.ask(fetch, now) !== true) continue
      // It comes again behind the others, within this loop.
      this.#fetches.delete(fetch)
      this.#fetches.add(fetch)
    }
  }
}
