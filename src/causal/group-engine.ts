import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { WritableFeed } from '../feed/feed-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Timer } from '../runtime/timers.ts'
import type { ViewChange } from '../store/view.ts'
import { Author } from './author.ts'
import { Committer } from './committer.ts'
import type { CommitterHost } from './committer.ts'
import { Circle } from './circle.ts'
import type { Consumer } from './consumer.ts'
import type { GroupEngineOptions } from './group-engine-api.ts'
import { GroupMachine } from './group-machine.ts'
import type { Delivery } from './group-machine.ts'
import { restoreState, rewoundState, stateOf } from './group-state.ts'
import type { GroupState } from './group-state.ts'
import { clockOf } from './group-view.ts'
import type { RosterStatement } from './members/roster-operation.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import { emptyBody, rawBody } from './order/bodies.ts'
import type { EntryBody, EntryKind } from './order/entry.ts'
import { forgotten } from './outbox.ts'
import type { Outbox } from './outbox.ts'
import type { Written } from './outbox.ts'
import type { Progress } from './progress.ts'
import type { Step } from './progress.ts'
import { Readers } from './readers.ts'
import { Replay } from './replay.ts'
import { Replication } from './replication.ts'
import type { GroupBase } from './snapshot-feed.ts'
import { Snapshots } from './snapshots.ts'

/** Joins the machine of a group to its feeds, to the disk, and to what takes its operations. */
export class GroupEngine {
  readonly replication: Replication = new Replication(() =>
    // While all is gone through again not all members are known.
    this.#author.isWriting || this.#committer.isPaused ? this.#others() : undefined,
  )
  /** Another feed is to be written in, which is no feed of the group yet. */
  isContinuing = false
  readonly #options: GroupEngineOptions
  readonly #readers: Readers
  readonly #snapshots: Snapshots
  readonly #committer: Committer
  readonly #author: Author
  readonly #changes = new Waiters()
  #machine: GroupMachine
  #replay = new Replay()
  #consumer: Consumer | undefined
  #isRenewing = false
  /** Others have dropped what is not here. */
  #isBelow = false
  #step: Step | undefined
  #acknowledgeTimer: Timer | undefined
  readonly #circle = new Circle(() => this.#machine.roster.members)
  #ended: PlaitError | undefined

