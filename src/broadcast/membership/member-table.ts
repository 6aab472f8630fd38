import type { NodeId } from '../../identity/node-id.ts'
import type { Random } from '../../runtime/random.ts'
import { isWithin, Ring, type Region } from '../ring.ts'
import type { Members } from '../spread/spread-port.ts'
import { isNewer, isPresent, memberStatuses, type Member } from './member.ts'
import { core, fingerPlaces, regionAround } from './view.ts'

export interface MemberTableOptions {
  readonly self: Member
  readonly random: Random
  readonly membersMax: number
  /** How long it is remembered that somebody has gone, or that somebody had to be forgotten. */
  readonly goneMs: number
}

interface Entry {
  member: Member
  /** When it was heard of last by somebody who has to know. */
  seenAt: number
}

/** Of those who have gone so many are remembered, and told of for so long. */
const goneMax = 256
const toldMs = 60_000
/** So long those are kept who are not of the core, when not all can be known. */
const looseMs = 60_000
const tidyMs = 5_000
const crowdedMs = 30_000

/** Who is there, as far as is known here, with those who have just gone. */
export class MemberTable implements Members {
  readonly self: NodeId
  /** Those who may be there, this one among them. */
  readonly ring: Ring
  readonly #options: MemberTableOptions
  readonly #fingerPlaces: readonly NodeId[]
  readonly #entriesById = new Map<NodeId, Entry>()
  readonly #goneAtById = new Map<NodeId, number>()
  /** Until when it counts that there are more members than can be known. */
  #crowdedUntil = -Infinity
  #toldUntil = -Infinity
  #now = 0
  #tidyAt = 0
  #core: ReadonlySet<NodeId> | undefined
  #hash: number | undefined
  #near: Region | 'all' | undefined

  constructor(options: MemberTableOptions) {
    this.#options = options
    this.self = options.self.id
    this.#fingerPlaces = fingerPlaces(this.self)
    this.ring = new Ring([this.self])
    this.#entriesById.set(this.self, { member: options.self, seenAt: 0 })
  }

  /** Whether nobody had to be forgotten here. */
  get isRoomy(): boolean {
    return this.#now >= this.#crowdedUntil
  }

  get isWhole(): boolean {
    return this.isRoomy && this.#now >= this.#toldUntil
  }

  /** Those whom this node has to keep an eye on. */
  get core(): ReadonlySet<NodeId> {
    this.#core ??= this.isWhole
      ? new Set(this.ring.ids.filter((id) => id !== this.self))
      : core(this.ring, this.self, this.#fingerPlaces)
    return this.#core
  }

  /** Whether a member is one of the core, or would be if it were here. */
  mayBeCore(id: NodeId): boolean {
    if (this.isWhole || this.core.has(id)) return true
    this.#near ??= regionAround(this.ring, this.self)
    return this.#near === 'all' || isWithin(id, this.#near)
  }

  /** The same at all who know the same. FNV-1a. */
  get hash(): number {
    if (this.#hash !== undefined) return this.#hash
    let hash = 0x811c9dc5
    for (const id of this.ring.ids) {
      const { incarnation, status } = this.find(id) as Member
      const text = `${id}${incarnation}${memberStatuses.indexOf(status)}`
      for (let index = 0; index < text.length; index += 1)
        hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0
    }
    this.#hash = hash
    return hash
  }

  find(id: NodeId): Member | undefined {
    return this.#entriesById.get(id)?.member
  }

  isSuspect(id: NodeId): boolean {
    return this.find(id)?.status !== 'alive'
  }

  /** All that others may have to be told, of those who have just gone too. */
  values(): Member[] {
    const isTold = (id: NodeId): boolean => this.#now - (this.#goneAtById.get(id) ?? this.#now) < toldMs
    return [...this.#entriesById.values()].flatMap(({ member }) => (isTold(member.id) ? [member] : []))
  }

  /** Whether somebody is believed dead. */
  get hasDead(): boolean {
    return this.randomDead() !== undefined
  }

  /** One of those who are believed dead, and may only have been out of reach. */
  randomDead(): NodeId | undefined {
    const dead = [...this.#goneAtById.keys()].filter((id) => this.find(id)?.status === 'dead')
    return dead[this.#options.random.uint32() % Math.max(1, dead.length)]
  }

  /** Whether it was heard of lately by somebody who has to know. */
  isFresh(id: NodeId): boolean {
    const entry = this.#entriesById.get(id)
    return entry !== undefined && this.#now - entry.seenAt < looseMs / 2
  }

  /** It was heard of by who has to know. */
  see(id: NodeId): void {
    const entry = this.#entriesById.get(id)
    if (entry !== undefined) entry.seenAt = this.#now
  }

  /** Another one knows of more members than it can know. */
  tellCrowded(): void {
    if (this.isWhole) this.#forgetDerived()
    this.#toldUntil = this.#now + crowdedMs
  }

  /** Takes what is news; returns whether it was. Of who is not known a death is no news, but that it has gone is remembered. */
  apply(member: Member): boolean {
    const { id } = member
    const known = this.#entriesById.get(id)
    if (known !== undefined && !isNewer(member, known.member)) return false
    const was = known !== undefined && isPresent(known.member)
    this.#entriesById.set(id, { member, seenAt: this.#now })
    this.#hash = undefined
    if (isPresent(member)) {
      this.#goneAtById.delete(id)
      if (this.ring.add(id)) this.#forgetDerived()
      this.#makeRoom(id)
    } else {
      if (this.ring.remove(id)) this.#forgetDerived()
      this.#goneAtById.set(id, this.#now)
      if (this.#goneAtById.size > goneMax) this.#forgetGone(this.#goneAtById.keys().next().value as NodeId)
    }
    return was || isPresent(member)
  }

  tick(now: number): void {
    const wasWhole = this.isWhole
    this.#now = now
    if (this.isWhole !== wasWhole) this.#forgetDerived()
    if (this.#goneAtById.size > 0)
      for (const [id, at] of this.#goneAtById) {
        if (now - at < this.#options.goneMs) break
        this.#forgetGone(id)
      }
    if (this.isWhole || now < this.#tidyAt) return
    this.#tidyAt = now + tidyMs
    const { core: kept } = this
    for (const [id, { seenAt }] of this.#entriesById)
      if (now - seenAt >= looseMs && id !== this.self && !kept.has(id) && !this.#goneAtById.has(id)) this.#forget(id)
  }

  /** Forgets somebody, so that `id` may stay. */
  #makeRoom(id: NodeId): void {
    const { membersMax, random } = this.#options
    if (this.ring.size <= membersMax) return
    if (this.isWhole) this.#forgetDerived()
    this.#crowdedUntil = this.#now + crowdedMs
    const { core: kept } = this
    for (let tries = 0; tries < 64; tries += 1) {
      const one = tries === 0 ? id : this.ring.at(random.uint32())
      if (one === this.self || kept.has(one) || (tries === 0 && random.real() < 0.5)) continue
      this.#forget(one)
      return
    }
  }

  #forget(id: NodeId): void {
    this.#entriesById.delete(id)
    this.ring.remove(id)
    this.#forgetDerived()
  }

  #forgetGone(id: NodeId): void {
    this.#goneAtById.delete(id)
    this.#entriesById.delete(id)
  }

  #forgetDerived(): void {
    this.#core = undefined
    this.#hash = undefined
    this.#near = undefined
  }
}
