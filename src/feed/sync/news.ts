import { defaultLimits } from '../../base/limits.ts'
import { Bitmap } from '../bitmap.ts'
import { isLaterHead } from '../head.ts'
import { infoFlags } from '../messages.ts'
import type { Runs } from '../runs.ts'
import type { StoredGroup } from './feed-store.ts'
import type { RemotePeer, Say, SharedFeed } from './shared-feed.ts'

/** Tells peers what is here and what is not any more: heads, and of the blocks those that they want to know of. */
export class News {
  readonly #say: Say

  constructor(say: Say) {
    this.#say = say
  }

  /** Says which blocks of a run that a peer wants to know of are here, as much as it takes now; the rest when it takes more. */
  tellRuns(shared: SharedFeed, start: number, end: number): void {
    const { replica, peer, wants } = shared
    for (let at = start; ;) {
      const stop = Math.min(end, replica.length)
      if (at >= stop) return
      if (!peer.isWritable) return this.#postpone(shared, at, stop)
      const runs = replica.have.commonRuns(wants, at, stop, defaultLimits.feedRuns)
      if (runs.length === 0) return
      this.#sayHave(shared, runs)
      at = runs.at(-1) as number
    }
  }

  /** The same for some runs: those that a peer has lost, and may have back from here. */
  tellLost(shared: SharedFeed, lost: Runs): void {
    const runs: number[] = []
    for (let at = 0; at < lost.length && runs.length < defaultLimits.feedRuns * 2; at += 2) {
      const room = defaultLimits.feedRuns - runs.length / 2
      const [start, end] = [lost[at] as number, Math.min(lost[at + 1] as number, shared.replica.length)]
      runs.push(...shared.replica.have.commonRuns(shared.wants, start, end, room))
    }
    if (runs.length === 0) return
    const [start, end, last] = [runs[0] as number, runs.at(-1) as number, lost.at(-1) as number]
    if (!shared.peer.isWritable) return this.#postpone(shared, start, last)
    this.#sayHave(shared, runs)
    if (runs.length === defaultLimits.feedRuns * 2) this.tellRuns(shared, end, last)
  }

  /** Says of blocks that were here that they are not any more. */
  tellUnhave(shared: SharedFeed, lost: Runs): void {
    const { peer } = shared
    if (!shared.isShared) return
    const unsaid = peer.unsaid.get(shared) ?? new Bitmap()
    for (let at = 0; at < lost.length; at += 2) unsaid.add(lost[at] as number, lost[at + 1] as number)
    peer.unsaid.set(shared, unsaid)
    this.#sayUnhave(shared, unsaid)
  }

  /** The peer takes more: says what it could not be told, what is gone before what is there. */
  goOn(peer: RemotePeer): void {
    for (const [shared, unsaid] of peer.unsaid) this.#sayUnhave(shared, unsaid)
    for (const [shared, [start, end]] of peer.untold) {
      if (!peer.isWritable) return
      peer.untold.delete(shared)
      if (shared.isShared) this.tellRuns(shared, start, end)
    }
    for (const shared of peer.unconfirmed) {
      if (!peer.isWritable) return
      peer.unconfirmed.delete(shared)
      if (shared.isShared) this.#confirm(shared)
    }
  }

  #sayUnhave(shared: SharedFeed, unsaid: Bitmap): void {
    const { peer } = shared
    while (peer.isWritable && shared.isShared) {
      const runs = unsaid.runs(0, shared.sentLength, defaultLimits.feedRuns)
      if (runs.length === 0) break
      for (let at = 0; at < runs.length; at += 2) unsaid.remove(runs[at] as number, runs[at + 1] as number)
      this.#say(shared, 'unhave', { runs })
    }
    if (peer.isWritable || !shared.isShared) peer.unsaid.delete(shared)
  }

  #postpone(shared: SharedFeed, start: number, end: number): void {
    const { untold } = shared.peer
    const [first, last] = untold.get(shared) ?? [start, end]
    untold.set(shared, [Math.min(first, start), Math.max(last, end)])
  }

  /** Nobody believes that we have what is beyond the head that we have sent. */
  #sayHave(shared: SharedFeed, runs: readonly number[]): void {
    if ((runs.at(-1) as number) > shared.sentLength) this.sayHead(shared)
    this.#say(shared, 'have', { runs })
  }

  sayHead(shared: SharedFeed): void {
    const { head } = shared.replica
    if (head === undefined || (shared.sent !== undefined && !isLaterHead(head, shared.sent))) return
    shared.sent = head
    this.#say(shared, 'head', { ...head, known: 0 })
  }

  /** Says to one peer how far the feed reaches now, and which of the blocks behind what it was told are here. */
  tellAll(shared: SharedFeed, untold: number = shared.sentLength): void {
    const from = Math.min(untold, shared.sentLength)
    this.sayHead(shared)
    const end = shared.replica.length
    if (shared.wants.next(from, end) !== undefined) this.tellRuns(shared, from, end)
  }

  /** Says what is new here, to who wants to know it and does not have it. */
  tell(shared: SharedFeed, groups: readonly StoredGroup[]): void {
    const { head, length } = shared.replica
    if (head !== undefined && isLaterHead(head, shared.head)) this.sayHead(shared)
    const runs: number[] = []
    for (const { start, blocks } of groups) {
      const end = start + blocks.length
      shared.peer.unsaid.get(shared)?.remove(start, end)
      const isThere = shared.isOnFork && shared.have.nextHole(start) >= end
      const isNews = !isThere && shared.wants.next(start, end) !== undefined
      if (!isNews || end > length) continue
      if (runs.at(-1) === start) runs[runs.length - 1] = end
      else if (runs.length === 0 || start > (runs.at(-1) as number)) runs.push(start, end)
    }
    if (runs.length > 0) this.#sayHave(shared, runs)
    else this.#confirm(shared)
  }

  /** Says how far the feed is here, and what is done with it. */
  sayInfo(shared: SharedFeed): void {
    const { fork, length, contiguous, isLive } = shared.replica
    const first = Math.min(shared.replica.first, contiguous)
    shared.sentContiguous = contiguous
    const flags = infoFlags.serves | (isLive ? infoFlags.follows : 0)
    this.#say(shared, 'info', { fork, length, first, contiguous, flags })
  }

  /** To who has the blocks already it says that they are durable here, too. */
  #confirm(shared: SharedFeed): void {
    const { replica, peer } = shared
    if (replica.head === undefined || replica.contiguous <= shared.sentContiguous) return
    if (!peer.isWritable) return void peer.unconfirmed.add(shared)
    this.sayHead(shared)
    this.sayInfo(shared)
  }
}
