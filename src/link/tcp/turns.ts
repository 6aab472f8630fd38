import type { Clock } from '../../runtime/clock.ts'
import type { Timers } from '../../runtime/timers.ts'
import { Crowd } from './crowd.ts'
import { GroupQueue } from './group-queue.ts'
import { TimeShare } from './time-share.ts'

/** A link that has kept the event loop busy for long. */
export interface BusyLink {
  /** Its turn has come. */
  goOn(now: number): void
  /** It has used more than its share, and so waits for a turn of its own; others only for the next turn of the event loop. */
  readonly busy: boolean
  /** It moves content; others give orders, which cost much more than they weigh. */
  readonly content: boolean
  /** How long it has kept the event loop busy of late, in ms. */
  recentMs(now: number): number
}

/** A handshake that has what it needs to begin. */
export interface Beginner {
  begin(): void
}

/** How long all links together may keep the event loop busy in one turn of it, in ms, before they rest. */
const turnMsMax = 10

/** Below this a turn was short, whatever comes after it: nobody looks at its end. */
const noticedMs = 1

/** How much a ms of a busy link's work weighs: orders get a fifth of the time where others have use for it, and content half of it. */
const contentWeight = 1 / 2
const orderWeight = 2

/**
 * What comes of a handshake later costs about three times as much as its beginning, out of sight: the other side's certificate, its
 * proof, the session. With this they get a fifth of the time, all in all, where others have use for it.
 */
const handshakeWeight = 8
const usualHandshakeMs = 0.5

/**
 * Who has to wait until others had their turn: links that keep the event loop busy, and handshakes, which cost more than anything
 * else that somebody can ask for who has proven nothing. One of each kind goes on at a time, and only when all others have had
 * some times the time that it took, or have no use for it: so whoever has little to do hardly notices, however many there are that
 * have much.
 */
export class Turns {
  readonly #timers: Timers
  readonly #clock: Clock | undefined
  readonly #linkShare = new TimeShare()
  readonly #handshakeShare = new TimeShare()
  readonly #links = new Set<BusyLink>()
  /** Who has had anything to do of late, and who has given orders. */
  readonly #active = new Crowd<BusyLink>()
  readonly #crowd = new Crowd<BusyLink>()
  readonly #beginners = new GroupQueue<Beginner>()
  /** How long links have kept the event loop busy in this turn. */
  #turnMs = 0
  #asked = false

  /** Without a clock nobody waits for longer than a turn. */
  constructor(timers: Timers, clock?: Clock) {
    this.#timers = timers
    this.#clock = clock
  }

  /** How many links wait. */
  get waiting(): number {
    return this.#links.size
  }

  /** Whoever has something to do must wait: this turn has been long enough. */
  get full(): boolean {
    return this.#turnMs >= turnMsMax
  }

  /** Tells `link` when it may go on: the one first that was busy for the shortest time of late. */
  wait(link: BusyLink): void {
    this.#links.add(link)
    this.#ask()
  }

  /** Whether a handshake may begin at once, without waiting for a turn: it counts for what most of them take. */
  admit(): boolean {
    const now = this.#clock?.now() ?? 0
    if (this.#beginners.length > 0 || !this.#handshakeShare.rested(now)) return false
    this.#handshakeShare.spend(handshakeWeight * usualHandshakeMs, now)
    return true
  }

  /** Lets a handshake begin in a turn to come; those of one address wait for each other. */
  queue(group: string, beginner: Beginner): void {
    this.#beginners.push(group, beginner)
    this.#ask()
  }

  /** It will not begin any more. */
  forget(group: string, beginner: Beginner): void {
    this.#beginners.remove(group, beginner)
  }

  /** With how many others `link` shares the time that is free for those who use little. */
  sharing(link: BusyLink, now: number): number {
    if (link.content) return 1
    this.#crowd.add(link, now)
    return this.#crowd.size
  }

  /** `link` has kept the event loop busy for so long, until now. */
  spend(link: BusyLink, ms: number, now: number): void {
    this.#turnMs += ms
    this.#active.add(link, now)
    if (link.busy) this.#linkShare.spend((link.content ? contentWeight : orderWeight) * ms, now)
    this.#ask()
  }

  #ask(): void {
    if (this.#asked || (this.#links.size + this.#beginners.length === 0 && this.#turnMs < noticedMs)) return
    this.#asked = true
    this.#timers.endOfTurn(this.#next)
  }

  readonly #next = (): void => {
    this.#asked = false
    this.#turnMs = 0
    const now = this.#clock?.now() ?? 0
    for (const link of this.#links) if (!link.busy && !this.full) this.#let(link, now)
    // Who is alone need not make room for anybody.
    const isAlone = this.#active.size <= 1
    if (this.#links.size > 0 && (isAlone || this.#due(this.#linkShare, now))) this.#goOn(now)
    if (this.#beginners.length > 0 && this.#due(this.#handshakeShare, now)) this.#begin()
    this.#ask()
  }

  #due(share: TimeShare, now: number): boolean {
    return this.#clock === undefined || share.due(now)
  }

  #goOn(now: number): void {
    let next: BusyLink | undefined
    let leastMs = Infinity
    for (const link of this.#links) {
      const recentMs = link.recentMs(now)
      if (next !== undefined && recentMs >= leastMs) continue
      next = link
      leastMs = recentMs
    }
    if (next !== undefined) this.#let(next, now)
  }

  #let(link: BusyLink, now: number): void {
    this.#links.delete(link)
    link.goOn(now)
  }

  #begin(): void {
    const begunAt = this.#clock?.now() ?? 0
    this.#beginners.shift()?.begin()
    // Node hands over what has been read already in between, and there the handshake does its work.
    void Promise.resolve().then(() => {
      const now = this.#clock?.now() ?? 0
      this.#handshakeShare.spend(handshakeWeight * (now - begunAt), now)
    })
  }
}
