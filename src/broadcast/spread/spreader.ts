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
import type { Region } from '../ring.ts'
import type { BroadcastSettings } from '../settings.ts'
import { split } from '../split.ts'
import { isCovered, type Held } from './archive.ts'
import type { Members, SpreadPort } from './spread-port.ts'
import { Task, type Child, type Order, type SpreadReport } from './task.ts'

export interface SpreaderOptions {
  readonly members: Members
  readonly port: SpreadPort
  readonly settings: BroadcastSettings
  readonly hopsMax: number
  readonly tasksMax: number
  readonly probe: Probe
}

/** What is handed over with a batch. */
export type HandedOver = Pick<RelayMessage, 'region' | 'hops' | 'isAgain' | 'skipped'>

/** So often a batch is given to a member that does not answer. */
const attemptsMax = 2

/**
 * Brings batches to parts of the ring, and answers for it: whoever takes a part says so, hands it on in three, and says when all of it is
 * done. Whoever says nothing is passed over, and its part goes to the next one in it.
 */
export class Spreader {
  /** Bodies that have left from here. */
  bodiesSent = 0
  readonly #options: SpreaderOptions
  readonly #tasksByTicket = new Map<number, Task>()
  readonly #overByTask = new Map<Task, (report: SpreadReport) => void>()
  readonly #full = new Set<NodeId>()
  #lastTicket = 0

  constructor(options: SpreaderOptions) {
    this.#options = options
  }

  /** Duties that are not done. */
  get size(): number {
    return this.#tasksByTicket.size
  }

  /** Whether there is room for one more. */
  get isBusy(): boolean {
    return this.#tasksByTicket.size >= this.#options.tasksMax
  }

  /** When `tick` has something to do. */
  get deadline(): number | undefined {
    let deadline: number | undefined
    for (const task of this.#tasksByTicket.values()) {
      if (task.order !== undefined) deadline = Math.min(deadline ?? Infinity, task.tellAt)
      for (const { dueAt } of task.childrenById.values()) deadline = Math.min(deadline ?? Infinity, dueAt)
    }
    return deadline
  }

  /** Brings a batch of this node to all others, or to some. `over` is called when all is done that could be. */
  publish(held: Held, to: readonly NodeId[] | undefined, now: number, over: (report: SpreadReport) => void): void {
    const { members, settings } = this.#options
    const { self, ring } = members
    const task = this.#begin(held, { hops: 0, isAgain: false, skipped: [] }, undefined, now)
    this.#overByTask.set(task, over)
    const others = to ?? (ring.size <= settings.starMembersMax && members.isWhole ? ring.ids : undefined)
    if (others === undefined) this.#handOn(task, { from: self, to: self }, now)
    else for (const id of others) if (id !== self) this.#give(task, id, undefined, task.isAgain, now)
    this.#settle(task)
  }

  /** Does what was handed over with a batch that is here. */
  take(held: Held, handed: HandedOver, order: Order, now: number): void {
    const { region, hops } = handed
    const isDone = region === undefined || isCovered(held, region)
    if (isDone || hops >= this.#options.hopsMax) {
      this.#answer(order, emptyReport)
      return
    }
    held.regions.push(region)
    const task = this.#begin(held, handed, order, now)
    this.#handOn(task, region, now)
    if (task.childrenById.size > 0) this.#options.port.send(order.from, 'taken', { ticket: order.ticket })
    this.#settle(task)
  }

  /** Answers for what was seen and is forgotten. */
  refuse(order: Order): void {
    this.#answer(order, emptyReport)
  }

  receiveTaken(from: NodeId, ticket: number, now: number): void {
    const child = this.#tasksByTicket.get(ticket)?.childrenById.get(from)
    if (child === undefined) return
    child.state = 'taken'
    child.dueAt = now + this.#options.settings.silenceMs
  }

  receiveDone(from: NodeId, { ticket, reached, missing, unreached }: DoneMessage): void {
    const task = this.#tasksByTicket.get(ticket)
    const child = task?.childrenById.get(from)
    if (task === undefined || child === undefined) return
    task.childrenById.delete(from)
    task.unreached.delete(from)
    task.reached += 1
    // Else somebody else answers for its part.
    if (child.region !== undefined) {
      task.reached += Math.min(reached, Number.MAX_SAFE_INTEGER - task.reached)
      for (const id of unreached) task.unreached.add(id)
      task.nameless += Math.max(0, Math.min(missing, Number.MAX_SAFE_INTEGER - task.nameless) - unreached.length)
    }
    this.#settle(task)
  }

