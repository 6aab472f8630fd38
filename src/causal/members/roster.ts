import type { Writer } from '../../crdt/dot.ts'
import { compareDots, sameDot } from '../../crdt/dot.ts'
import type { Row } from '../order/history.ts'
import { Census, lengthIn } from './census.ts'
import type { Member } from './member.ts'
import { keyText } from './roster-entry.ts'
import type { RosterEntry, RosterTerms } from './roster-entry.ts'
import { allows } from './roster-operation.ts'

/**
 * Who belongs to a group and what they may do: what follows from all that was said of it, the same everywhere whatever the order in which
 * it has come. All is gone through in the order of (time, dot), each entry judged by what those before it have led to.
 *
 * A removal names by its clock how much of the member's feeds counts; what lies beyond is void, also what was said of members there. A
 * removal that voids something that came before it in that order makes the going begin again, with that left out.
 */
export class Roster {
  readonly #terms: RosterTerms
  /** In the order of (time, dot). */
  readonly #entries: RosterEntry[] = []
  #census: Census
  readonly #namingByFeed = new Map<Writer, RosterEntry[]>()
  readonly #rolesByNode = new Map<string, RosterEntry[]>()
  /** For each feed, from which entry on it knew of what was said of its node's role. */
  readonly #noticed = new Map<Writer, Map<RosterEntry, number>>()

  constructor(terms: RosterTerms) {
    this.#terms = terms
    this.#census = new Census(terms)
  }

  get name(): string {
    return this.#census.name
  }

  get entries(): readonly RosterEntry[] {
    return this.#entries
  }

  /** By node id, also those who were removed. */
  get members(): ReadonlyMap<string, Member> {
    return this.#census.members
  }

  /** What can be joined with, by the key of the invitation in base32. */
  get invitations(): Census['invitations'] {
    return this.#census.invitations
  }

  /** What has said of a feed that it is a member's, whether that counts or not. */
  naming(feed: Writer): readonly RosterEntry[] {
    return this.#namingByFeed.get(feed) ?? []
  }

  /** All of which that was said. */
  named(): Iterable<Writer> {
    return this.#namingByFeed.keys()
  }

  memberOf(feed: Writer): Member | undefined {
    return this.#census.memberByFeed.get(feed)
  }

  /** The time of the next entry that follows `row`. */
  timeAfter(row: Row): number {
    let time = 0
    for (const { place, dot, operation } of this.#entries)
      if ((row[place] ?? 0) >= dot.number) time = Math.max(time, operation.time)
    return time + 1
  }

  /** Takes what was said; it comes after all that it follows. What was taken before changes nothing. */
  add(entry: RosterEntry): void {
    if (this.#entries.some(({ dot }) => sameDot(dot, entry.dot))) return
    this.#index(entry)
    let at = this.#entries.length
    while (at > 0 && compareEntries(this.#entries[at - 1] as RosterEntry, entry) > 0) at -= 1
    this.#entries.splice(at, 0, entry)
    const isLast = at === this.#entries.length - 1
    // What comes last is judged by what all others have led to, unless it voids some of them.
    if (!isLast || !this.#census.take(entry)) this.#census = this.#count()
  }

  /** Takes all of what was said at once. */
  restore(entries: readonly RosterEntry[]): void {
    for (const entry of entries) this.#index(entry)
    this.#entries.push(...entries)
    this.#entries.sort(compareEntries)
    this.#census = this.#count()
  }

  /**
   * An entry of a feed, which says that it is of a node, has been delivered: what its clock has of what was said of that node's role
   * counts for it and for those after it. Noted also where it was said by somebody who may not, as far as is known now.
   */
  notice(feed: Writer, node: string | undefined, number: number, row: Row): void {
    const said = node === undefined ? undefined : this.#rolesByNode.get(node)
    if (said === undefined) return
    let noticed = this.#noticed.get(feed)
    if (noticed === undefined) this.#noticed.set(feed, (noticed = new Map()))
    if (noticed.size === said.length) return
    for (const entry of said)
      if (!noticed.has(entry) && (row[entry.place] ?? 0) >= entry.dot.number) noticed.set(entry, number)
  }

  /** From which entry of a feed on each change of its member's role counts, to be written down. */
  noticedBy(feed: Writer): ReadonlyMap<RosterEntry, number> {
    return this.#noticed.get(feed) ?? new Map()
  }

  restoreNoticed(feed: Writer, noticed: ReadonlyMap<RosterEntry, number>): void {
    this.#noticed.set(feed, new Map(noticed))
  }

  /** Up to which entry a feed counts at all; 0 for one of nobody, Infinity for that of a member. */
  countsTo(feed: Writer): number {
    return this.#census.countsTo(feed)
  }

  /** Whether an operation counts: an entry of a feed, by a member who may write. */
  mayWrite(feed: Writer, number: number): boolean {
    const member = this.memberOf(feed)
    if (member === undefined || number > this.countsTo(feed)) return false
    let role = member.firstRole
    for (const entry of member.changes) {
      const { operation } = entry
      if (operation.kind !== 'role') continue
      // Less counts from where it was said, whether the member heard of it or not; more from where it did.
      const isLess = !allows(operation.role, role)
      const from = isLess ? lengthIn(operation.ends, feed) + 1 : (this.#noticed.get(feed)?.get(entry) ?? Infinity)
      if (number >= from) role = operation.role
    }
    return allows(role, 'write')
  }

  /** Of the first `delivered` entries of a feed, where those begin that count as operations, and where they end, in turn. */
  writableRuns(feed: Writer, delivered: number): string {
    const marks = new Set([1, Math.min(this.countsTo(feed), delivered) + 1])
    for (const entry of this.memberOf(feed)?.changes ?? []) {
      if (entry.operation.kind === 'role') marks.add(lengthIn(entry.operation.ends, feed) + 1)
      marks.add(this.#noticed.get(feed)?.get(entry) ?? Infinity)
    }
    const runs: number[] = []
    let isOpen = false
    for (const mark of [...marks].sort((left, right) => left - right)) {
      if (mark > delivered || this.mayWrite(feed, mark) === isOpen) continue
      runs.push(mark)
      isOpen = !isOpen
    }
    return runs.join(' ')
  }

  #index(entry: RosterEntry): void {
    const { operation } = entry
    if (operation.kind === 'admit' || operation.kind === 'continue') {
      const feed = keyText(operation.feed)
      this.#namingByFeed.set(feed, [...this.naming(feed), entry])
    } else if (operation.kind === 'role') {
      const node = keyText(operation.node)
      this.#rolesByNode.set(node, [...(this.#rolesByNode.get(node) ?? []), entry])
    }
  }

  #count(): Census {
    const voided = new Map<Writer, number>()
    for (;;) {
      const census = new Census(this.#terms, voided)
      if (this.#entries.every((entry) => census.take(entry))) return census
      for (const [feed, end] of census.voided) voided.set(feed, end)
    }
  }
}

function compareEntries(left: RosterEntry, right: RosterEntry): number {
  return left.operation.time - right.operation.time || compareDots(left.dot, right.dot)
}
