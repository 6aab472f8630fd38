import type { NodeId } from '../../identity/node-id.ts'
import type { Probe } from '../../runtime/probe.ts'
import {
  encodeMessage,
  skippedMax,
  unreachedMax,
  type DoneMessage,
  type OfferMessage,
  type RelayMessage,
} from '../messages.ts'
import { isWithin, type Region } from '../ring.ts'
import type { BroadcastSettings } from '../settings.ts'
import { split } from '../split.ts'
import { isCovered, type Held } from './archive.ts'
import { Pace } from './pace.ts'
import type { Members, SpreadPort } from './spread-port.ts'
import { Task, type Child, type Order, type SpreadReport } from './task.ts'

export interface SpreaderOptions {
  readonly members: Members
  readonly port: SpreadPort
  readonly settings: BroadcastSettings
  readonly hopsMax: number
  readonly tasksMax: number
  /** In another life of this node it was another one: an answer that is late must not be taken for one to something else. */
  readonly firstTicket: number
  readonly probe: Probe
}

/** What is handed over with a batch. */
export type HandedOver = Pick<RelayMessage, 'region' | 'hops' | 'isAgain' | 'skipped'>

/** How the author is told of what becomes of a batch. */
export interface Follower {
  /** All have it that are quick, or have been given up. */
  eased(): void
  /** All is done that could be. */
  over(report: SpreadReport): void
}

/** So often a member that does not answer is asked, each time for twice as long. */
const attemptsMax = 4
const attemptsOfForgottenMax = 2
/** For which one member sees to one batch; whoever hands over more of them has something else in mind. */
const regionsMax = 16
const tickMs = 50

/**
 * Brings batches to parts of the ring, and answers for it: whoever takes a part says so, hands it on in three, and says when all of it is
 * done. Whoever says nothing is passed over, and its part goes to the next one in it.
 */
export class Spreader {
  /** Bodies that have left from here. */
  bodiesSent = 0
  readonly #options: SpreaderOptions
  readonly #tasksByTicket = new Map<number, Task>()
  /** Of batches of this node, the oldest first. */
  readonly #followersByTask = new Map<Task, Follower>()
  readonly #full = new Set<NodeId>()
  readonly #pace = new Pace()
  #ownBytes = 0
  #lastTicket: number
  #tickAt = 0

  constructor(options: SpreaderOptions) {
    this.#options = options
    this.#lastTicket = options.firstTicket
  }

  /** Duties that are not done. */
  get size(): number {
    return this.#tasksByTicket.size
  }

  /** Whether there is no room for one more. */
  get isBusy(): boolean {
    return this.#tasksByTicket.size >= this.#options.tasksMax
  }

  /** When `tick` has something to do. */
  get deadline(): number | undefined {
    return this.#tasksByTicket.size === 0 ? undefined : this.#tickAt
  }

  /** Brings a batch of this node to all others, or to some. */
  publish(held: Held, to: readonly NodeId[] | undefined, now: number, follower: Follower): void {
    const { members, settings } = this.#options
    const { self, ring } = members
    const task = this.#begin(held, { hops: 0, isAgain: false, skipped: [] }, undefined, now)
    this.#followersByTask.set(task, follower)
    this.#ownBytes += held.batch.bytes.length
    const others = to ?? (ring.size <= settings.starMembersMax && members.isWhole ? ring.ids : undefined)
    if (others === undefined) this.#handOn(task, { from: self, to: self }, now)
    else for (const id of others) if (id !== self) this.#give(task, id, undefined, now)
    if (task.prompt === 0) follower.eased()
    this.#settle(task)
    this.#makeRoom()
  }

