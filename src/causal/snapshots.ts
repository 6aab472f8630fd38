import { bytesEqual } from '../base/bytes.ts'
import type { Writer } from '../crdt/dot.ts'
import type { Feed, Feeds } from '../feed/feed-api.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { GroupMachine } from './group-machine.ts'
import type { GroupState } from './group-state.ts'
import { clockOf, type GroupView } from './group-view.ts'
import { allows } from './members/roster-operation.ts'
import { covers } from './order/history.ts'
import { openSnapshot, readSnapshot, snapshotBlocks } from './snapshot-feed.ts'
import type { GroupBase } from './snapshot-feed.ts'

export interface SnapshotsOptions {
  readonly feeds: Feeds
  readonly view: GroupView
  readonly mayShare: (nodeId: NodeId) => boolean
  /** An admin makes one when so many entries have been delivered since the last. */
  readonly everyEntries: number
  readonly nextTurn: () => Promise<void>
  /** Names a snapshot in the feed that is written here. */
  readonly name: (name: Uint8Array) => Promise<void>
  /** Everything can be made again from this snapshot, from now on; resolves when that is remembered. */
  readonly rememberBase: (name: Uint8Array) => Promise<void>
  /** A feed that is open here. */
  readonly feed: (writer: Writer) => Feed | undefined
}

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
  #isMaking = false
  #isPruning = false
  /** How many entries had been delivered at the last one. */
  #madeAt = 0

  constructor(options: SnapshotsOptions, base: Uint8Array | undefined) {
    this.#options = options
    this.base = base
  }

  /** Reads the base, when there is one; waits until it is here as far as it is read. */
  async read(): Promise<GroupBase | undefined> {
    const { base } = this
    if (base === undefined) return undefined
    const { feeds, mayShare } = this.#options
    const snapshot = await readSnapshot(await openSnapshot(feeds, base, mayShare), this.#ending.signal)
    this.firsts = new Map(clockOf(snapshot.state))
    return snapshot
  }

  /** The view has just been told of a state: makes a snapshot of it, or drops what an older one makes superfluous, if it is time. */
  consider(machine: GroupMachine, state: GroupState, tables: readonly string[], self: NodeId): void {
    const total = state.feeds.reduce((sum, { delivered }) => sum + delivered, 0)
    const usable = machine.snapshots.findLast(({ row }) => covers(state.stable, row))
    if (usable !== undefined && !this.#isBase(usable.name)) {
      const at = machine.snapshots.indexOf(usable)
      const older = machine.snapshots.slice(0, at).map(({ name }) => name)
      void this.#prune(usable.name, older)
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
    if (turn < 0 || this.#isMaking || total - this.#madeAt < this.#options.everyEntries * (1 + turn)) return
    this.#isMaking = true
    this.#madeAt = total
    void this.#make(state, tables)
  }

  close(): void {
    this.#ending.abort()
  }

  async #make(state: GroupState, tables: readonly string[]): Promise<void> {
    const { feeds, view, mayShare, nextTurn, name } = this.#options
    try {
      const pages = view.pages(tables, nextTurn)
      const feed = await feeds.seal(snapshotBlocks(state, pages), { mayShare })
      if (!this.#ending.signal.aborted) await name(feed.name)
    } catch {
      // Without it the log is longer, and that is all; the next one is made in due time.
    } finally {
      this.#isMaking = false
    }
  }

  async #prune(name: Uint8Array, older: readonly Uint8Array[]): Promise<void> {
    if (this.#isPruning) return
    this.#isPruning = true
    const { feeds, mayShare, rememberBase } = this.#options
    const { signal } = this.#ending
    const before = this.base
    try {
      const snapshot = await openSnapshot(feeds, name, mayShare)
      await snapshot.longerThan(0, { signal })
      await snapshot.download({}, { signal })
      const { state } = await readSnapshot(snapshot, signal)
      await rememberBase(name)
      this.base = name
      this.firsts = new Map(clockOf(state))
      for (const [writer, number] of this.firsts) await this.#options.feed(writer)?.clear(0, number)
      const superseded = before === undefined ? older : [...older, before]
      for (const one of superseded) await feeds.remove(formatFeedId({ name: one, isSealed: true }))
      await feeds.compact()
    } catch {
      // As above: what was dropped is not needed, what was not can be dropped later.
    } finally {
      this.#isPruning = false
    }
  }

  #isBase(name: Uint8Array): boolean {
    return this.base !== undefined && bytesEqual(this.base, name)
  }
}
