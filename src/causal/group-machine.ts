import { PlaitError } from '../base/error.ts'
import type { ClockView } from '../crdt/crdt-type.ts'
import { sameDot } from '../crdt/dot.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { WriterTable } from '../crdt/writers.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import { decode } from '../wire/schema.ts'
import { keyFromWriter } from '../crdt/dot.ts'
import { bytesEqual } from '../base/bytes.ts'
import { allows, rosterOperation } from './members/roster-operation.ts'
import type { FeedEnd, RosterOperation, RosterStatement } from './members/roster-operation.ts'
import { keyText } from './members/roster-entry.ts'
import { Roster } from './members/roster.ts'
import { CausalOrder } from './order/causal-order.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import type { Entry, EntryBody, EntryKind } from './order/entry.ts'
import type { Row } from './order/history.ts'
import { covers, least, raised, total } from './order/history.ts'

/** An operation that counts, after all that it follows. */
export interface Delivery {
  readonly dot: Dot
  /** Who has written it. */
  readonly node: NodeId
  /** Borrowed: a view of what was read. */
  readonly body: Uint8Array
  /** By which the body names writers. It may grow, and changes nothing that it has. */
  readonly writers: WriterTable
  /** How much of a feed the operation follows, itself included. Asked while it is delivered. */
  readonly clockAt: (writer: Writer) => number
  /** How many operations it follows in all, itself included. Asked while it is delivered. */
  readonly clockTotal: () => number
}

export interface GroupMachineEvents {
  /** An entry of any kind has its turn; what it says comes after this. */
  entered(feed: OrderedFeed, number: number): void
  delivered(delivery: Delivery): void
  /** An entry does not count, or says nothing that can be understood; what follows it goes on. */
  passedOver(dot: Dot, reason: PlaitError): void
  /** A feed belongs to the group from now on. */
  opened(feed: OrderedFeed): void
  /** Who belongs to the group, or what they may do, has changed. */
  membersChanged(): void
  /** Something that was delivered does not count any more, or something that was passed over does: begin again (`renew`). */
  overturned(): void
  /** An admin has made a snapshot. */
  snapshotNamed(): void
}

/** An admin has said that a sealed feed holds the state at no more than its entry follows. */
export interface NamedSnapshot {
  readonly dot: Dot
  readonly name: Uint8Array
  /** The clock of the entry. */
  readonly row: Row
}

const snapshotsKept = 8

export interface GroupMachineOptions {
  /** The founder's feed. */
  readonly group: Writer
  readonly verify: Verify
  readonly events: GroupMachineEvents
}

/** Beyond so many feeds none is opened that does not count: whoever follows one waits. */
const strangersMax = 8_192

/** A group at one of its members: what its feeds say, in causal order, and who belongs to it. No input or output, and no clock. */
export class GroupMachine {
  readonly group: Writer
  readonly order: CausalOrder
  readonly roster: Roster
  readonly #events: GroupMachineEvents
  /** The last that were named, the newest last. */
  readonly snapshots: NamedSnapshot[] = []
  /** By place, the node that each feed says it is of in its first entry. */
  readonly nodes: (string | undefined)[] = []
  #own: OrderedFeed | undefined
  /** Whether anything has been delivered that others wait to hear of. */
  #owes = false

  constructor({ group, verify, events }: GroupMachineOptions) {
    this.group = group
    this.#events = events
    this.order = new CausalOrder({
      delivered: (feed, number, entry) => this.#take(feed, number, entry),
      awaited: () => this.#openAwaited(),
    })
    this.roster = new Roster({ group, verify })
    this.order.open(group)
  }

