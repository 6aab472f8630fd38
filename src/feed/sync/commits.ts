import type { FeedHead, StoredGroup } from './feed-store.ts'
import type { News } from './news.ts'
import type { Openings } from './openings.ts'
import type { Peers } from './peers.ts'
import type { Replica } from './replica.ts'
import type { SharedFeed } from './shared-feed.ts'

export interface CommitEvents {
  /** Blocks are durable; the head when the feed has grown. */
  stored?(replica: Replica, groups: readonly StoredGroup[], head: FeedHead | undefined): void
  /** Its writer has truncated it: nothing of it is here, and it is fetched anew. */
  renewed?(replica: Replica): void
}

/** What stores have done, or failed to do: who is told of it, and which store is left alone for some time. */
export class Commits {
  readonly #peers: Peers
  readonly #news: News
  readonly #openings: Openings
  readonly #events: CommitEvents
  readonly #goOn: () => void
  /** Replicas whose store has failed of late. */
  readonly #resting = new Set<Replica>()

  /** `goOn` asks for what is missing. */
  constructor(peers: Peers, news: News, openings: Openings, events: CommitEvents, goOn: () => void) {
    this.#peers = peers
    this.#news = news
    this.#openings = openings
    this.#events = events
    this.#goOn = goOn
  }

  stored(
    from: SharedFeed,
    isStored: boolean,
    head: FeedHead | undefined,
    groups: readonly StoredGroup[],
    now: number,
  ): void {
    const { replica } = from
    if (isStored) {
      for (const { shared } of this.#peers.offered(replica)) {
        if (shared.isShared) this.#news.tell(shared, groups)
        else if (head !== undefined) this.#openings.open(shared)
      }
      this.#events.stored?.(replica, groups, head)
    }
    this.#settle(replica, isStored, now)
  }

  /** A copy has begun anew, and may say so when it knows of no block that would. */
  renewed(replica: Replica, isDone: boolean, now: number): void {
    if (isDone && replica.head !== undefined) this.tellAll(replica)
    this.#settle(replica, isDone, now)
    if (isDone) this.#events.renewed?.(replica)
  }

  /** Says to everybody how far the feed reaches now. */
  tellAll(replica: Replica): void {
    for (const { shared } of this.#peers.offered(replica)) {
      if (shared.isShared) this.#news.tellAll(shared)
      else this.#openings.open(shared)
    }
  }

  /** Some store has failed, and is to be tried again. */
  get isResting(): boolean {
    return this.#resting.size > 0
  }

  /** Something has to be done again for it when `rested` says so. */
  rest(replica: Replica): void {
    this.#resting.add(replica)
  }

  /** Those that have rested for long enough; each is returned once. */
  rested(now: number): readonly Replica[] {
    const rested = [...this.#resting].filter(({ backoff }) => !backoff.isResting(now))
    for (const replica of rested) this.#resting.delete(replica)
    return rested
  }

  #settle(replica: Replica, isDone: boolean, now: number): void {
    if (isDone) replica.backoff.succeed()
    else {
      replica.backoff.fail(now)
      this.rest(replica)
      this.#peers.takeBack(replica)
    }
    this.#goOn()
  }
}
