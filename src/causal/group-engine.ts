import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { Feeds, WritableFeed } from '../feed/feed-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { Timer } from '../runtime/timers.ts'
import type { ViewChange } from '../store/view.ts'
import type { Consumer } from './consumer.ts'
import type { GroupId } from './group-api.ts'
import { GroupMachine } from './group-machine.ts'
import type { Delivery } from './group-machine.ts'
import { restoreState, rewoundState, stateOf } from './group-state.ts'
import type { GroupState } from './group-state.ts'
import type { GroupView } from './group-view.ts'
import type { RosterStatement } from './members/roster-operation.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import { emptyBody } from './order/bodies.ts'
import type { EntryBody, EntryKind } from './order/entry.ts'
import { Outbox } from './outbox.ts'
import { Progress } from './progress.ts'
import type { Step } from './progress.ts'
import { Readers } from './readers.ts'
import { Replication } from './replication.ts'

/** What was carried out goes into the view after so long, or when it is so many entries. */
const commitMs = 50
const commitEntries = 4_096
/** The machine's state is written down after so many entries: what came after it is gone through again at the next opening. */
const stateEntries = 16_384

export interface GroupEngineOptions {
  readonly group: GroupId
  readonly feeds: Feeds
  readonly view: GroupView
  readonly verify: Verify
  readonly acknowledgeMs: number
  /** Beside members: with whom feeds are shared before anything is known. */
  readonly mayShare: (nodeId: NodeId) => boolean
  readonly events: GroupEngineEvents
}

export interface GroupEngineEvents {
  /** The feed that is written here is one of the group, and all of it is known. */
  readonly ready: () => void
  readonly membersChanged: () => void
  readonly setAside: (dot: Dot, error: PlaitError) => void
  readonly overturned: () => void
  /** The feed that is written here has less than others have of it, or has forked: it must not be written any more. */
  readonly forgotten: () => void
  readonly failed: (error: PlaitError) => void
}

/** Joins the machine of a group to its feeds, to the disk, and to what takes its operations. */
export class GroupEngine {
  readonly replication: Replication = new Replication()
  /** Another feed is to be written in, which is no feed of the group yet. */
  isContinuing = false
  readonly #options: GroupEngineOptions
  readonly #readers: Readers
  readonly #changes = new Waiters()
  #machine: GroupMachine
  #progress = new Progress([])
  /** How much of each feed the view has had when it was opened. */
  #clock: ReadonlyMap<Writer, number> = new Map()
  #consumer: Consumer | undefined
  #own: WritableFeed | undefined
  #outbox: Outbox | undefined
  #isWriting = false
  #isRenewing = false
  #step: Step | undefined
  #sinceState = 0
  #commitTimer: Timer | undefined
  #acknowledgeTimer: Timer | undefined
  /**
   * Who was a member before, or earlier in what is being gone through again. What was shared is not shared again over the same circuit once
   * it was closed: nobody is shut out before all is known.
   */
  readonly #familiar: Set<string> = new Set<string>()
  /** How many of the own entries each other node has. */
  readonly #heldByNode = new Map<string, number>()
  #ended: PlaitError | undefined

