import { bounds } from '../crdt/bounds.ts'
import { keyFromWriter, writerFromKey } from '../crdt/dot.ts'
import type { Writer } from '../crdt/dot.ts'
import { array, fixed, optional, struct, upTo, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { malformed } from '../wire/reader.ts'
import type { GroupMachine } from './group-machine.ts'
import { rosterOperation } from './members/roster-operation.ts'
import type { RosterOperation } from './members/roster-operation.ts'
import { keyText } from './members/roster-entry.ts'
import type { OrderedFeed } from './order/causal-order.ts'
import { History } from './order/history.ts'
import type { Link, Row } from './order/history.ts'

/**
 * What a group's machine knows when it has delivered so much of each feed: whoever puts it back goes on from there. The same at two
 * members only in what it means: writers are named by their places in `writers`.
 */
export interface GroupState {
  /** Keys: those with a feed in the group first, in the order of `feeds`. */
  readonly writers: readonly Uint8Array[]
  readonly feeds: readonly FeedState[]
  readonly stable: Row
  readonly frontier: readonly Link[]
  readonly roster: readonly RosterState[]
  /** The last snapshots that admins have named. */
  readonly snapshots: readonly SnapshotState[]
}

interface SnapshotState {
  readonly place: number
  readonly number: number
  readonly name: Uint8Array
  /** The clock of the entry that names it. */
  readonly row: Row
}

interface FeedState {
  readonly delivered: number
  readonly mentioned: readonly number[]
  readonly node?: Uint8Array | undefined
  readonly row: Row
  readonly base: number
  readonly links: readonly (readonly Link[])[]
  /** Changes of its member's role by their place in `roster`, and from which entry on they count. */
  readonly noticed: readonly { readonly entry: number; readonly from: number }[]
}

interface RosterState {
  readonly place: number
  readonly number: number
  readonly operation: RosterOperation
  readonly row: Row
}

const place = upTo(bounds.dots)
const number = upTo(bounds.number)
const row: Schema<Row> = array(number, { max: bounds.writers })
const link: Schema<Link> = struct({ writer: place, number })
const links: Schema<readonly Link[]> = array(link, { max: bounds.writers })
const key = fixed(32)

/** How it is written. */
export const groupState: Schema<GroupState> = struct({
  writers: array(key, { max: bounds.dots }),
  feeds: array(
    struct({
      delivered: number,
      mentioned: array(place, { max: bounds.writers }),
      node: optional(key),
      row,
      base: number,
      links: array(links, { max: bounds.dots }),
      noticed: array(struct({ entry: varint, from: number }), { max: bounds.writers }),
    }),
    { max: bounds.writers },
  ),
  stable: row,
  frontier: links,
  roster: array(struct({ place, number, operation: rosterOperation, row }), { max: bounds.dots }),
  snapshots: array(struct({ place, number, name: key, row }), { max: 16 }),
})

/** What the machine knows now. */
export function stateOf({ order, roster, nodes, snapshots }: GroupMachine): GroupState {
  const writers = new Places(order.places)
  const entryIndexes = new Map(roster.entries.map((entry, index) => [entry, index]))
  const feeds = [...order.history.lanes()].map(({ row, base, links }, at): FeedState => {
    const { writer, table, tableSize, delivered } = order.feeds[at] as OrderedFeed
    const node = nodes[at]
    return {
      delivered,
      mentioned: table.mentioned(tableSize).map((mentioned) => writers.placeOf(mentioned)),
      node: node === undefined ? undefined : keyFromWriter(node),
      row,
      base,
      links,
      noticed: Array.from(roster.noticedBy(writer), ([entry, from]) => ({ entry: entryIndexes.get(entry) ?? 0, from })),
    }
  })
  return {
    feeds,
    stable: order.history.stable,
    frontier: order.frontier().map(({ writer, number }) => ({ writer: writers.placeOf(writer), number })),
    roster: roster.entries.map(({ place, dot, operation, row }) => ({ place, number: dot.number, operation, row })),
    snapshots: snapshots.map(({ dot, name, row }) => ({
      ...{ place: writers.placeOf(dot.writer), number: dot.number, name, row },
    })),
    writers: writers.keys(),
  }
}

/** Puts a state back, on a machine that has taken nothing yet. Throws `PROTOCOL` for one that refers to what it does not have. */
export function restoreState(machine: GroupMachine, state: GroupState): void {
  const writers = state.writers.map(writerFromKey)
  const writerAt = (at: number): Writer => writers[at] ?? refer('a writer', at)
  const { order, roster } = machine
  if (writers[0] !== machine.group) throw malformed('the state of another group')
  checkState(state)
  const lanes = state.feeds.map(({ row, base, links }) => ({ row, base, links }))
  order.restore(
    state.feeds.map(({ delivered, mentioned }, at) => ({
      writer: writerAt(at),
      delivered,
      mentioned: mentioned.map(writerAt),
    })),
    History.restore(lanes, state.stable),
    state.frontier.map(({ writer, number }) => ({ writer: writerAt(writer), number })),
  )
  const entries = state.roster.map(({ place, number, operation, row }) => ({
    dot: { writer: writerAt(place), number },
    place,
    operation,
    row,
  }))
  roster.restore(entries)
  for (const { place, number, name, row } of state.snapshots)
    machine.snapshots.push({ dot: { writer: writerAt(place), number }, name, row })
  for (const [at, { node, noticed }] of state.feeds.entries()) {
    machine.nodes[at] = node === undefined ? undefined : keyText(node)
    const pairs = noticed.map(({ entry, from }) => [entries[entry] ?? refer('an entry', entry), from] as const)
    roster.restoreNoticed(writerAt(at), new Map(pairs))
  }
}

/**
 * The state from which all is delivered again, with all that is known of the members: so what does not count is passed over at once.
 * `base` is the state of an earlier snapshot; without one all begins with the first entries.
 */
export function rewoundState(known: GroupState, base?: GroupState): GroupState {
  const writers = new Places(known.writers.map(writerFromKey))
  const baseWriters = (base?.writers ?? []).map(writerFromKey)
  const move = (at: number): number => writers.placeOf(baseWriters[at] ?? refer('a writer', at))
  const moveLink = ({ writer, number }: Link): Link => ({ writer: move(writer), number })
  const moveRow = (row: Row): Row => {
    const moved: number[] = new Array<number>(known.feeds.length).fill(0)
    for (const [at, number] of row.entries()) moved[move(at)] = number
    return moved
  }
  const baseFeeds = new Map((base?.feeds ?? []).map((feed, at) => [move(at), feed]))
  const feeds = known.feeds.map(({ noticed }, at): FeedState => {
    const feed = baseFeeds.get(at)
    if (feed === undefined)
      return { delivered: 0, mentioned: [], node: undefined, row: [], base: 0, links: [], noticed }
    return {
      ...feed,
      mentioned: feed.mentioned.map(move),
      row: moveRow(feed.row),
      links: feed.links.map((group) => group.map(moveLink)),
      noticed,
    }
  })
  return {
    feeds,
    stable: moveRow(base?.stable ?? []),
    frontier: (base?.frontier ?? []).map(moveLink),
    roster: known.roster,
    snapshots: known.snapshots,
    writers: writers.keys(),
  }
}

/** Places for writers, in the order in which they are asked for. */
class Places {
  readonly #places = new Map<Writer, number>()

  constructor(writers: Iterable<Writer>) {
    for (const writer of writers) this.placeOf(writer)
  }

  placeOf(writer: Writer): number {
    const known = this.#places.get(writer)
    if (known !== undefined) return known
    this.#places.set(writer, this.#places.size)
    return this.#places.size - 1
  }

  keys(): readonly Uint8Array[] {
    return Array.from(this.#places.keys(), keyFromWriter)
  }
}

/** Whether all that it refers to is there: it may be somebody else's. */
function checkState({ writers, feeds, stable, frontier, roster, snapshots }: GroupState): void {
  const count = feeds.length
  if (writers.length < count) throw malformed(`${count} feeds of ${writers.length} writers`)
  const checkLink = ({ writer, number }: Link): void => {
    const feed = feeds[writer] ?? refer('a feed', writer)
    if (number > feed.delivered) throw malformed('an entry that was not delivered')
  }
  const checkRow = (row: Row): void => void (row.length > count && refer('a feed', count))
  for (const { delivered, row, base, links } of feeds) {
    if (base + links.length !== delivered) throw malformed('more or fewer entries than were delivered')
    checkRow(row)
    for (const group of links) for (const link of group) checkLink(link)
  }
  for (const link of frontier) checkLink(link)
  checkRow(stable)
  for (const { place, row } of [...roster, ...snapshots]) {
    if (place >= count) refer('a feed', place)
    checkRow(row)
  }
}

function refer(what: string, at: number): never {
  throw malformed(`${what} ${at} that the state does not have`)
}
