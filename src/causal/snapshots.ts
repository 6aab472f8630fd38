import { bytesEqual } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Writer } from '../crdt/dot.ts'
import type { Feed, Feeds } from '../feed/feed-api.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import type { FeedId } from '../feed/feed-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { GroupMachine, NamedSnapshot } from './group-machine.ts'
import type { GroupState } from './group-state.ts'
import { clockOf, type GroupView } from './group-view.ts'
import { keyText } from './members/roster-entry.ts'
import type { Timer } from '../runtime/timers.ts'
import { allows } from './members/roster-operation.ts'
import { covers } from './order/history.ts'
import { countsAlike } from './snapshot-check.ts'
import { openSnapshot, readSnapshot, snapshotBlocks } from './snapshot-feed.ts'
import type { GroupBase } from './snapshot-feed.ts'

/** What is remembered of a group's snapshots, by their names. */
export interface KnownSnapshots {
  /** From which everything can be made again. */
  readonly base: Uint8Array | undefined
  /** All others that may be here: earlier ones, and those that were begun. What is not remembered would stay for ever. */
  readonly others: readonly Uint8Array[]
}

export interface SnapshotsOptions {
  readonly feeds: Feeds
  readonly view: GroupView
  readonly mayShare: (nodeId: NodeId) => boolean
  readonly verify: Verify
  /** What is known now. */
  readonly machine: () => GroupMachine
  /** An admin makes one when so many entries have been delivered since the last. */
  readonly everyEntries: number
  readonly nextTurn: () => Promise<void>
  readonly after: (delayMs: number, run: () => void) => Timer
  /** Names a snapshot in the feed that is written here. */
  readonly name: (name: Uint8Array) => Promise<void>
  /** Changes what is remembered of them, one change after the other; resolves when it is. */
  readonly remember: (change: (known: KnownSnapshots) => KnownSnapshots) => Promise<void>
  /** A feed that is open here. */
  readonly feed: (writer: Writer) => Feed | undefined
}

/** So many snapshots are not everybody's yet at most. */
const waitingMax = 3
const silenceMs = 30_000

/**
 * Snapshots of a group, and what they make superfluous: when every member has delivered all that one is of, nobody needs the entries
 * before it any more, and nothing in it can become void. Not before its feed is here whole are they dropped.
 */
export class Snapshots {
  /** The snapshot from which everything can be made again. */
  base: Uint8Array | undefined
  /** How much of each feed it is of: what is not kept. */
  firsts: ReadonlyMap<Writer, number> = new Map()
  readonly #options: SnapshotsOptions
  readonly #ending = new AbortController()
  readonly #feedsById = new Map<FeedId, Feed>()
  readonly #looks = new Set<AbortController>()
  #reading: AbortController | undefined
  /** The one that is going to be the base, while it comes. */
  #fetching: { readonly name: Uint8Array; readonly ending: AbortController } | undefined
  #tasks = 0
  #isMaking = false
  /** Those that hold what does not count. */
  readonly #void = new Set<string>()
  /** Made here, and not named yet. */
  #made: Uint8Array | undefined
  #isPruning = false
  /** How many entries had been delivered at the last one. */
  #madeAt = 0

  constructor(options: SnapshotsOptions, base: Uint8Array | undefined) {
    this.#options = options
    this.base = base
  }

  /** Another one is the base from now on; resolves when that is remembered. */
  async use(name: Uint8Array): Promise<void> {
    await this.#begin(name, () => [])
  }