  /** Does what was handed over with a batch that is here. */
  take(held: Held, handed: HandedOver, order: Order, now: number): void {
    const { region, hops } = handed
    // What is for some only goes to nobody else, whoever asks for it.
    const isDone = region === undefined || held.batch.isDirect || isCovered(held, region)
    if (isDone || held.regions.length >= regionsMax) {
      this.#answer(order, emptyReport)
      return
    }
    if (hops >= this.#options.hopsMax) {
      this.#options.probe.sometimes('batch went no further')
      this.#answer(order, { ...emptyReport, missing: this.#options.members.ring.within(region).count })
      return
    }
    // Those to whom it was handed on for another part may be in this one as well.
    const isAgain = handed.isAgain || held.regions.length > 0
    held.regions.push(region)
    const task = this.#begin(held, { ...handed, isAgain }, order, now)
    this.#handOn(task, region, now)
    if (task.childrenById.size > 0) this.#options.port.send(order.from, 'taken', { ticket: order.ticket })
    this.#settle(task)
  }

  /** Answers for what was seen and is forgotten. */
  acknowledge(order: Order): void {
    this.#answer(order, emptyReport)
  }

  /** Says that it has not got it, and will not. */
  refuse(order: Order): void {
    this.#answer(order, { reached: 0, missing: 1, unreached: [this.#options.members.self] })
  }

  receiveTaken(from: NodeId, ticket: number, now: number): void {
    const child = this.#tasksByTicket.get(ticket)?.childrenById.get(from)
    if (child === undefined) return
    this.#pace.noteAnswer(from, ticket, child.sentAt, now)
    child.state = 'taken'
    child.dueAt = now + this.#options.settings.silenceMs
  }

  receiveDone(from: NodeId, { ticket, reached, missing, unreached }: DoneMessage, now: number): void {
    const task = this.#tasksByTicket.get(ticket)
    const child = task?.childrenById.get(from)
    if (task === undefined || child === undefined) return
    this.#pace.noteAnswer(from, ticket, child.sentAt, now)
    if (unreached.includes(from)) {
      this.#passOver(task, child, now)
      this.#giveUp(task, child)
      this.#settle(task)
      return
    }
    this.#end(task, child)
    task.unreached.delete(from)
    task.reached += 1
    // Else somebody else answers for its part.
    if (child.region !== undefined) {
      // Those who are seen to here and of whom it was not told may be among these.
      task.reached += Math.min(Math.max(0, reached - child.untold), Number.MAX_SAFE_INTEGER - task.reached)
      for (const id of unreached) task.unreached.add(id)
      task.nameless += Math.max(0, Math.min(missing, Number.MAX_SAFE_INTEGER - task.nameless) - unreached.length)
    }
    this.#settle(task)
  }