  /** Who writes here, from now on: all of its entries have been delivered. */
  become(own: Writer): void {
    this.#own = this.order.open(own)
    // After a restart nobody knows any more what was owed.
    if (!covers(this.order.history.row(this.#own.place), this.order.delivered())) this.#owes = true
  }

  get own(): OrderedFeed | undefined {
    return this.#own
  }

  /** Whether something has been delivered since the last own entry that is more than an acknowledgement. */
  get owesAcknowledgement(): boolean {
    return this.#owes
  }

  /** The bytes of the next own entry; it has been delivered here when this returns. */
  compose<Value>(kind: EntryKind, body: EntryBody<Value>): Uint8Array {
    const bytes = this.order.compose(this.#ownFeed, kind, body)
    this.#owes = false
    return bytes
  }

  /** The bytes of the next own entry about members, whose time is the next one. */
  composeMembership(statement: RosterStatement): Uint8Array {
    const own = this.#ownFeed
    const row = raised(this.order.history.row(own.place), this.order.delivered())
    const timed = { ...statement, time: this.roster.timeAfter(row) } as RosterOperation
    return this.compose('membership', { schema: () => rosterOperation, value: timed })
  }

  /** How much of the feeds of a member has been delivered. */
  endsOf(node: NodeId): readonly FeedEnd[] {
    return (this.roster.members.get(node)?.feeds ?? []).map((feed) => ({
      feed: keyFromWriter(feed),
      length: this.order.feed(feed)?.delivered ?? 0,
    }))
  }

  /**
   * What everybody has delivered who is waited for: the least of what the members, without those parked or removed, say in their last
   * feeds. Costs the time to go through all feeds for each member.
   */
  stable(): number[] {
    let stable: Row | undefined
    for (const { node, isParked, isRemoved } of this.roster.members.values())
      if (!isParked && !isRemoved) stable = stable === undefined ? this.seenBy(node) : least(stable, this.seenBy(node))
    return raised(this.order.history.stable, stable ?? [])
  }

  /** The same, to be asked by writer. */
  stableClock(): ClockView {
    const stable = this.stable()
    const { places } = this.order
    return {
      at: (writer) => (places.has(writer) ? (stable[places.indexOf(writer)] ?? 0) : 0),
      total: () => stable.reduce((sum, number) => sum + number, 0),
    }
  }

  /** What a member has said that it has delivered, in the last feed in which it has begun to write. */
  seenBy(node: NodeId): Row {
    const feeds = this.roster.members.get(node)?.feeds ?? []
    let seen: Row | undefined
    for (const feed of feeds.toReversed()) {
      const ordered = this.order.feed(feed)
      const isBegun = ordered !== undefined && ordered.delivered > 0
      // Where it will begin it has what follows from whatever has made it a member there.
      const rows =
        feed === this.#own?.writer
          ? [this.order.delivered()]
          : isBegun
            ? [this.order.history.row(ordered.place)]
            : this.roster.naming(feed).map(({ row }) => row)
      for (const row of rows) seen = seen === undefined ? row : least(seen, row)
      if (isBegun) break
    }
    return seen ?? []
  }

  get #ownFeed(): OrderedFeed {
    if (this.#own === undefined) throw new PlaitError('FORBIDDEN', 'nothing of this group is written here yet')
    return this.#own
  }

  #take(feed: OrderedFeed, number: number, entry: Entry | PlaitError): void {
    const { writer, place } = feed
    const dot = { writer, number }
    this.#events.entered(feed, number)
    this.roster.notice(writer, this.nodes[place], number, this.order.history.row(place))
    if (entry instanceof PlaitError) return this.#events.passedOver(dot, entry)
    if (entry.kind !== 'acknowledgement') this.#owes = true
    if (entry.kind === 'membership') return this.#takeMembership(feed, number, entry.body)
    if (!this.#counts(feed, number)) return this.#events.passedOver(dot, notCounted(dot, 'its writer is no member'))
    if (entry.kind === 'operation') this.#takeOperation(feed, number, entry.body)
    else if (entry.kind === 'snapshot') this.#takeSnapshot(feed, dot, entry.body)
  }

  #takeOperation(feed: OrderedFeed, number: number, body: Uint8Array): void {
    const { writer, place, table } = feed
    const dot = { writer, number }
    if (!this.roster.mayWrite(writer, number))
      return this.#events.passedOver(dot, notCounted(dot, 'its writer may not write'))
    const row = this.order.history.row(place)
    this.#events.delivered({
      dot,
      node: this.nodes[place] as NodeId,
      body,
      writers: table,
      clockAt: (other) => row[this.order.feed(other)?.place ?? -1] ?? 0,
      clockTotal: () => total(row),
    })
  }

  #takeSnapshot({ writer, place }: OrderedFeed, dot: Dot, name: Uint8Array): void {
    const member = this.roster.memberOf(writer)
    if (member === undefined || !allows(member.role, 'admin') || name.length !== 32)
      return this.#events.passedOver(dot, notCounted(dot, 'only an admin names a snapshot'))
    if (this.snapshots.some(({ dot: other }) => sameDot(other, dot))) return
    this.snapshots.push({ dot, name: name.slice(), row: [...this.order.history.row(place)] })
    if (this.snapshots.length > snapshotsKept) this.snapshots.shift()
    this.#events.snapshotNamed()
  }

