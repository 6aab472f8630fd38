import type { BatchId } from '../../../src/broadcast/batch.ts'
import { keyOf } from '../../../src/broadcast/spread/archive.ts'
import type { SpreadReport } from '../../../src/broadcast/spread/task.ts'
import type { NodeId } from '../../../src/identity/node-id.ts'
import type { Site } from '../../broadcast/network.ts'

/** What an honest member has published. */
export interface Entry {
  readonly id: BatchId
  readonly author: Site
  readonly text: string
  readonly at: number
  readonly to: readonly NodeId[] | undefined
  /** Its author has used no epoch that is as late as this one in an earlier life. */
  readonly isFresh: boolean
  /** Who has it, or had it in an earlier life. */
  readonly reachedIds: Set<NodeId>
  report?: SpreadReport
}

interface Separation {
  readonly from: number
  to: number
  /** Whether it keeps one member from another. */
  readonly parts: (one: NodeId, other: NodeId) => boolean
  /** It cuts the whole network in two. */
  readonly isOfAll: boolean
}

/** So long it takes until all know of a newcomer, also when messages get lost. */
const joinMs = 12_000
/** Nobody is given up who is out of reach for no longer than this. */
const shortMs = 2_000
/** So long a message is offered. */
const offeredMs = 6_500
/** So long it takes halves that have buried each other to become one again. */
const reunionMs = 60_000

/** What was published, and what has come between those who were to get it: kept outside of the members. */
export class Ledger {
  readonly entriesByKey: Map<string, Entry> = new Map()
  readonly joinedAtBySite: Map<Site, number> = new Map()
  readonly #separations: Separation[] = []
  /** Members know only some of the others: those who are cut off together need not know enough of each other. */
  readonly #isPartial: boolean
  /** The latest epoch in which an earlier process has published. */
  readonly #usedEpochById = new Map<NodeId, { site: Site; epoch: number; earlier: number }>()

  constructor(isPartial: boolean) {
    this.#isPartial = isPartial
  }

  add(entry: Omit<Entry, 'isFresh' | 'reachedIds'>): Entry {
    const { author, id } = entry
    const used = this.#usedEpochById.get(id.author)
    const earlier = used === undefined ? -1 : used.site === author ? used.earlier : Math.max(used.earlier, used.epoch)
    const inLife = used?.site === author ? used.epoch : -1
    this.#usedEpochById.set(id.author, { site: author, epoch: Math.max(id.epoch, inLife), earlier })
    const whole: Entry = { ...entry, isFresh: id.epoch > earlier, reachedIds: new Set() }
    this.entriesByKey.set(keyOf(id), whole)
    return whole
  }

  /** From now on, until `end` is called, some do not hear some others. */
  separate(from: number, isOfAll: boolean, parts: Separation['parts']): (now: number) => void {
    const separation: Separation = { from, to: Infinity, parts, isOfAll }
    this.#separations.push(separation)
    return (now) => (separation.to = now)
  }

  /** Whether a member that is still there has to have a message. */
  isDue(entry: Entry, site: Site): boolean {
    const { author, at, to, isFresh } = entry
    if (site === author || site.manner !== 'honest' || !isFresh || author.state !== 'up' || site.state !== 'up')
      return false
    // What is sent to some is offered by its author alone, which knows whom it has not reached.
    if (to !== undefined && (!to.includes(site.id) || entry.report?.unreached.includes(site.id) === true)) return false
    if (this.#isOvertaken(entry)) return false
    for (const one of [author, site]) if (at < (this.joinedAtBySite.get(one) ?? Infinity) + joinMs) return false
    return !this.#separations.some((separation) => {
      const isLong = separation.to - separation.from > shortMs
      const isNear = separation.from < at + offeredMs && at < separation.to + reunionMs
      const isBetween = separation.parts(author.id, site.id) || (separation.isOfAll && this.#isPartial)
      return isLong && isNear && isBetween
    })
  }

  /** Its author has gone on to a later epoch while it was on its way: somebody has told it that this one is over. */
  #isOvertaken({ author, id, at }: Entry): boolean {
    for (const other of this.entriesByKey.values())
      if (other.author === author && other.id.epoch > id.epoch && other.at < at + offeredMs) return true
    return false
  }
}
