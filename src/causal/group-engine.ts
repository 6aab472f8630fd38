import { PlaitError } from '../base/error.ts'
import { Waiters } from '../base/waiters.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { Feeds, WritableFeed } from '../feed/feed-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { Timer } from '../runtime/timers.ts'
import type { ViewChange } from '../store/view.ts'
import { Committer } from './committer.ts'
import type { CommitterHost } from './committer.ts'
import { Circle } from './circle.ts'
import type { Consumer } from './consumer.ts'
import type { GroupId } from './group-api.ts'
import { GroupMachine } from './group-machine.ts'
import type { Delivery } from './group-machine.ts'
import { restoreState, rewoundState, stateOf } from './group-state.ts'
import type { GroupState } from './group-state.ts'
import { clockOf } from './group-view.ts'
import type { GroupView } from './group-view.ts'
import type { RosterStatement } from './members/roster-operation.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import { emptyBody, rawBody } from './order/bodies.ts'
import type { EntryBody, EntryKind } from './order/entry.ts'
import { forgotten, Outbox } from './outbox.ts'
import type { Written } from './outbox.ts'
import type { Progress } from './progress.ts'
import type { Step } from './progress.ts'
import { Readers } from './readers.ts'
import { Replication } from './replication.ts'
import type { GroupBase } from './snapshot-feed.ts'
import { Snapshots } from './snapshots.ts'

export interface GroupEngineOptions {
  readonly group: GroupId
  readonly feeds: Feeds
  readonly view: GroupView
  readonly verify: Verify
  readonly acknowledgeMs: number
  /** Beside members: with whom feeds are shared before anything is known. */
  readonly mayShare: (nodeId: NodeId) => boolean
  readonly snapshotEntries: number
  /** The sealed feed of the snapshot from which everything can be made again. */
  readonly base: Uint8Array | undefined
  /** There is another one; resolves when that is remembered. */
  readonly rememberBase: (name: Uint8Array) => Promise<void>
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
  readonly replication: Replication = new Replication(() =>
    // While all is gone through again not all members are known.
    this.#isWriting || this.#committer.isPaused ? this.#others() : undefined,
  )
  /** Another feed is to be written in, which is no feed of the group yet. */
  isContinuing = false
  readonly #options: GroupEngineOptions
  readonly #readers: Readers
  readonly #snapshots: Snapshots
  readonly #committer: Committer
  readonly #changes = new Waiters()
  #machine: GroupMachine
  /** How much of each feed the view has had when it was opened. */
  #clock: ReadonlyMap<Writer, number> = new Map()
  #consumer: Consumer | undefined
  #own: WritableFeed | undefined
  #outbox: Outbox | undefined
  #isWriting = false
  /** It wrote when it was paused, and nothing has kept it from that since. */
  #isHeld = false
  #isRenewing = false
  #step: Step | undefined
  #acknowledgeTimer: Timer | undefined
  readonly #circle = new Circle(() => this.#machine.roster.members)
  #ended: PlaitError | undefined

