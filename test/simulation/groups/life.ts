import { PlaitError, type ErrorCode } from '../../../src/base/error.ts'
import type { Group, GroupMember, Groups } from '../../../src/causal/group-api.ts'
import type { OpenGroup } from '../../../src/causal/group.ts'
import { formatDot } from '../../../src/crdt/dot.ts'
import type { Dot, Writer } from '../../../src/crdt/dot.ts'
import type { Feed, Feeds } from '../../../src/feed/feed-api.ts'
import type { Process, World } from '../../../src/testing/index.ts'
import type { WorldReplica } from './fields.ts'
import type { GroupLedger } from './ledger.ts'
import type { GroupSite } from './site.ts'

/** What may always come of a call on groups that are being closed. */
const closing: readonly ErrorCode[] = ['STORE_CLOSED', 'CANCELLED', 'NODE_CLOSED']

export interface GroupLifeOptions {
  readonly world: World
  readonly process: Process
  readonly feeds: Feeds
  readonly site: GroupSite
  readonly ledger: GroupLedger
}

/** The group at one site from its opening to its closing, or to the end of its process. */
export class GroupLife {
  readonly name: string
  readonly world: World
  readonly process: Process
  readonly feeds: Feeds
  readonly site: GroupSite
  readonly ledger: GroupLedger
  readonly ending: AbortController = new AbortController()
  readonly pending: Set<string> = new Set()
  readonly feedsByWriter: Map<Writer, Feed> = new Map()
  groups: Groups | undefined
  group: OpenGroup | undefined
  replica: WorldReplica | undefined
  deliveredCount = 0
  /** The members as they were known here at the end of the last instant, and in this one. */
  #memberships: { readonly atMs: number; readonly members: readonly GroupMember[] }[] = []
  /** How much of each feed had been carried out when the group was opened, by the view. */
  #before: ReadonlyMap<Writer, number> = new Map()
  /** Dots that were handed over since, or set aside. */
  readonly #delivered: Set<string> = new Set()
  #calls = 0

  constructor({ world, process, feeds, site, ledger }: GroupLifeOptions) {
    this.name = process.host.name
    this.world = world
    this.process = process
    this.feeds = feeds
    this.site = site
    this.ledger = ledger
  }

  get isOver(): boolean {
    return this.ending.signal.aborted || this.process.scope.ended
  }

  /** A group was opened, whose view has carried out so much. */
  begin(group: OpenGroup, before: ReadonlyMap<Writer, number>): void {
    this.group = group
    this.#before = before
    this.#delivered.clear()
    this.#memberships = [{ atMs: this.world.now, members: group.members }]
    this.#listen(group)
  }

  /** Who the members were at any time in this instant: what is told now may have been so for a part of it. */
  get memberships(): readonly (readonly GroupMember[])[] {
    return this.#memberships.map(({ members }) => members)
  }

  /** Whether an operation has been handed over here. */
  has(dot: Dot, name: string = formatDot(dot)): boolean {
    return this.#isBefore(dot) || this.#delivered.has(name)
  }

