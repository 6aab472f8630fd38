import { assert } from '../../base/assert.ts'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { Queue } from '../../base/queue.ts'
import { compareDots } from '../../crdt/dot.ts'
import type { Dot, Writer } from '../../crdt/dot.ts'
import type { DotList } from '../../crdt/dot-list.ts'
import { Writers } from '../../crdt/writers.ts'
import { decodeEntry, encodeEntry } from './entry.ts'
import type { Entry, EntryBody, EntryKind } from './entry.ts'
import { FeedTable } from './feed-table.ts'
import { History } from './history.ts'
import type { Link, Row } from './history.ts'

/** What comes out: the entries of all feeds, each after all that it follows. An entry that cannot be read is an error. */
export interface OrderEvents {
  delivered(feed: OrderedFeed, number: number, entry: Entry | PlaitError): void
  /** An entry waits for one of a feed that is not open. */
  awaited(): void
}

/** One feed of the group, and how far it has come. */
export interface OrderedFeed {
  readonly writer: Writer
  readonly place: number
  readonly table: FeedTable
  /** How many writers its table had when the last delivered entry was written. */
  readonly tableSize: number
  /** Entries that were taken, and that were delivered: all up to these numbers. */
  readonly received: number
  readonly delivered: number
  /** Bytes of entries that wait. */
  readonly waitingBytes: number
  /** The dot for which the first one of them waits. */
  readonly waitsFor: Dot | undefined
}

interface Lane extends OrderedFeed {
  table: FeedTable
  tableSize: number
  received: number
  delivered: number
  waitingBytes: number
  waitsFor: Dot | undefined
  readonly waiting: Queue<WaitingEntry>
  /** Feeds whose first waiting entry waits for one of this feed, by its number. */
  readonly waitersByNumber: Map<number, Lane[]>
}

interface WaitingEntry {
  readonly entry: Entry | PlaitError
  readonly bytes: number
  readonly tableSize: number
}

/** So many entries of one feed wait at most, whatever their size. */
const waitingEntriesMax = 4_096

/**
 * Brings the entries of feeds, each of which comes in its own order, into one in which every entry stands behind all that it follows. Of
 * each feed only the first entry that waits is looked at, and only when the dot has been delivered for which it waits.
 */
export class CausalOrder {
  readonly places: Writers = new Writers()
  readonly #lanes: Lane[] = []
  readonly #lanesByWriter = new Map<Writer, Lane>()
  /** Feeds whose first entry waits for one of a feed that is not known yet. */
  readonly #waitersByWriter = new Map<Writer, Lane[]>()
  readonly #events: OrderEvents
  #history = new History()
  /** The last dots, by place: those that nothing delivered follows. */
  readonly #frontier = new Map<number, number>()
  readonly #ready: Lane[] = []
  #isRunning = false

  constructor(events: OrderEvents) {
    this.#events = events
  }

  get feeds(): readonly OrderedFeed[] {
    return this.#lanes
  }

  get history(): History {
    return this.#history
  }

  feed(writer: Writer): OrderedFeed | undefined {
    return this.#lanesByWriter.get(writer)
  }

  /** How many entries of each feed have been delivered, by place, fresh. */
  delivered(): number[] {
    return this.#lanes.map(({ delivered }) => delivered)
  }

  /** The last dots that were delivered: those that no other one follows. */
  frontier(): DotList {
    return Array.from(this.#frontier, ([place, number]) => ({ writer: this.places.at(place), number })).sort(
      compareDots,
    )
  }

  /** Whether an entry waits for one of a feed that is not open. */
  get isAnyAwaited(): boolean {
    return this.#waitersByWriter.size > 0
  }

  /** A feed of the group, from now on. */
  open(writer: Writer): OrderedFeed {
    const present = this.#lanesByWriter.get(writer)
    if (present !== undefined) return present
    const place = this.places.add(writer)
    this.#history.begin([])
    const lane: Lane = {
      writer,
      place,
      table: new FeedTable(writer),
      tableSize: 1,
      received: 0,
      delivered: 0,
      waitingBytes: 0,
      waitsFor: undefined,
      waiting: new Queue(),
      waitersByNumber: new Map(),
    }
    this.#lanes.push(lane)
    this.#lanesByWriter.set(writer, lane)
    this.#wake(this.#waitersByWriter.get(writer))
    this.#waitersByWriter.delete(writer)
    this.#run()
    return lane
  }

  /** Takes the next entry of a feed, whose bytes are kept as long as it waits. Returns whether more of the feed may come now. */
  receive(feed: OrderedFeed, bytes: Uint8Array): boolean {
    const lane = this.#laneOf(feed)
    lane.received += 1
    const entry = readEntry(lane.table, bytes)
    lane.waiting.push({ entry, bytes: bytes.length, tableSize: lane.table.size })
    lane.waitingBytes += bytes.length
    if (lane.waiting.length === 1) {
      this.#ready.push(lane)
      this.#run()
    }
    return this.hasRoom(lane)
  }

