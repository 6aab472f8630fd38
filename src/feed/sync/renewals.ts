import { emptyBytes } from '../../base/bytes.ts'
import type { FeedHead } from './feed-store.ts'
import type { Peers } from './peers.ts'
import type { Replica } from './replica.ts'

/**
 * Feeds that begin anew because their writer has taken blocks back: all that is here of the older fork is given up, and so is what was
 * asked for and what is being answered. Which of the blocks are the same no one can say before they are proven again.
 */
export class Renewals {
  readonly #peers: Peers
  readonly #renewed: (replica: Replica, isDone: boolean) => void
  readonly #waiting = new Map<Replica, FeedHead>()

  /** `renewed` is told when blocks of the new fork may be fetched, or that the store has failed: then `retry` is to be called. */
  constructor(peers: Peers, renewed: (replica: Replica, isDone: boolean) => void) {
    this.#peers = peers
    this.#renewed = renewed
  }

  /** A copy, of which nothing stays. `head` is of the new fork. */
  begin(replica: Replica, head: FeedHead): void {
    this.#giveUp(replica, true)
    replica.renew(head.fork)
    this.#waiting.set(replica, head)
    this.#reset(replica, head)
  }

  /** The writer's own, of which the beginning stays. */
  truncate(replica: Replica, head: FeedHead, peaks: Uint8Array): void {
    this.#giveUp(replica, false)
    replica.truncate(head, peaks)
    this.#waiting.delete(replica)
  }

  retry(replica: Replica): void {
    const head = this.#waiting.get(replica)
    if (head !== undefined) this.#reset(replica, head)
  }

  /** Tells who may think otherwise that nothing of it is here, unless its beginning is. */
  #giveUp(replica: Replica, isAll: boolean): void {
    this.#peers.takeBack(replica)
    for (const { shared, connected } of this.#peers.offered(replica)) {
      const { sentLength, isShared } = shared
      connected.serving.drop(shared)
      shared.peer.unsaid.delete(shared)
      shared.knownLength = 0
      if (isAll && isShared && sentLength > 0 && shared.isOnFork)
        this.#peers.say(shared, 'unhave', { runs: [0, sentLength] })
    }
  }

  #reset(replica: Replica, head: FeedHead): void {
    const { epoch } = replica
    replica.store.reset(head.fork, (isReset) => {
      if (epoch !== replica.epoch) return
      // No block ever proves that there is none.
      if (isReset && head.length === 0) this.#storeEmpty(replica, head)
      else this.#end(replica, isReset)
    })
  }

  #storeEmpty(replica: Replica, head: FeedHead): void {
    const { epoch } = replica
    const batch = { fork: head.fork, head, peaks: emptyBytes, positions: [], hashes: emptyBytes, groups: [] }
    replica.store.store(batch, (isStored) => {
      if (epoch !== replica.epoch) return
      if (isStored) replica.head = replica.tip = head
      this.#end(replica, isStored)
    })
  }

  #end(replica: Replica, isDone: boolean): void {
    if (isDone) {
      this.#waiting.delete(replica)
      replica.isRenewing = false
      this.#peers.wake(replica)
    }
    this.#renewed(replica, isDone)
  }
}