  /** Whether a member that asks for a batch is to get it from here. */
  isOwed(to: NodeId, held: Held): boolean {
    for (const task of this.#tasksByTicket.values()) if (task.held === held && task.childrenById.has(to)) return true
    return false
  }

  /** Nothing leads to a member now, and what was on the way to it is gone; `isOver` when it is gone itself. */
  fail(id: NodeId, isOver: boolean, now: number): void {
    this.#full.delete(id)
    this.#pace.forget(id)
    for (const task of [...this.#tasksByTicket.values()]) {
      const child = task.childrenById.get(id)
      if (child === undefined) continue
      this.#passOver(task, child, now)
      this.#slow(task, child)
      if (isOver || child.attempts >= 2) this.#giveUp(task, child)
      // Once more, over a new way.
      else if (child.state === 'waiting') this.#send(task, child, now)
      else child.dueAt = Math.min(child.dueAt, now + this.#options.settings.takeMs)
      this.#settle(task)
    }
  }

  /** There is room again on the way to a member. */
  ready(id: NodeId, now: number): void {
    if (!this.#full.delete(id)) return
    for (const task of this.#tasksByTicket.values()) {
      const child = task.childrenById.get(id)
      if (child?.state !== 'waiting') continue
      this.#send(task, child, now)
      if (this.#full.has(id)) return
    }
  }

  tick(now: number): void {
    if (this.#tickAt > now) return
    this.#tickAt = now + tickMs
    const { port, settings } = this.#options
    for (const task of [...this.#tasksByTicket.values()]) {
      if (task.order !== undefined && task.tellAt <= now) {
        task.tellAt = now + settings.keepMs
        port.send(task.order.from, 'taken', { ticket: task.order.ticket })
      }
      for (const child of [...task.childrenById.values()])
        if (task.endsAt <= now) this.#giveUp(task, child)
        else if (child.dueAt <= now) this.#overdue(task, child, now)
      this.#settle(task)
    }
  }

  #begin(
    held: Held,
    { hops, isAgain, skipped }: Omit<HandedOver, 'region'>,
    order: Order | undefined,
    now: number,
  ): Task {
    const ticket = ++this.#lastTicket
    const { keepMs, dutyMs } = this.#options.settings
    const [tellAt, endsAt] = [now + keepMs, now + dutyMs]
    const task = new Task({ ticket, held, hops: hops + 1, isAgain, order, skipped, tellAt, endsAt })
    if (this.#tasksByTicket.size === 0) this.#tickAt = now + tickMs
    this.#tasksByTicket.set(ticket, task)
    return task
  }

  /** In three. */
  #handOn(task: Task, region: Region, now: number): void {
    const { members } = this.#options
    const parts = split(members.ring, region, {
      self: members.self,
      isWhole: members.isWhole,
      isHead: (id) => !members.isSuspect(id),
      isSkipped: (id) => task.skipped.has(id) || task.childrenById.has(id),
    })
    for (const { head, region: part } of parts) this.#give(task, head, part, now)
  }

  #give(task: Task, id: NodeId, region: Region | undefined, now: number, isAgain: boolean = task.isAgain): void {
    const dueAt = now + this.#options.settings.lagMs
    const child: Child = {
      id,
      region,
      isAgain,
      state: 'waiting',
      attempts: 0,
      sentAt: now,
      dueAt,
      isSlow: false,
      untold: 0,
    }
    task.childrenById.set(id, child)
    task.prompt += 1
    if (this.#pace.isBehind(id)) this.#slow(task, child)
    if (!this.#full.has(id)) this.#send(task, child, now)
  }

  #send(task: Task, child: Child, now: number): void {
    child.state = 'asked'
    child.sentAt = now
    child.dueAt = now + this.#patienceMs(child) * 2 ** child.attempts
    child.attempts += 1
    const all = skippedIn(task, child.region)
    child.untold = Math.max(0, all.length - skippedMax)
    const skipped = all.slice(-skippedMax)
    const isOffered = child.isAgain || child.attempts > 1
    const hasRoom = isOffered ? this.#offer(task, child, skipped) : this.#relay(task, child, skipped)
    if (!hasRoom) this.#full.add(child.id)
  }

  /** Who has not got it asks for it. */
  #offer(task: Task, { id, region }: Child, skipped: readonly NodeId[]): boolean {
    const { author, epoch, counter } = task.held.batch
    const { ticket, hops } = task
    const hand = { ticket, region, hops, isAgain: true, skipped }
    return this.#options.port.send(id, 'offer', { ...hand, author, epoch, counter } satisfies OfferMessage)
  }

  #relay(task: Task, { id, region }: Child, skipped: readonly NodeId[]): boolean {
    const { port } = this.#options
    const { ticket, hops, held } = task
    const { bytes: batch } = held.batch
    this.bodiesSent += 1
    const hand = { ticket, region, hops, isAgain: false, skipped }
    if (region !== undefined) return port.send(id, 'relay', { ...hand, batch } satisfies RelayMessage)
    task.leafMessage ??= encodeMessage('relay', { ...hand, batch })
    return port.sendEncoded(id, 'relay', task.leafMessage)
  }

  /** It has not answered in time. */
  #overdue(task: Task, child: Child, now: number): void {
    const { state } = child
    if (state === 'asked' && this.#isOnItsWay(task, child, now)) return
    this.#options.port.doubt(child.id, now)
    this.#passOver(task, child, now)
    this.#fallBehind(child.id)
    if (state === 'taken') {
      // It has the batch, and no part of the ring any more.
      this.#end(task, child)
      task.reached += 1
    } else if (state === 'asked' && child.attempts < this.#attemptsMax(task, child)) this.#send(task, child, now)
    else this.#giveUp(task, child)
  }

  /** Of one that was forgotten, to make room for others, nobody would say here that it has died. */
  #attemptsMax({ held }: Task, { id }: Child): number {
    return held.batch.isDirect || this.#options.members.ring.has(id) ? attemptsMax : attemptsOfForgottenMax
  }

  /** Whether it has not come to that yet, but is on its way through what it was sent before. */
  #isOnItsWay(task: Task, child: Child, now: number): boolean {
    const progressAt = this.#pace.progressAt(child.id, task.ticket, child.sentAt)
    if (progressAt === undefined) return false
    child.dueAt = Math.min(progressAt + this.#patienceMs(child), child.sentAt + this.#options.settings.lagMs)
    return child.dueAt > now
  }

  /** Others wait for a head; of one that only takes it for itself nothing depends on when it says so. */
  #patienceMs({ id, region }: Child): number {
    const { takeMs, quickMs, lagMs } = this.#options.settings
    return Math.min(this.#pace.patienceMs(id, region === undefined ? quickMs : takeMs), lagMs)
  }

  /** What it had to see to goes to the next one in that part. */
  #passOver(task: Task, child: Child, now: number): void {
    const { region } = child
    task.skipped.add(child.id)
    if (region === undefined) return
    this.#options.probe.sometimes('part of the ring handed to another head')
    child.region = undefined
    const { members } = this.#options
    const { start, count } = members.ring.within(region)
    for (let index = start; index < start + count; index += 1) {
      const id = members.ring.at(index)
      if (id === members.self || task.skipped.has(id) || task.childrenById.has(id)) continue
      if (!members.isSuspect(id)) {
        this.#give(task, id, region, now, task.isAgain || child.state === 'taken')
        return
      }
      task.skipped.add(id)
      this.#give(task, id, undefined, now)
    }
  }

  #giveUp(task: Task, child: Child): void {
    this.#end(task, child)
    if (task.unreached.size < this.#options.members.ring.size + unreachedMax) task.unreached.add(child.id)
    else task.nameless += 1
  }

  #end(task: Task, child: Child): void {
    task.childrenById.delete(child.id)
    this.#slow(task, child)
  }

  /** It is waited for, but nobody waits because of it. */
  #slow(task: Task, child: Child): void {
    if (child.isSlow) return
    child.isSlow = true
    task.prompt -= 1
    if (task.prompt === 0) this.#followersByTask.get(task)?.eased()
  }

  /** Nobody waits for it any more, until it answers. */
  #fallBehind(id: NodeId): void {
    this.#pace.fallBehind(id)
    for (const task of this.#followersByTask.keys()) {
      const child = task.childrenById.get(id)
      if (child !== undefined) this.#slow(task, child)
    }
  }