  /** Whether what takes the operations had it already. */
  #isBefore({ writer, number }: Dot): boolean {
    const known = this.group?.engine.clock.get(writer) ?? 0
    if (number > Math.max(this.#before.get(writer) ?? 0, known)) return false
    if (number > (this.#before.get(writer) ?? 0)) this.world.mark('begun with a snapshot')
    return true
  }

  /** All operations that are known of and have been handed over here. */
  past(): Set<string> {
    const past = new Set<string>()
    for (const { dot, name } of this.ledger.operations.values()) if (this.has(dot, name)) past.add(name)
    return past
  }

  /** Whether an operation counts, as far as is known here. */
  counts({ writer, number }: Dot): boolean {
    const roster = this.group?.engine.machine.roster
    return roster !== undefined && number <= roster.countsTo(writer) && roster.mayWrite(writer, number)
  }

  /** The number of an operation that was forgotten by its writer was given again, to something else. */
  #isAnother({ writer, number }: Dot): boolean {
    const delivered = this.group?.engine.machine.order.feed(writer)?.delivered ?? 0
    return this.ledger.siteByWriter.get(writer)?.isLossy === true && delivered >= number
  }

  /** An operation is handed over. */
  deliver(dot: Dot): void {
    if (this.process.scope.ended) return
    const operation = this.ledger.at(dot)
    this.deliveredCount += 1
    if (this.has(dot) && !this.ledger.forked.has(dot.writer) && !operation.isPoison)
      this.wrong(`${this.#named(dot)} is delivered a second time`)
    // What its number meant before it was forgotten is nothing to this one.
    for (const name of operation.isForgotten ? [] : operation.past) {
      if (this.#delivered.has(name)) continue
      const earlier = this.ledger.operations.get(name)
      if (earlier === undefined || this.has(earlier.dot, name) || this.ledger.forked.has(earlier.dot.writer)) continue
      if (this.counts(earlier.dot) && !this.#isAnother(earlier.dot))
        this.wrong(`${this.#named(dot)} is delivered before ${this.#named(earlier.dot)}, which had happened before it`)
    }
    this.#delivered.add(operation.name)
    this.world.note(this.name, `delivered ${dot.number} ${this.ledger.siteByWriter.get(dot.writer)?.name ?? ''}`)
    this.sample()
  }

  /** A feed was opened for the group. */
  watch(feed: Feed): void {
    const writer = feed.id.replace('feed:', '')
    if (this.feedsByWriter.get(writer) === feed) return
    this.feedsByWriter.set(writer, feed)
    feed.addEventListener('conflict', () => {
      this.world.mark('fork proven')
      if (this.ledger.siteByWriter.get(writer)?.isLossy !== true)
        this.wrong(`${writer} is said to be forked, and is not`)
      this.ledger.forked.add(writer)
    })
  }

  /** Holds what is buffered against its bounds. */
  sample(): void {
    const { group } = this
    if (group === undefined) return
    const { machine, progress } = group.engine
    let waitingBytes = 0
    for (const feed of machine.order.feeds) {
      waitingBytes += feed.waitingBytes
      if (feed.waitsFor !== undefined) this.world.mark('operation waited for a dot')
    }
    if (waitingBytes > 8 * 1024 * 1024) this.wrong(`${waitingBytes} bytes wait`)
    if (progress.waiting > 4_096 + 512) this.wrong(`${progress.waiting} entries are not in the view`)
    const entries = machine.order.delivered().reduce((sum, number) => sum + number, 0)
    for (const feed of this.feedsByWriter.values())
      if (feed.status().held < feed.contiguousLength) this.world.mark('log pruned')
    if (machine.order.history.size > entries) this.wrong(`more is remembered than there is`)
  }

  /** Waits for a call: what it gives; undefined when it has failed as it may. */
  async call<Result>(
    what: string,
    result: Promise<Result>,
    may: readonly ErrorCode[] = [],
  ): Promise<Result | undefined> {
    const name = `${what} (${(this.#calls += 1)})`
    this.pending.add(name)
    try {
      return await result
    } catch (error) {
      if (this.process.scope.ended) return undefined
      if (!PlaitError.is(error))
        this.wrong(`${what} failed untyped: ${error instanceof Error ? (error.stack ?? '') : String(error)}`)
      else if (!may.includes(error.code) && !(this.isOver && closing.includes(error.code)))
        this.wrong(`${what} failed: ${error.code} ${error.message}`)
      return undefined
    } finally {
      this.pending.delete(name)
    }
  }

  wrong(what: string): void {
    // A writer that was put back and wrote before it met anybody has given its numbers twice: members part where it did.
    if (!this.process.scope.ended && this.ledger.forked.size === 0) this.world.violation(`${this.name}: ${what}`)
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.process.runtime.timers.after(ms, resolve))
  }

  /** Closes everything; every call has to be answered then. */
  async close(limitMs: number): Promise<void> {
    if (this.isOver) return
    this.ending.abort(new PlaitError('CANCELLED', 'the group is being closed'))
    if (this.groups !== undefined) await this.call('close the groups', this.groups.close())
    await this.call('close the feeds', this.feeds.close())
    const endMs = this.world.now + limitMs
    while (this.pending.size > 0 && this.world.now < endMs && !this.process.scope.ended) await this.sleep(50)
    if (this.process.scope.ended) return
    for (const what of this.pending) this.wrong(`${what} is not answered although the groups are closed`)
    this.pending.clear()
  }

  #listen(group: OpenGroup): void {
    const { world } = this
    let isParked = false
    const isCurrent = (): boolean => this.group === group && !this.process.scope.ended
    group.addEventListener('failed', ({ detail }) => {
      if (isCurrent()) this.wrong(`the group has failed: ${detail.error.code} ${detail.error.message}`)
    })
    group.addEventListener('setaside', ({ detail: { dot, error } }) => {
      if (!isCurrent()) return
      world.note(this.name, `set aside ${dot.number} ${error.code}`)
      if (error.code === 'FORBIDDEN') {
        if (this.ledger.operations.has(formatDot(dot))) world.mark('operation void because of its number')
        return
      }
      world.mark('operation set aside that cannot be carried out')
      const operation = this.ledger.at(dot)
      const writer = this.ledger.siteByWriter.get(dot.writer)
      this.#delivered.add(formatDot(dot))
      if (error.code === 'PROTOCOL' && this.site.taking === 'replica' && writer?.taking === 'replica')
        this.wrong(`${this.#named(dot)} of a replica is set aside: ${error.message}`)
      if (error.code === 'HANDLER_FAILED' && !operation.isPoison)
        this.wrong(`${this.#named(dot)} is set aside by a handler`)
    })
    group.addEventListener('overturned', () => {
      if (!isCurrent()) return
      // Who takes another feed goes through everything again, too.
      if (!group.engine.isContinuing) world.mark('turned over by a removal')
      this.#before = new Map()
      this.#delivered.clear()
      world.note(this.name, 'overturned')
    })
    group.addEventListener('continued', ({ detail: { feed } }) => {
      if (!isCurrent()) return
      world.mark('took another feed')
      world.note(this.name, `goes on in ${feed.slice(0, 6)}`)
    })
    group.addEventListener('members', ({ detail: { members } }) => {
      if (!isCurrent()) return
      const { now } = world
      const before = this.#memberships.filter(({ atMs }) => atMs < now).slice(-1)
      this.#memberships = [...before, ...this.#memberships.filter(({ atMs }) => atMs === now), { atMs: now, members }]
      const wasParked = isParked
      isParked = members.some((member) => member.node === this.site.node.id && member.isParked)
      world.note(this.name, members.map(({ role, isParked }) => `${role}${isParked ? ' parked' : ''}`).join(', '))
      if (wasParked && !isParked) world.mark('came back after it was parked')
    })
  }

  #named({ writer, number }: Dot): string {
    return `operation ${number} of ${this.ledger.siteByWriter.get(writer)?.name ?? 'nobody'} (${writer.slice(0, 6)})`
  }
}

/** Fires after a while, as a user gives up; or when the life ends. */
export function patience(life: GroupLife, ms: number): AbortSignal {
  const controller = new AbortController()
  const give = (code: 'TIMEOUT' | 'CANCELLED'): void => controller.abort(new PlaitError(code, 'no more patience'))
  if (life.isOver) give('CANCELLED')
  life.process.runtime.timers.after(ms, () => give('TIMEOUT'))
  life.ending.signal.addEventListener('abort', () => give('CANCELLED'), { once: true })
  return controller.signal
}

export function opened(group: Group): OpenGroup {
  return group as OpenGroup
}