  constructor(options: GroupEngineOptions) {
    this.#options = options
    const { feeds, view, snapshotEntries, base, rememberBase } = options
    const { timers } = feeds.store.runtime
    const mayShare = (nodeId: NodeId): boolean => this.#circle.has(nodeId) || options.mayShare(nodeId)
    this.#snapshots = new Snapshots(
      {
        ...{ feeds, view, mayShare, everyEntries: snapshotEntries, rememberBase },
        nextTurn: () => new Promise((resolve) => timers.endOfTurn(resolve)),
        name: (name) => this.write('snapshot', { schema: () => rawBody, value: name }).durable,
        feed: (writer) => this.#readers.feeds.get(writer),
      },
      base,
    )
    this.#committer = new Committer({
      ...{ view, timers, snapshotEntries, snapshots: this.#snapshots, self: feeds.node?.id },
      host: this.#committerHost(),
    })
    this.#readers = new Readers({
      ...{ feeds, mayShare },
      firstOf: (writer) => this.#snapshots.firsts.get(writer) ?? 0,
      isFull: () => this.#committer.isPaused || this.#consumer?.isFull === true,
      opened: () => this.#changes.wake(),
      failed: (error) => this.fail(error),
    })
    this.#machine = this.#newMachine()
  }

  get machine(): GroupMachine {
    return this.#machine
  }

  get progress(): Progress {
    return this.#committer.progress
  }

  /** Whether something can be written now. */
  get isWriting(): boolean {
    return this.#isWriting
  }

  /** Begins where the view was left. `own`: the feed that is written here. */
  async start(own: WritableFeed, consumer: Consumer | undefined): Promise<void> {
    const { view } = this.#options
    this.#consumer = consumer
    this.#useOwn(own)
    const base = await this.#snapshots.read()
    this.#clock = await view.clock()
    const state = await view.state()
    const { firsts } = this.#snapshots
    const known = new Map(state === undefined ? [] : clockOf(state))
    // Its last transactions, or all of it, may be lost.
    const isUsable = [...firsts].every(([writer, number]) => (known.get(writer) ?? 0) >= number)
    if (!isUsable && base !== undefined) await this.#begin(base.state, base)
    else {
      if (state !== undefined) restoreState(this.#machine, state)
      await consumer?.load(view.view)
    }
    if (this.#machine.roster.members.size > 0) this.#takeMembers()
    // The log is a copy of before the view: what was written since then is lost here.
    const { isBehind, isFrozen } = own.status()
    if (isBehind || isFrozen || (this.#clock.get(this.#ownWriter) ?? 0) > own.length) this.#forget()
    this.#readAll()
  }

  /** The snapshot from which this node could begin: what is here was dropped elsewhere. Does nothing when all of it is known here. */
  async adopt(name: Uint8Array): Promise<void> {
    const before = this.#snapshots.base
    this.#snapshots.base = name
    const base = await this.#snapshots.read()
    const { order } = this.#machine
    const isNews = [...this.#snapshots.firsts].some(([writer, number]) => (order.feed(writer)?.delivered ?? 0) < number)
    if (!isNews || base === undefined) {
      this.#snapshots.base = before
      await this.#snapshots.read()
      return
    }
    await this.#options.rememberBase(name)
    await this.#renew(undefined)
  }

  /** Another feed to write in from now on. */
  async writeIn(own: WritableFeed): Promise<void> {
    this.#outbox?.end(forgotten())
    this.replication.begin(forgotten())
    this.#endWriting()
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
    while (!this.#isWriting) await this.#change(signal)
  }

  /** Resolves when an entry is durable where it was written. */
  async durable({ writer, number }: Dot): Promise<void> {
    while (writer === this.#ownWriter && number > (this.#outbox?.durable ?? 0)) await this.#change()
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
      while (this.#outbox?.isEmpty === false) await this.#changes.wait().catch(() => {})
      this.#committer.commit(true)
      await this.#stop(closed)
    }
    await this.#readers.close()
    await this.#own?.close()
    await this.#options.view.close()
  }

  async #stop(error: PlaitError): Promise<void> {
    this.#ended = error
    this.#endWriting()
    this.#committer.stop()
    this.#acknowledgeTimer?.cancel()
    this.#consumer?.end(error)
    this.replication.end(error)
    this.#outbox?.end(error)
    this.#changes.fail(error)
    this.#snapshots.close()
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
        // Looked at when the next state is written down.
        snapshotNamed: () => {},
      },
    })
    if (state !== undefined) restoreState(machine, state)
    return machine
  }

  #useOwn(own: WritableFeed): void {
    this.#own = own
    this.#outbox = this.#newOutbox(own)
    own.addEventListener('peer', ({ detail }) => {
      if (own === this.#own) this.replication.note(detail.nodeId, detail.contiguousLength)
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
    this.#committer.progress.begin(ordered.place, this.#clock.get(ordered.writer) ?? 0)
    if (this.#ended !== undefined || this.#isRenewing) return
    const own = this.#own
    if (own === undefined || ordered.writer !== this.#ownWriter) this.#readers.follow(this.#machine, ordered)
    else this.#readers.replay(this.#machine, ordered, own, () => this.#considerWriting())
  }

  /** Writes from now on, if the feed to write in is one of the group, and all of its entries have been delivered. */
  #considerWriting(): void {
    const own = this.#own
    if (own === undefined || this.#isWriting || this.#ended !== undefined) return
    if (this.#committer.isPaused || this.#isRenewing) return
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
    this.#circle.close()
    this.#readers.review()
    this.#acknowledgeTimer ??= this.#after(this.#options.acknowledgeMs, () => this.#acknowledge())
    this.replication.update()
    this.#options.events.ready()
    this.#changes.wake()
  }

  #enter(feed: OrderedFeed, number: number): void {
    const { place, writer } = feed
    this.#step = this.#committer.enter(feed, number)
    if (writer !== this.#ownWriter) {
      const node = this.#machine.nodes[place]
      const seen = this.#machine.order.history.row(place)[this.#machine.order.feed(this.#ownWriter)?.place ?? -1] ?? 0
      if (node !== undefined && seen > 0) this.replication.note(node, seen)
    } else if (!this.#isWriting && number >= (this.#own?.length ?? 0)) {
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
    if (!this.#isWriting) this.#circle.keep()
    this.#readers.review()
    this.replication.update()
    this.#options.events.membersChanged()
    this.#considerWritingSoon()
  }

  /** Not while an entry is being delivered. */
  #considerWritingSoon(): void {
    void Promise.resolve().then(() => this.#considerWriting())
  }

  #newOutbox(own: WritableFeed): Outbox {
    return new Outbox(own, own.length, {
      written: () => this.#takeWritten(),
      failed: (error) => this.#takeUnwritten(own, error),
    })
  }

  /** What was delivered here and could not be written is taken back: all is delivered again, without it. */
  #takeUnwritten(own: WritableFeed, error: PlaitError): void {
    if (own !== this.#own) return
    this.#endWriting()
    if (error.code === 'FEED_BEHIND' || error.code === 'FEED_FROZEN') return this.#forget(own)
    if (error.code !== 'NO_SPACE') return this.fail(error)
    this.#outbox = this.#newOutbox(own)
    void this.#renew(undefined)
  }

  #takeWritten(): void {
    this.#committer.stir()
    this.#changes.wake()
  }

  #acknowledge(): void {
    this.#acknowledgeTimer = undefined
    if (!this.#isWriting || !this.#machine.owesAcknowledgement) return
    this.write('acknowledgement', { schema: () => emptyBody, value: undefined }).durable.catch(() => {})
  }

  /** Delivers everything again, with what is known of the members. */
  async #renew(known: GroupState | undefined): Promise<void> {
    if (this.#isRenewing || this.#ended !== undefined) return
    this.#isRenewing = true
    this.#endWriting()
    this.#circle.keep()
    const { events } = this.#options
    try {
      await this.#readers.stop()
      while (this.#outbox?.isEmpty === false) await this.#changes.wait()
      const base = await this.#snapshots.read()
      await this.#begin(known === undefined ? base?.state : rewoundState(known, base?.state), base)
    } catch (error) {
      this.fail(error)
      return
    }
    this.#isRenewing = false
    events.overturned()
    this.#readAll()
  }

  /** Puts a state in place of all that there is, and what it has led to. */
  async #begin(state: GroupState | undefined, base: GroupBase | undefined): Promise<void> {
    const { view } = this.#options
    const consumer = this.#consumer
    if (base !== undefined && consumer?.isRestorable === false) {
      const message = 'entries of this group were dropped, and what takes its operations cannot go on from a snapshot'
      throw new PlaitError('INVALID_ARGUMENT', `${message}; use deliver or a replica`)
    }
    this.#committer.suspend()
    consumer?.reset()
    await view.rewind(consumer?.tables ?? [], state, base)
    await consumer?.load(view.view)
    this.#clock = base === undefined || state === undefined ? new Map() : new Map(clockOf(state))
    this.#committer.restart()
    this.#machine = this.#newMachine(state)
  }

  #committerHost(): CommitterHost {
    return {
      now: () => ({
        machine: this.#machine,
        consumer: this.#consumer,
        outbox: this.#outbox,
        ownPlace: this.#machine.order.feed(this.#ownWriter)?.place,
      }),
      pause: () => {
        this.#isHeld = this.#isWriting
        this.#isWriting = false
      },
      resume: () => this.#resume(),
      fail: (error) => this.fail(error),
    }
  }

  #resume(): void {
    this.#isWriting = this.#isHeld
    this.#isHeld = false
    this.#readers.relieve()
    // When what is under way is done.
    void Promise.resolve().then(() => this.#changes.wake())
  }

  #forget(own = this.#own): void {
    if (own !== this.#own || this.#ended !== undefined) return
    this.#endWriting()
    this.#outbox?.end(forgotten())
    this.#options.events.forgotten()
  }

  #endWriting(): void {
    this.#isWriting = false
    this.#isHeld = false
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