  /** Of a node's own batches only so much waits for those that are slow: the oldest are given up. */
  #makeRoom(): void {
    for (const task of this.#followersByTask.keys()) {
      if (this.#ownBytes <= this.#options.settings.waitingBytes) return
      for (const child of [...task.childrenById.values()]) this.#giveUp(task, child)
      this.#settle(task)
    }
  }

  #settle(task: Task): void {
    if (task.childrenById.size > 0 || !this.#tasksByTicket.delete(task.ticket)) return
    const { report } = task
    if (task.order !== undefined) this.#answer(task.order, report)
    const follower = this.#followersByTask.get(task)
    if (follower === undefined) return
    this.#followersByTask.delete(task)
    this.#ownBytes -= task.held.batch.bytes.length
    follower.over(report)
  }

  #answer({ from, ticket }: Order, { reached, missing, unreached }: SpreadReport): void {
    this.#options.port.send(from, 'done', { ticket, reached, missing, unreached: unreached.slice(0, unreachedMax) })
  }
}

/** Those in a part whom somebody else sees to. */
function skippedIn({ skipped }: Task, region: Region | undefined): readonly NodeId[] {
  return region === undefined ? [] : [...skipped].filter((id) => isWithin(id, region))
}

const emptyReport: SpreadReport = { reached: 0, missing: 0, unreached: [] }