  constructor(options: GroupEngineOptions) {
    this.#options = options
    this.#readers = new Readers({
      feeds: options.feeds,
      mayShare: (nodeId) => this.#isMember(nodeId) || options.mayShare(nodeId),
      isFull: () => this.#consumer?.isFull === true,
      failed: (error) => this.fail(error),
    })
    this.#machine = this.#newMachine()
  }

  get machine(): GroupMachine {
    return this.#machine
  }

  get progress(): Progress {
    return this.#progress
  }

  /** Whether something can be written now. */
  get isWriting(): boolean {
    return this.#isWriting
  }

  /** Begins where the view was left. `own`: the feed that is written here. */
  async start(own: WritableFeed, consumer: Consumer | undefined): Promise<void> {
    const { view } = this.#options
    this.#consumer = consumer
    this.#clock = await view.clock()
    const state = await view.state()
    if (state !== undefined) restoreState(this.#machine, state)
    this.#useOwn(own)
    if (state !== undefined) this.#takeMembers()
    // The log is a copy of before the view: what was written since then is lost here.
    const { isBehind, isFrozen } = own.status()
    if (isBehind || isFrozen || (this.#clock.get(this.#ownWriter) ?? 0) > own.length) this.#forget()
    this.#readAll()
  }

  /** Another feed to write in from now on. */
  async writeIn(own: WritableFeed): Promise<void> {
    this.#outbox?.end(forgotten())
    this.replication.begin(forgotten())
    this.#isWriting = false
    this.#useOwn(own)
    // What was written and is not durable was seen here alone: nothing of it is known any more.
    await this.#renew(undefined)
  }

  /** Writes an entry that follows all that was delivered; it is delivered here when this returns. Throws as `CausalOrder.compose`. */
  write<Value>(kind: EntryKind, body: EntryBody<Value>): Written {
    const { outbox } = this.#writable()
    const bytes = this.#machine.compose(kind, body)
    return { dot: this.#lastDot, durable: outbox.push(bytes) }
  }

  writeStatement(statement: RosterStatement): Written {
    const { outbox } = this.#writable()
    const bytes = this.#machine.composeMembership(statement)
    return { dot: this.#lastDot, durable: outbox.push(bytes) }
  }

  /** Resolves when something can be written. */
  async whenWriting(signal: AbortSignal | undefined): Promise<void> {
    while (!this.#isWriting) {
      if (this.#ended !== undefined) throw this.#ended
      await this.#changes.wait(signal)
    }
  }

  /** Resolves when an entry is durable where it was written. */
  async durable({ writer, number }: Dot): Promise<void> {
    while (writer === this.#ownWriter && number > (this.#outbox?.durable ?? 0)) await this.#changes.wait()
  }

  /** Resolves when all entries that are here have been delivered, or wait for what is not here. */
  async settled(): Promise<void> {
    const isBehind = (): boolean =>
      this.#isRenewing ||
      this.#machine.order.feeds.some(({ writer, received }) => {
        const feed = this.#readers.feeds.get(writer)
        return feed === undefined || received < feed.contiguousLength
      })
    while (isBehind()) await this.#changes.wait()
  }

  /** What takes operations may have room again. */
  relieve(): void {
    this.#readers.relieve()
  }

  /** Something of the consumer's was done. */
  stir(): void {
    if (this.#progress.waiting >= commitEntries) this.#commit()
    else this.#commitTimer ??= this.#after(commitMs, () => this.#commit())
  }

  fail(error: unknown): void {
    if (this.#ended !== undefined) return
    const failure = PlaitError.from(error, 'FILE_FAILED')
    void this.#stop(failure)
    this.#options.events.failed(failure)
  }

  async close(): Promise<void> {
    const closed = new PlaitError('STORE_CLOSED', 'the group was closed here')
    if (this.#ended === undefined) {
      await this.#readers.stop()
      while (this.#outbox?.isEmpty === false) await this.#changes.wait().catch(() => {})
      this.#commit(true)
      await this.#stop(closed)
    }
    await this.#readers.close()
    await this.#own?.close()
    await this.#options.view.close()
  }

  async #stop(error: PlaitError): Promise<void> {
    this.#ended = error
    this.#isWriting = false
    this.#commitTimer?.cancel()
    this.#acknowledgeTimer?.cancel()
    this.#consumer?.end(error)
    this.replication.end(error)
    this.#outbox?.end(error)
    this.#changes.fail(error)
    await this.#readers.stop()
  }

  get #ownWriter(): Writer {
    return this.#own?.id.replace('feed:', '') ?? ''
  }

  get #lastDot(): Dot {
    return { writer: this.#ownWriter, number: this.#machine.own?.delivered ?? 0 }
  }

  #writable(): { readonly outbox: Outbox } {
    if (this.#ended !== undefined) throw this.#ended
    if (!this.#isWriting || this.#outbox === undefined)
      throw new PlaitError('FORBIDDEN', 'this node is no member of the group yet, as far as is known here')
    return { outbox: this.#outbox }
  }

  #newMachine(state?: GroupState): GroupMachine {
    const machine: GroupMachine = new GroupMachine({
      group: this.#options.group,
      verify: this.#options.verify,
      events: {
        entered: (feed, number) => this.#enter(feed, number),
        delivered: (delivery) => this.#deliver(delivery),
        passedOver: (dot, error) => this.#options.events.setAside(dot, error),
        opened: (feed) => this.#follow(feed),
        membersChanged: () => this.#takeMembers(),
        overturned: () => void this.#renew(rewoundState(stateOf(this.#machine))),
        snapshotNamed: () => {},
      },
    })
    if (state !== undefined) restoreState(machine, state)
    return machine
  }

  #useOwn(own: WritableFeed): void {
    this.#own = own
    this.#outbox = new Outbox(
      own,
      own.length,
      () => this.#takeWritten(),
      (error) => this.#takeRefused(own, error),
    )
    this.#heldByNode.clear()
    own.addEventListener('peer', ({ detail }) => {
      if (own === this.#own) this.#takeHeld(detail.nodeId, detail.contiguousLength)
    })
    own.addEventListener('behind', () => this.#forget(own))
    own.addEventListener('conflict', () => this.#forget(own))
  }

  #readAll(): void {
    for (const feed of this.#machine.order.feeds) this.#follow(feed)
    // The founder's own feed, or one that nobody has let in yet.
    this.#considerWriting()
  }

  #follow(ordered: OrderedFeed): void {
    this.#progress.begin(ordered.place, this.#clock.get(ordered.writer) ?? 0)
    if (this.#ended !== undefined || this.#isRenewing) return
    const own = this.#own
    if (own === undefined || ordered.writer !== this.#ownWriter) this.#readers.follow(this.#machine, ordered)
    else this.#readers.replay(this.#machine, ordered, own, () => this.#considerWriting())
  }

  /** Writes from now on, if the feed to write in is one of the group, and all of its entries have been delivered. */
  #considerWriting(): void {
    const own = this.#own
    if (own === undefined || this.#isWriting || this.#isRenewing || this.#ended !== undefined) return
    const { order, roster, group } = this.#machine
    const ordered = order.feed(this.#ownWriter)
    const isFounder = group === this.#ownWriter && own.length === 0
    const member = roster.memberOf(this.#ownWriter)
    if (ordered === undefined || (!isFounder && member === undefined)) return
    // What is written beyond the end of a feed is void.
    if (member?.isRemoved === false && roster.countsTo(this.#ownWriter) !== Infinity) return
    if (ordered.delivered < own.length) return
    this.#machine.become(this.#ownWriter)
    this.#isWriting = true
    this.isContinuing = false
    this.#familiar.clear()
    this.#readers.review()
    this.#updateReplication()
    this.#options.events.ready()
    this.#changes.wake()
  }

  #enter(feed: OrderedFeed, number: number): void {
    const { place, writer } = feed
    const isNew = this.#consumer !== undefined && !this.#progress.has(place, number)
    this.#step = isNew ? this.#progress.add(place, number) : undefined
    if (writer !== this.#ownWriter) {
      const node = this.#machine.nodes[place]
      const seen = this.#machine.order.history.row(place)[this.#machine.order.feed(this.#ownWriter)?.place ?? -1] ?? 0
      if (node !== undefined && seen > 0) this.#takeHeld(node, seen)
    } else if (!this.#isWriting) this.#considerWritingSoon()
    this.#sinceState += 1
    this.#changes.wake()
    if (this.#step !== undefined) this.stir()
    this.#acknowledgeTimer ??= this.#after(this.#options.acknowledgeMs, () => this.#acknowledge())
  }

  #deliver(delivery: Delivery): void {
    const step = this.#step
    const consumer = this.#consumer
    if (step === undefined || consumer === undefined) return
    step.changes = undefined
    const done = (changes: readonly ViewChange[]): void => {
      step.changes = changes
      this.stir()
    }
    try {
      consumer.take(delivery, done)
    } catch (error) {
      this.#options.events.setAside(delivery.dot, PlaitError.from(error, 'PROTOCOL'))
      done([])
    }
  }

  #takeMembers(): void {
    if (!this.#isWriting) this.#noteFamiliar()
    this.#readers.review()
    this.#updateReplication()
    this.#options.events.membersChanged()
    this.#considerWritingSoon()
  }

  /** Not while an entry is being delivered. */
  #considerWritingSoon(): void {
    void Promise.resolve().then(() => this.#considerWriting())
  }

  #takeWritten(): void {
    this.stir()
    this.#changes.wake()
  }

  /** What is delivered here and is not durable has never been. */
  #takeRefused(own: WritableFeed, error: unknown): void {
    const isForgotten = PlaitError.is(error) && (error.code === 'FEED_BEHIND' || error.code === 'FEED_FROZEN')
    if (isForgotten) this.#forget(own)
    else this.fail(error)
  }

  #takeHeld(nodeId: string, length: number): void {
    if (length <= (this.#heldByNode.get(nodeId) ?? 0)) return
    this.#heldByNode.set(nodeId, length)
    this.#updateReplication()
  }

  #updateReplication(): void {
    // While all is gone through again not all members are known.
    if (!this.#isWriting) return
    const own = this.#options.feeds.node?.id
    const held: number[] = []
    for (const { node, isParked, isRemoved } of this.#machine.roster.members.values())
      if (node !== own && !isParked && !isRemoved) held.push(this.#heldByNode.get(node) ?? 0)
    this.replication.update(held)
  }

  #acknowledge(): void {
    this.#acknowledgeTimer = undefined
    if (!this.#isWriting || !this.#machine.owesAcknowledgement) return
    this.write('acknowledgement', { schema: () => emptyBody, value: undefined }).durable.catch(() => {})
  }

  #commit(isLast = false): void {
    this.#commitTimer?.cancel()
    this.#commitTimer = undefined
    if (this.#consumer === undefined) return
    const { view } = this.#options
    const ownPlace = this.#machine.order.feed(this.#ownWriter)?.place
    const durable = this.#outbox?.durable ?? 0
    const taken = this.#progress.take(({ place, number }) => place !== ownPlace || number <= durable)
    const isSettled = this.#progress.waiting === 0 && this.#outbox?.isEmpty !== false
    const isStateDue = isSettled && this.#sinceState > 0 && (isLast || this.#sinceState >= stateEntries)
    if (taken === undefined && !isStateDue) return
    const { places } = this.#machine.order
    const clock = (taken?.numbers ?? []).map(([place, number]) => [places.at(place), number] as const)
    if (isStateDue) {
      this.#sinceState = 0
      this.#machine.order.forget(this.#machine.stable())
    }
    const state = isStateDue ? stateOf(this.#machine) : undefined
    const committed = this.#consumer.committing()
    view.write(taken?.changes ?? [], clock, state).then(committed, (error: unknown) => this.fail(error))
  }

  /** Delivers everything again, beginning with a state. */
  async #renew(state: GroupState | undefined): Promise<void> {
    if (this.#isRenewing || this.#ended !== undefined) return
    this.#isRenewing = true
    this.#isWriting = false
    this.#noteFamiliar()
    const { view, events } = this.#options
    try {
      await this.#readers.stop()
      while (this.#outbox?.isEmpty === false) await this.#changes.wait()
      this.#consumer?.reset()
      await view.rewind(this.#consumer?.tables ?? [], state)
      this.#clock = new Map()
      this.#progress = new Progress([])
      this.#machine = this.#newMachine(state)
    } catch (error) {
      this.fail(error)
      return
    }
    this.#isRenewing = false
    events.overturned()
    this.#readAll()
  }

  #forget(own = this.#own): void {
    if (own !== this.#own || this.#ended !== undefined) return
    this.#isWriting = false
    this.#outbox?.end(forgotten())
    this.#options.events.forgotten()
  }

  #noteFamiliar(): void {
    for (const { node, isRemoved } of this.#machine.roster.members.values()) if (!isRemoved) this.#familiar.add(node)
  }

  #isMember(nodeId: NodeId): boolean {
    return this.#machine.roster.members.get(nodeId)?.isRemoved === false || this.#familiar.has(nodeId)
  }

  #after(delayMs: number, run: () => void): Timer {
    return this.#options.feeds.store.runtime.timers.after(delayMs, run, { background: true })
  }
}

export interface Written {
  readonly dot: Dot
  /** Resolves when it is synced here. */
  readonly durable: Promise<void>
}

function forgotten(): PlaitError {
  return new PlaitError(
    'FEED_BEHIND',
    'what this node had written was forgotten here; it goes on under another feed, try again',
  )
}
