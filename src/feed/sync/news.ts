import { defaultLimits } from '../../base/limits.ts'
import type { StoredGroup } from './feed-store.ts'
import type { Say, SharedFeed } from './shared-feed.ts'

/** HAVE messages that answer one WANT. */
const haveMessagesMax = 4

/** Tells peers what is here: heads, and of the blocks those that they want to know of. */
export class News {
  readonly #say: Say

  constructor(say: Say) {
    this.#say = say
  }

  /** Says which blocks of a run that a peer wants to know of are here; later, when it takes nothing now. */
  tellRuns(shared: SharedFeed, start: number, end: number): void {
    const { replica, peer } = shared
    if (!peer.isWritable) {
      const [first, last] = peer.untold.get(shared) ?? [start, end]
      peer.untold.set(shared, [Math.min(first, start), Math.max(last, end)])
      return
    }
    const stop = Math.min(end, replica.length)
    for (let at = start, messages = 0; at < stop && messages < haveMessagesMax; messages += 1) {
      const runs = replica.have.runs(at, stop, defaultLimits.feedRuns)
      if (runs.length === 0) return
      this.#sayHave(shared, runs)
      at = runs.at(-1) as number
    }
  }

  /** Nobody believes that we have what is beyond the head that we have sent. */
  #sayHave(shared: SharedFeed, runs: readonly number[]): void {
    if ((runs.at(-1) as number) > (shared.sentLength ?? 0)) this.sayHead(shared)
    this.#say(shared, 'have', { runs })
  }

  sayHead(shared: SharedFeed): void {
    const { head } = shared.replica
    if (head === undefined || shared.sentLength === head.length) return
    shared.sentLength = head.length
    this.#say(shared, 'head', { ...head, known: 0 })
  }

  /** Says to one peer how far the feed reaches now, and which of the blocks behind what it knew are here. */
  tellAll(shared: SharedFeed): void {
    const from = shared.sentLength ?? 0
    this.sayHead(shared)
    const end = shared.replica.length
    if (shared.wants.next(from, end) !== undefined) this.tellRuns(shared, from, end)
  }

  /** Says what is new here, to who wants to know it and does not have it. */
  tell(shared: SharedFeed, groups: readonly StoredGroup[]): void {
    const { length } = shared.replica
    if (length > (shared.head?.length ?? 0)) this.sayHead(shared)
    const runs: number[] = []
    for (const { start, blocks } of groups) {
      const end = start + blocks.length
      const isNews = shared.have.nextHole(start) < end && shared.wants.next(start, end) !== undefined
      if (!isNews || end > length) continue
      if (runs.at(-1) === start) runs[runs.length - 1] = end
      else if (runs.length === 0 || start > (runs.at(-1) as number)) runs.push(start, end)
    }
    if (runs.length > 0) this.#sayHave(shared, runs)
  }
}