  hasRoom({ place }: OrderedFeed): boolean {
    const { waiting, waitingBytes } = this.#lanes[place] as Lane
    return waiting.length < waitingEntriesMax && waitingBytes < defaultLimits.causalPendingBytes
  }

  /**
   * The bytes of the next entry of a feed that is written here, which follows all that has been delivered; it counts as delivered from
   * now on. Throws as `encodeEntry`; nothing has changed then.
   */
  compose<Value>(feed: OrderedFeed, kind: EntryKind, body: EntryBody<Value>): Uint8Array {
    const lane = this.#laneOf(feed)
    assert(lane.received === lane.delivered, 'all of an own feed is delivered before more is written')
    const follows = this.frontier().filter(({ writer }) => writer !== lane.writer)
    const { bytes, bodyStart } = encodeEntry(lane.table, kind, follows, body)
    lane.received += 1
    lane.tableSize = lane.table.size
    this.#deliver(lane, { kind, follows, body: bytes.subarray(bodyStart) })
    this.#run()
    return bytes
  }

  /** Everything up to `stable` has been delivered everywhere: nobody names anything below it any more. */
  forget(stable: Row): void {
    this.#history.forget(stable)
  }

  /** Puts back what was written down of a feed and of all: before anything else, on an order that is empty. */
  restore(feeds: Iterable<RestoredFeed>, history: History, frontier: DotList): void {
    for (const { writer, delivered, mentioned } of feeds) {
      const lane = this.open(writer) as Lane
      lane.table = new FeedTable(writer, mentioned)
      lane.tableSize = lane.table.size
      lane.received = delivered
      lane.delivered = delivered
    }
    this.#history = history
    for (const { writer, number } of frontier) this.#frontier.set(this.places.indexOf(writer), number)
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      for (let lane = this.#ready.pop(); lane !== undefined; lane = this.#ready.pop()) this.#advance(lane)
    } finally {
      this.#isRunning = false
    }
  }

  /** Delivers the entries of a feed, until one has to wait. */
  #advance(lane: Lane): void {
    lane.waitsFor = undefined
    for (let next = lane.waiting.peek(); next !== undefined; next = lane.waiting.peek()) {
      const { entry } = next
      if (!(entry instanceof PlaitError) && this.#isWaiting(lane, entry.follows)) return
      lane.waiting.shift()
      lane.waitingBytes -= next.bytes
      lane.tableSize = next.tableSize
      this.#deliver(lane, entry)
    }
  }

  #isWaiting(lane: Lane, follows: DotList): boolean {
    for (const dot of follows) {
      const other = this.#lanesByWriter.get(dot.writer)
      if (other !== undefined && other.delivered >= dot.number) continue
      lane.waitsFor = dot
      if (other !== undefined) addTo(other.waitersByNumber, dot.number, lane)
      else {
        addTo(this.#waitersByWriter, dot.writer, lane)
        this.#events.awaited()
      }
      return true
    }
    return false
  }

  #deliver(lane: Lane, entry: Entry | PlaitError): void {
    const links = entry instanceof PlaitError ? [] : entry.follows.map((dot) => this.#link(dot))
    lane.delivered += 1
    this.#history.deliver(lane.place, links)
    for (const { writer, number } of links) if (this.#frontier.get(writer) === number) this.#frontier.delete(writer)
    this.#frontier.set(lane.place, lane.delivered)
    this.#events.delivered(lane, lane.delivered, entry)
    const waiters = lane.waitersByNumber.get(lane.delivered)
    if (waiters === undefined) return
    lane.waitersByNumber.delete(lane.delivered)
    this.#wake(waiters)
  }

  #wake(lanes: readonly Lane[] | undefined): void {
    for (const lane of lanes ?? []) this.#ready.push(lane)
  }

  #link({ writer, number }: Dot): Link {
    return { writer: this.places.indexOf(writer), number }
  }

  #laneOf({ place }: OrderedFeed): Lane {
    return this.#lanes[place] as Lane
  }
}

/** What was written down of a feed. */
export interface RestoredFeed {
  readonly writer: Writer
  readonly delivered: number
  /** Of its table. */
  readonly mentioned: readonly Writer[]
}

function readEntry(table: FeedTable, bytes: Uint8Array): Entry | PlaitError {
  try {
    return decodeEntry(table, bytes)
  } catch (error) {
    if (PlaitError.is(error)) return PlaitError.from(error, 'PROTOCOL')
    throw error
  }
}

function addTo<Key>(waiters: Map<Key, Lane[]>, key: Key, lane: Lane): void {
  const present = waiters.get(key)
  if (present === undefined) waiters.set(key, [lane])
  else present.push(lane)
}