  #takeMembership(feed: OrderedFeed, number: number, body: Uint8Array): void {
    const { writer, place } = feed
    const dot = { writer, number }
    const row = [...this.order.history.row(place)]
    let operation: RosterOperation
    try {
      operation = decode(rosterOperation, body)
    } catch (error) {
      return this.#events.passedOver(dot, PlaitError.from(error, 'PROTOCOL'))
    }
    // No more can have been said of members than entries were written. Nobody has to be held to the exact time: who claims too low a
    // one is judged by what was before, as whoever has not heard of the rest is.
    if (operation.time > total(row))
      return this.#events.passedOver(dot, notCounted(dot, 'it claims a later time than it can have'))
    if (number === 1) this.#begin(place, operation)
    const known = this.#extents(place)
    this.roster.add({ dot, place, operation, row })
    for (const member of this.roster.members.values()) for (const one of member.feeds) this.#open(one)
    this.#openAwaited()
    this.#events.membersChanged()
    const changed = this.#extents(place)
    // A feed that had an end, and has a later one now: what was forgotten without its writer is needed again.
    const isOther = known.some(({ end, runs }, at) => runs !== changed[at]?.runs || end < (changed[at]?.end ?? 0))
    if (isOther) this.#events.overturned()
  }

  #open(feed: Writer): void {
    if (this.order.feed(feed) === undefined) this.#events.opened(this.order.open(feed))
  }

  /**
   * Where an entry was written that waits, feeds were taken for some of the group that do not count here. They have to be read all the
   * same, and so has whatever else was ever named, since what it waits for may be named there.
   */
  #openAwaited(): void {
    if (!this.order.isAnyAwaited) return
    for (const feed of this.roster.named()) if (this.order.places.size < strangersMax) this.#open(feed)
  }

  #begin(place: number, operation: RosterOperation): void {
    if (operation.kind === 'found' && place === 0) this.nodes[place] = keyText(operation.node)
    if (operation.kind === 'begin' && bytesEqual(operation.group, keyFromWriter(this.group)))
      this.nodes[place] = keyText(operation.node)
  }

  /** Of each feed, how much counts, and what of what was delivered before the entry that is being taken. */
  #extents(taken: number): readonly { readonly end: number; readonly runs: string }[] {
    return this.order.feeds.map(({ writer, place, delivered }) => {
      const before = place === taken ? delivered - 1 : delivered
      const end = this.roster.memberOf(writer) === undefined ? Infinity : this.roster.countsTo(writer)
      return { end, runs: this.roster.writableRuns(writer, before) }
    })
  }

  /** Whether the feed is one of a member, and says so itself, and the entry is not beyond its end. */
  #counts({ writer, place }: OrderedFeed, number: number): boolean {
    const member = this.roster.memberOf(writer)
    return member !== undefined && this.nodes[place] === member.node && number <= this.roster.countsTo(writer)
  }
}

function notCounted({ number, writer }: Dot, why: string): PlaitError {
  return new PlaitError('FORBIDDEN', `entry ${number} of the feed ${writer} does not count: ${why}`, { traced: false })
}