  /** Nothing leads to a member now. */
  fail(id: NodeId, now: number): void {
    this.#full.delete(id)
    for (const task of [...this.#tasksByTicket.values()]) {
      const child = task.childrenById.get(id)
      if (child === undefined) continue
      this.#passOver(task, child, now)
      this.#giveUp(task, child)
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
    const { port, settings } = this.#options
    for (const task of [...this.#tasksByTicket.values()]) {
      if (task.order !== undefined && task.tellAt <= now) {
        task.tellAt = now + settings.keepMs
        port.send(task.order.from, 'taken', { ticket: task.order.ticket })
      }
      for (const child of [...task.childrenById.values()]) if (child.dueAt <= now) this.#overdue(task, child, now)
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
    const tellAt = now + this.#options.settings.keepMs
    const task = new Task({ ticket, held, hops: hops + 1, isAgain, order, skipped, tellAt })
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
    for (const { head, region: part } of parts) this.#give(task, head, part, task.isAgain, now)
  }

  #give(task: Task, id: NodeId, region: Region | undefined, isAgain: boolean, now: number): void {
    const child: Child = { id, region, isAgain, state: 'waiting', attempts: 0, dueAt: now }
    task.childrenById.set(id, child)
    if (this.#full.has(id)) child.dueAt = now + this.#options.settings.silenceMs
    else this.#send(task, child, now)
  }

  #send(task: Task, child: Child, now: number): void {
    const { port, settings } = this.#options
    const { batch } = task.held
    const { id, region, isAgain } = child
    child.state = 'asked'
    child.attempts += 1
    child.dueAt = now + settings.takeMs
    let hasRoom: boolean
    const hand = {
      ticket: task.ticket,
      region,
      hops: task.hops,
      isAgain,
      skipped: [...task.skipped].slice(-skippedMax),
    }
    if (isAgain && child.attempts === 1) {
      const { author, epoch, counter } = batch
      hasRoom = port.send(id, 'offer', { ...hand, author, epoch, counter } satisfies OfferMessage)
    } else {
      this.bodiesSent += 1
      if (region !== undefined) hasRoom = port.send(id, 'relay', { ...hand, batch: batch.bytes })
      else {
        task.leafMessage ??= encodeMessage('relay', { ...hand, skipped: [], batch: batch.bytes })
        hasRoom = port.sendEncoded(id, 'relay', task.leafMessage)
      }
    }
    if (!hasRoom) this.#full.add(id)
  }

  /** It has not answered in time. */
  #overdue(task: Task, child: Child, now: number): void {
    if (child.state === 'waiting') {
      this.#passOver(task, child, now)
      this.#giveUp(task, child)
      return
    }
    const hasTaken = child.state === 'taken'
    this.#options.port.doubt(child.id, now)
    this.#passOver(task, child, now)
    if (hasTaken) {
      // It has the batch, and no part of the ring any more.
      task.childrenById.delete(child.id)
      task.reached += 1
    } else if (child.attempts < attemptsMax) this.#send(task, child, now)
    else this.#giveUp(task, child)
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
        this.#give(task, id, region, task.isAgain || child.state === 'taken', now)
        return
      }
      this.#give(task, id, undefined, task.isAgain, now)
    }
  }

  #giveUp(task: Task, child: Child): void {
    if (!task.childrenById.delete(child.id)) return
    if (task.unreached.size < this.#options.members.ring.size + unreachedMax) task.unreached.add(child.id)
  }

  #settle(task: Task): void {
    if (task.childrenById.size > 0 || !this.#tasksByTicket.delete(task.ticket)) return
    const { report } = task
    if (task.order !== undefined) this.#answer(task.order, report)
    const over = this.#overByTask.get(task)
    this.#overByTask.delete(task)
    over?.(report)
  }

  #answer({ from, ticket }: Order, { reached, missing, unreached }: SpreadReport): void {
    this.#options.port.send(from, 'done', { ticket, reached, missing, unreached: unreached.slice(0, unreachedMax) })
  }
}

const emptyReport: SpreadReport = { reached: 0, missing: 0, unreached: [] }