  /** Reads the base, when there is one; waits until all of it is here. */
  async read(): Promise<GroupBase | undefined> {
    for (let base = this.base; base !== undefined; base = this.base) {
      this.#reading = new AbortController()
      try {
        const { signal } = this.#reading
        const snapshot = await this.#fetch(base, signal)
        this.firsts = new Map(clockOf(snapshot.state))
        return snapshot
      } catch (error) {
        // Another one may have taken its place meanwhile.
        if (this.base === base || this.#ending.signal.aborted) throw error
      } finally {
        this.#reading = undefined
      }
    }
    return undefined
  }

  isBase(name: Uint8Array): boolean {
    return this.base !== undefined && bytesEqual(this.base, name)
  }

  /** Whether the base is on its way: nobody may have it any more. */
  get isReading(): boolean {
    return this.#reading !== undefined
  }

  /** Removes none of them while `task` reads one. */
  async keepDuring<Result>(task: () => Promise<Result>): Promise<Result> {
    this.#tasks += 1
    try {
      return await task()
    } finally {
      this.#tasks -= 1
    }
  }

  /** There is another base than the one that is being read. */
  readInstead(): void {
    this.#reading?.abort(new PlaitError('CANCELLED', 'there is another snapshot'))
  }

  /** How much of each feed a snapshot is of; when all of it is here. Rejects with `TIMEOUT` when nothing comes of it for a while. */
  async look(name: Uint8Array): Promise<ReadonlyMap<Writer, number>> {
    await this.#note(name)
    this.#ending.signal.throwIfAborted()
    const ending = new AbortController()
    this.#looks.add(ending)
    const stop = this.#watch(name, ending)
    try {
      return new Map(clockOf((await this.#fetch(name, ending.signal)).state))
    } finally {
      stop()
      this.#looks.delete(ending)
    }
  }

  /** Drops the entries that the base is of. */
  async drop(): Promise<void> {
    for (const [writer, number] of this.firsts) await this.#options.feed(writer)?.clear(0, number)
  }

  /** Shares snapshots with those with whom they may be shared now. */
  review(): void {
    for (const feed of this.#feedsById.values()) feed.review()
  }

  /** The view has just been told of a state: makes a snapshot of it, or drops what an older one makes superfluous, if it is time. */
  consider(machine: GroupMachine, state: GroupState, tables: readonly string[], self: NodeId): void {
    const total = state.feeds.reduce((sum, { delivered }) => sum + delivered, 0)
    const isUsable = ({ name, row }: NamedSnapshot): boolean =>
      covers(state.stable, row) && !this.#void.has(keyText(name))
    const usable = machine.snapshots.findLast(isUsable)
    // As long as own entries are to come, one that is named there is not known.
    if (usable !== undefined && !this.isBase(usable.name) && machine.own !== undefined) {
      const names = machine.snapshots.map(({ name }) => name)
      const at = machine.snapshots.indexOf(usable)
      if (!this.#isPruning) void this.#prune(usable.name, names.slice(0, at), names.slice(at + 1))
      else if (this.#fetching !== undefined && !bytesEqual(this.#fetching.name, usable.name))
        // Whoever had that one may have gone on to this one: then it comes from nobody any more.
        this.#fetching.ending.abort(new PlaitError('CANCELLED', 'there is a newer snapshot'))
    }
    const named = machine.snapshots.at(-1)
    if (named !== undefined)
      this.#madeAt = Math.max(
        this.#madeAt,
        named.row.reduce((sum, number) => sum + number, 0),
      )
    // One admin makes it, the one with the smallest id; another one when that one does not.
    const admins = [...machine.roster.members.values()]
      .filter(({ role, isParked, isRemoved }) => allows(role, 'admin') && !isParked && !isRemoved)
      .map(({ node }) => node)
      .sort()
    const turn = admins.indexOf(self)
    // Those that were named and are not everybody's yet come first: while somebody lags, more of them would be of no use.
    const waiting = machine.snapshots.length - 1 - machine.snapshots.findLastIndex(({ name }) => this.isBase(name))
    if (waiting >= waitingMax) return
    if (turn < 0 || this.#isMaking || total - this.#madeAt < this.#options.everyEntries * (1 + turn)) return
    this.#isMaking = true
    this.#madeAt = total
    void this.#make(state, tables)
  }

  /** Makes and reads no more. */
  stop(): void {
    const closed = new PlaitError('CANCELLED', 'the group is read no more')
    this.#ending.abort(closed)
    this.#reading?.abort(closed)
    this.#fetching?.ending.abort(closed)
    for (const look of this.#looks) look.abort(closed)
  }

  /** Shares no snapshot any more: who opens the group again shares it with those who are members then. */
  async close(): Promise<void> {
    this.stop()
    await Promise.all(Array.from(this.#feedsById.values(), (feed) => feed.close()))
  }

  async #fetch(name: Uint8Array, signal: AbortSignal): Promise<GroupBase> {
    const { feeds, mayShare } = this.#options
    const feed = await openSnapshot(feeds, name, mayShare)
    this.#feedsById.set(feed.id, feed)
    await feed.longerThan(0, { signal })
    await feed.download({}, { signal })
    return readSnapshot(feed, signal)
  }

  async #make(state: GroupState, tables: readonly string[]): Promise<void> {
    const { feeds, view, mayShare, nextTurn, name } = this.#options
    try {
      const pages = view.pages(tables, nextTurn)
      const feed = await feeds.seal(snapshotBlocks(state, pages), { mayShare })
      this.#feedsById.set(feed.id, feed)
      this.#made = feed.name
      await this.#note(feed.name)
      if (!this.#ending.signal.aborted) await name(feed.name)
    } catch {
      // Without it the log is longer, and that is all; the next one is made in due time.
    } finally {
      this.#made = undefined
      this.#isMaking = false
    }
  }

  async #prune(name: Uint8Array, older: readonly Uint8Array[], newer: readonly Uint8Array[]): Promise<void> {
    this.#isPruning = true
    const { feeds } = this.#options
    const { base } = this
    try {
      const state = await this.#fetchNext(name)
      const { verify, machine } = this.#options
      // In due time.
      if (this.#tasks > 0 || this.base !== base || machine().own === undefined) return
      if (!countsAlike(state, machine(), verify)) {
        this.#void.add(keyText(name))
        return
      }
      // The last base stays until there is another one: it may be read here just now, or by whoever was told of it.
      const kept = [name, ...newer, ...[base, this.#made].filter((one) => one !== undefined)]
      const spent = await this.#begin(name, (others) => distinct([...others, ...older], kept))
      this.firsts = new Map(clockOf(state))
      await this.drop()
      for (const one of spent) {
        if (this.isBase(one)) continue
        const id = formatFeedId({ name: one, isSealed: true })
        this.#feedsById.delete(id)
        await feeds.remove(id)
      }
      await this.#options.remember((known) => ({ ...known, others: distinct(known.others, spent) }))
      await feeds.compact()
    } catch {
      // As above: what was dropped is not needed, what was not can be dropped later.
    } finally {
      this.#isPruning = false
    }
  }

  /** Ends a look when nothing comes for a while: whoever had that snapshot may have gone on to another one. */
  #watch(name: Uint8Array, ending: AbortController): () => void {
    const id = formatFeedId({ name, isSealed: true })
    const heldNow = (): number => this.#feedsById.get(id)?.status().held ?? 0
    let held = heldNow()
    let timer: Timer
    const check = (): void => {
      if (heldNow() === held) ending.abort(new PlaitError('TIMEOUT', 'nothing comes of a snapshot'))
      held = heldNow()
      timer = this.#options.after(silenceMs, check)
    }
    timer = this.#options.after(silenceMs, check)
    return () => timer.cancel()
  }

  async #fetchNext(name: Uint8Array): Promise<GroupState> {
    await this.#note(name)
    const ending = new AbortController()
    if (this.#ending.signal.aborted) ending.abort(this.#ending.signal.reason)
    this.#fetching = { name, ending }
    try {
      return (await this.#fetch(name, ending.signal)).state
    } finally {
      this.#fetching = undefined
    }
  }

  /** Begins with another one from now on, when that is remembered. Resolves with those of which nothing is needed any more. */
  async #begin(
    name: Uint8Array,
    spentOf: (others: readonly Uint8Array[]) => readonly Uint8Array[],
  ): Promise<readonly Uint8Array[]> {
    let spent: readonly Uint8Array[] = []
    await this.#options.remember(({ base, others }) => {
      spent = spentOf(others)
      return { base: name, others: distinct([...others, ...spent, ...(base === undefined ? [] : [base])], [name]) }
    })
    this.base = name
    return spent
  }

  /** One more may be here from now on. */
  #note(name: Uint8Array): Promise<void> {
    return this.#options.remember(({ base, others }) => ({
      base,
      others: distinct([...others, name], base === undefined ? [] : [base]),
    }))
  }
}

/** Each name once, but none of `except`: two admins that had come equally far have made the same snapshot, which is named twice. */
function distinct(names: readonly Uint8Array[], except: readonly Uint8Array[]): readonly Uint8Array[] {
  const namesByText = new Map(names.map((name) => [keyText(name), name]))
  for (const name of except) namesByText.delete(keyText(name))
  return [...namesByText.values()]
}