  constructor(options: GroupEngineOptions) {
    this.#options = options
    const { feeds, view, verify, snapshotEntries, base, rememberSnapshots: remember } = options
    const { timers } = feeds.store.runtime
    const mayShare = (nodeId: NodeId): boolean => this.mayShare(nodeId)
    this.#snapshots = new Snapshots(
      {
        ...{ feeds, view, mayShare, verify, everyEntries: snapshotEntries, remember, machine: () => this.#machine },
        nextTurn: () => new Promise((resolve) => timers.endOfTurn(resolve)),
        after: (delayMs, run) => this.#after(delayMs, run),
        name: (name) => this.write('snapshot', { schema: () => rawBody, value: name }).durable,
        feed: (writer) => this.#readers.feeds.get(writer),
      },
      base,
    )
    this.#committer = new Committer({
      ...{ view, timers, snapshotEntries, snapshots: this.#snapshots, self: feeds.node?.id },
      host: this.#committerHost(),
    })
    this.#author = new Author({
      held: (node, length) => this.replication.note(node, length),
      written: () => this.#takeWritten(),
      forgotten: () => this.#ended === undefined && options.events.forgotten(),
      full: () => void this.#renew(undefined),
      failed: (error) => this.fail(error),
    })
    this.#readers = new Readers({
      ...{ feeds, mayShare },
      firstOf: (writer) => this.#snapshots.firsts.get(writer) ?? 0,
      isFull: () => this.#committer.isPaused || this.#consumer?.isFull === true,
      replay: () => this.#replay,
      dropped: () => this.#takeDropped(),
      opened: () => this.#changes.wake(),
      failed: (error) => this.fail(error),
    })
    this.#machine = this.#newMachine()
  }

  /** With whom the feeds of the group are shared. */
  mayShare(node: NodeId): boolean {
    if (this.#circle.has(node)) return true
    return this.#machine.roster.members.get(node)?.isRemoved !== true && this.#options.mayShare(node)
  }

  /** Shares them with those with whom they may be shared now. */
  review(): void {
    this.#readers.review()
    this.#snapshots.review()
  }

  get machine(): GroupMachine {
    return this.#machine
  }

  /** Whether a snapshot is waited for, without which nothing goes on. */
  get needsSnapshot(): boolean {
    return this.#snapshots.isReading || this.#isBelow
  }

  /** How much of each feed had been carried out when all was begun with, by a view or a snapshot. */
  get clock(): ReadonlyMap<Writer, number> {
    return this.#replay.clock
  }

  get progress(): Progress {
    return this.#committer.progress
  }

  /** Whether something can be written now. */
  get isWriting(): boolean {
    return this.#author.isWriting
  }

  /** Begins where the view was left. `own`: the feed that is written here. */
  async start(own: WritableFeed, consumer: Consumer | undefined): Promise<void> {
    const { view } = this.#options
    this.#consumer = consumer
    this.#author.use(own)
    const base = await this.#snapshots.read()
    const clock = await view.clock()
    // The log is a copy of before the view: what was written since then is lost here.
    const isForgotten = (clock.get(this.#author.writer) ?? 0) > own.length
    const state = await view.state()
    const { firsts } = this.#snapshots
    const known = new Map(state === undefined ? [] : clockOf(state))
    // Its last transactions, or all of it, may be lost.
    const isUsable = [...firsts].every(([writer, number]) => (known.get(writer) ?? 0) >= number)
    if ((!isUsable && base !== undefined) || (await this.#isAheadOfLogs(clock))) {
      // Who the members are is known still: without that nobody could be asked for what is missing.
      await this.#begin(isUsable && state !== undefined ? rewoundState(state, base?.state) : base?.state, base)
      if (clock.size > 0) this.#options.events.overturned()
    } else {
      if (state !== undefined) restoreState(this.#machine, state)
      await consumer?.load(view.view)
      this.#replay = new Replay(clock, (writer) => this.#machine.order.feed(writer)?.delivered ?? 0)
    }
    if (this.#machine.roster.members.size > 0) this.#takeMembers()
    const { isBehind, isFrozen } = own.status()
    if (isForgotten || isBehind || isFrozen) this.#author.forget()
    this.#readAll()
  }

  /** Whether the logs are copies of before the view: what is written here would not follow what the view has of them. */
  async #isAheadOfLogs(clock: ReadonlyMap<Writer, number>): Promise<boolean> {
    for (const [writer, number] of clock) {
      if (writer === this.#author.writer) continue
      const feed = await this.#readers.open(writer)
      if (feed.contiguousLength < number) return true
    }
    return false
  }

  /** The snapshot from which this node could begin: what is here was dropped elsewhere. Does nothing when all of it is known here. */
  adopt(name: Uint8Array): Promise<void> {
    return this.#snapshots.keepDuring(() => this.#adopt(name))
  }

  async #adopt(name: Uint8Array): Promise<void> {
    const isBelow = this.#isBelow
    // Until somebody says again that more was dropped.
    this.#isBelow = false
    if (this.#snapshots.isReading) {
      if (this.#snapshots.isBase(name)) return
      await this.#snapshots.use(name)
      // If it has just been read, all was begun with that: this one is looked at when it is named again.
      this.#snapshots.readInstead()
      return
    }
    const { order } = this.#machine
    const clock = await this.#snapshots.look(name).catch((error: unknown) => {
      this.#isBelow ||= isBelow
      throw error
    })
    if ([...clock].every(([writer, number]) => (order.feed(writer)?.delivered ?? 0) >= number)) return
    await this.#snapshots.use(name)
    await this.#renew(undefined)
    await this.#snapshots.drop()
  }

  /** Another feed to write in from now on. */
  async writeIn(own: WritableFeed): Promise<void> {
    this.replication.begin(forgotten())
    this.#author.use(own)
    // What was written and is not durable was seen here alone: nothing of it is known any more.
    while (this.#isRenewing) await this.#change()
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
    while (!this.#author.isWriting) await this.#change(signal)
  }

  /** Resolves when an entry is durable where it was written. */
  async durable({ writer, number }: Dot): Promise<void> {
    while (writer === this.#author.writer && number > this.#author.durable) await this.#change()
  }

  /** Resolves when all entries that are here have been delivered, or wait for what is not here. */
  async settled(): Promise<void> {
    const isBehind = (): boolean =>
      this.#isRenewing ||
      this.#machine.order.feeds.some(({ writer, received }) => {
        const feed = this.#readers.feeds.get(writer)
        return feed === undefined || received < feed.contiguousLength
      })
    while (isBehind()) await this.#change()
  }

  /** What takes operations may have room again. */
  relieve(): void {
    this.#readers.relieve()
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
      while (!this.#author.isIdle) await this.#changes.wait().catch(() => {})
      this.#committer.commit(true)
      await this.#stop(closed)
    }
    await this.#readers.close()
    await this.#snapshots.close()
    await this.#author.feed?.close()
    await this.#options.view.close()
  }

  async #stop(error: PlaitError): Promise<void> {
    this.#ended = error
    this.#author.end()
    this.#committer.stop()
    this.#acknowledgeTimer?.cancel()
    this.#consumer?.end(error)
    this.replication.end(error)
    this.#author.outbox?.end(error)
    this.#changes.fail(error)
    this.#snapshots.stop()
    await this.#readers.stop()
  }

  get #lastDot(): Dot {
    return { writer: this.#author.writer, number: this.#machine.own?.delivered ?? 0 }
  }

  #writable(): { readonly outbox: Outbox } {
    if (this.#ended !== undefined) throw this.#ended
    const { outbox, isWriting } = this.#author
    if (!isWriting || outbox === undefined)
      throw new PlaitError('FORBIDDEN', 'this node is no member of the group yet, as far as is known here')
    return { outbox }
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
        // Looked at when the next state is written down.
        snapshotNamed: () => {},
      },
    })
    if (state !== undefined) restoreState(machine, state)
    return machine
  }

  #readAll(): void {
    for (const feed of this.#machine.order.feeds) this.#follow(feed)
    // The founder's own feed, or one that nobody has let in yet.
    this.#considerWriting()
  }

  #follow(ordered: OrderedFeed): void {
    this.#committer.progress.begin(ordered.place, this.#replay.clock.get(ordered.writer) ?? 0)
    if (this.#ended !== undefined || this.#isRenewing) return
    const own = this.#author.feed
    if (own === undefined || ordered.writer !== this.#author.writer) this.#readers.follow(this.#machine, ordered)
    else this.#readers.replay(this.#machine, ordered, own, () => this.#considerWriting())
  }

  #takeDropped(): void {
    if (this.#isBelow || this.#snapshots.isReading || this.#ended !== undefined) return
    this.#isBelow = true
    this.#options.events.fellBelow()
  }

  /** Writes from now on, if the feed to write in is one of the group, and all of its entries have been delivered. */
  #considerWriting(): void {
    const { feed: own, writer, isWriting, isForgotten } = this.#author
    if (own === undefined || isWriting || isForgotten || this.#ended !== undefined) return
    if (this.#committer.isPaused || this.#isRenewing) return
    const { order, roster, group } = this.#machine
    const ordered = order.feed(writer)
    const isFounder = group === writer && own.length === 0
    const member = roster.memberOf(writer)
    if (ordered === undefined || (!isFounder && member === undefined)) return
    // What is written beyond the end of a feed is void.
    if (member?.isRemoved === false && roster.countsTo(writer) !== Infinity) return
    if (ordered.delivered < own.length) return
    this.#machine.become(writer)
    this.#author.begin()
    this.isContinuing = false
    this.#circle.close()
    this.review()
    this.#acknowledgeTimer ??= this.#after(this.#options.acknowledgeMs, () => this.#acknowledge())
    this.replication.update()
    this.#options.events.ready()
    this.#changes.wake()
  }

  #enter(feed: OrderedFeed, number: number): void {
    const { place, writer } = feed
    this.#replay.note(writer, number)
    // What follows from what turned out not to count is void as well.
    this.#step = this.#isRenewing ? undefined : this.#committer.enter(feed, number)
    if (writer !== this.#author.writer) {
      const node = this.#machine.nodes[place]
      const seen =
        this.#machine.order.history.row(place)[this.#machine.order.feed(this.#author.writer)?.place ?? -1] ?? 0
      if (node !== undefined && seen > 0) this.replication.note(node, seen)
    } else if (!this.#author.isWriting && number >= (this.#author.feed?.length ?? 0)) {
      // The last own entry was read long ago, and has waited for what it follows.
      this.#considerWritingSoon()
    }
    this.#changes.wake()
    // There is room for one more.
    this.#readers.relieve()
    this.#acknowledgeTimer ??= this.#after(this.#options.acknowledgeMs, () => this.#acknowledge())
  }

  #deliver(delivery: Delivery): void {
    const step = this.#step
    const consumer = this.#consumer
    if (step === undefined || consumer === undefined) return
    step.changes = undefined
    const done = (changes: readonly ViewChange[]): void => {
      step.changes = changes
      this.#committer.stir()
    }
    try {
      consumer.take(delivery, done)
    } catch (error) {
      this.#options.events.setAside(delivery.dot, PlaitError.from(error, 'PROTOCOL'))
      done([])
    }
  }

  #takeMembers(): void {
    if (!this.#author.isWriting) this.#circle.keep()
    this.review()
    this.replication.update()
    this.#options.events.membersChanged()
    this.#considerWritingSoon()
  }

  /** Not while an entry is being delivered. */
  #considerWritingSoon(): void {
    void Promise.resolve().then(() => this.#considerWriting())
  }

  #takeWritten(): void {
    this.#committer.stir()
    this.#changes.wake()
  }

  #acknowledge(): void {
    this.#acknowledgeTimer = undefined
    if (!this.#author.isWriting || !this.#machine.owesAcknowledgement) return
    this.write('acknowledgement', { schema: () => emptyBody, value: undefined }).durable.catch(() => {})
  }

  /** Delivers everything again, with what is known of the members. */
  async #renew(known: GroupState | undefined): Promise<void> {
    if (this.#isRenewing || this.#ended !== undefined) return
    this.#isRenewing = true
    this.#author.end()
    this.#circle.keep()
    // Nothing of what waits is carried out any more.
    this.#committer.suspend()
    this.#consumer?.reset()
    const { events } = this.#options
    try {
      await this.#readers.stop()
      while (!this.#author.isIdle) await this.#changes.wait()
      await this.#snapshots.keepDuring(async () => {
        const base = await this.#snapshots.read()
        await this.#begin(known === undefined ? base?.state : rewoundState(known, base?.state), base)
      })
    } catch (error) {
      this.fail(error)
      return
    }
    this.#isRenewing = false
    events.overturned()
    this.#readAll()
    this.#changes.wake()
  }

  /** Puts a state in place of all that there is, and what it has led to. */
  async #begin(state: GroupState | undefined, base: GroupBase | undefined): Promise<void> {
    const { view } = this.#options
    const consumer = this.#consumer
    if (base !== undefined && consumer?.isRestorable === false) {
      const message = 'entries of this group were dropped, and what takes its operations cannot go on from a snapshot'
      throw new PlaitError('INVALID_ARGUMENT', `${message}; use deliver or a replica`)
    }
    await view.rewind(consumer?.tables ?? [], state, base)
    await consumer?.load(view.view)
    // The view has what the base is of, and the machine as well.
    this.#replay = new Replay(
      base === undefined || state === undefined ? new Map() : new Map(clockOf(state)),
      () => Infinity,
    )
    this.#committer.restart()
    this.#machine = this.#newMachine(state)
  }

  #committerHost(): CommitterHost {
    return {
      now: () => ({
        machine: this.#machine,
        consumer: this.#consumer,
        outbox: this.#author.outbox,
        ownPlace: this.#machine.order.feed(this.#author.writer)?.place,
      }),
      pause: () => this.#author.hold(),
      resume: () => this.#resume(),
      fail: (error) => this.fail(error),
    }
  }

  #resume(): void {
    this.#author.resume()
    this.#readers.relieve()
    // When what is under way is done.
    void Promise.resolve().then(() => this.#changes.wake())
  }

  /** Resolves when anything has changed; rejects when the group has ended. */
  #change(signal?: AbortSignal): Promise<void> {
    return this.#ended === undefined ? this.#changes.wait(signal) : Promise.reject(this.#ended)
  }

  /** The other members that are waited for. */
  *#others(): Generator<NodeId> {
    const self = this.#options.feeds.node?.id
    for (const { node, isParked, isRemoved } of this.#machine.roster.members.values())
      if (node !== self && !isParked && !isRemoved) yield node
  }

  #after(delayMs: number, run: () => void): Timer {
    return this.#options.feeds.store.runtime.timers.after(delayMs, run, { background: true })
  }
}
