import type { NodeId } from '../../identity/node-id.ts'
import type { Verify } from '../../identity/signature.ts'
import type { Probe } from '../../runtime/probe.ts'
import type { Random } from '../../runtime/random.ts'
import type { BroadcastMessages, MessageName } from '../messages.ts'
import type { BroadcastSettings } from '../settings.ts'
import { isMemberSigned, isNewer, isPresent, signMember, type Member, type MemberStatus } from './member.ts'
import { MemberTable } from './member-table.ts'
import { News } from './news.ts'
import { Probes, shuffled } from './probes.ts'
import { fingers, nearest } from './view.ts'

export interface MembershipPort {
  /** Whether a way leads to that member already. */
  hasWay(id: NodeId): boolean
  send<Name extends MessageName>(to: NodeId, name: Name, message: BroadcastMessages[Name]): void
  /** What is known of a member is something else than before. */
  changed(member: Member, before: MemberStatus | undefined): void
}

export interface MembershipOptions {
  readonly self: NodeId
  readonly network: string
  readonly addresses: readonly string[]
  readonly sign: (statement: Uint8Array) => Uint8Array
  readonly verify: Verify
  readonly port: MembershipPort
  readonly settings: BroadcastSettings
  readonly random: Random
  readonly probe: Probe
}

/** Of one message. */
const membersTold = 256
const ridingMembers = 12
const helpers = 3
const toldAtOnce = 4
/** Of those next to the one that is told, on each side. */
const nearTold = 6

/**
 * Who is in the network: each asks one after the other whether it is there, and what is found out of one is told to all (SWIM: Das, Gupta,
 * Motivala 2002; with suspicion, and incarnations by which whoever is suspected contradicts). Two that know something different tell
 * each other all of it, so that a wrong view heals.
 */
export class Membership {
  readonly table: MemberTable
  readonly #options: MembershipOptions
  readonly #news = new News()
  readonly #probes: Probes
  readonly #deadAtById = new Map<NodeId, number>()
  #urgent: Member[] = []
  #now = 0
  #syncAt = 0
  #hasLeft = false
  #reviveAt = 0
  /** The neighbours on both sides whom it has told that it is there. */
  #neighbours: readonly (NodeId | undefined)[] = []

  constructor(options: MembershipOptions) {
    this.#options = options
    const { self, network, addresses, sign, random, settings } = options
    const member = signMember({ id: self, incarnation: 0, status: 'alive', addresses }, { network, sign })
    const { viewMembersMax: membersMax, goneMs, pingPeriodMs: periodMs, pingMs } = settings
    this.table = new MemberTable({ self: member, random, membersMax, goneMs })
    const { port } = options
    this.#probes = new Probes({
      random,
      periodMs,
      pingMs,
      hasWay: (id) => port.hasWay(id),
      ping: (id, number) => port.send(id, 'ping', { number, members: this.#riding(id) }),
      help: (id, number) => this.#help(id, number),
      silent: (id) => this.#suspect(id),
      vouch: (asker, number) => port.send(asker, 'pong', { number, members: [] }),
    })
  }

  /** Questions that were not answered yet. */
  get pings(): number {
    return this.#probes.size
  }

  get deadline(): number | undefined {
    if (this.#hasLeft || (this.table.ring.size === 1 && !this.table.hasDead)) return undefined
    if (this.#urgent.length > 0) return 0
    let deadline = Math.min(this.#probes.deadline, this.#syncAt)
    for (const at of this.#deadAtById.values()) deadline = Math.min(deadline, at)
    return deadline
  }

  /** A way leads to somebody who is, or may be, in the network. */
  join(contact: NodeId): void {
    this.#sync(contact)
  }

  /** Tells these that it goes, who tell it on; nothing is told any more after that. */
  leave(to: Iterable<NodeId>): void {
    const own = this.#renew('left', this.#own.incarnation)
    for (const id of to) this.#options.port.send(id, 'news', { members: [own] })
    this.#hasLeft = true
  }

  receive(
    from: NodeId,
    message: {
      [Name in MessageName]: { readonly name: Name; readonly value: BroadcastMessages[Name] }
    }['ping' | 'pong' | 'probe' | 'news' | 'sync' | 'table'],
    now: number,
  ): void {
    if (this.#hasLeft) return
    this.#advance(now)
    this.table.see(from)
    const { port } = this.#options
    switch (message.name) {
      case 'ping':
        this.#learn(message.value.members, true)
        port.send(from, 'pong', { number: message.value.number, members: this.#riding(from) })
        return
      case 'pong':
        this.#learn(message.value.members, true)
        this.#probes.answered(message.value.number)
        return
      case 'probe':
        this.#learn([message.value.target], true)
        this.#probes.ask(message.value.target.id, now, { id: from, number: message.value.number })
        return
      case 'news':
        this.#learn(message.value.members, true)
        return
      case 'sync':
        this.#compare(from, message.value)
        return
      case 'table':
        this.#learnTable(from, message.value)
    }
  }

  /** Nothing leads to a member, or it has not answered when it should have. */
  doubt(id: NodeId, now: number): void {
    this.#advance(now)
    if (!this.table.ring.has(id) || this.#hasLeft) return
    this.#probes.ask(id, now)
  }

  failed(id: NodeId, now: number): void {
    // Else whoever is asked to help would ask for help in turn, and in the end all would look for who is gone.
    if (!this.#probes.isHelping(id)) this.doubt(id, now)
    this.#probes.failed(id, now)
  }

  tick(now: number): void {
    if (this.#hasLeft) return
    this.#advance(now)
    for (const [id, at] of this.#deadAtById) if (at <= now) this.#bury(id)
    this.#probes.tick(now, this.table.core)
    if (this.#syncAt <= now) {
      const { syncMs } = this.#options.settings
      this.#syncAt = now + syncMs * (0.75 + this.#options.random.real() / 2)
      for (const partner of this.#randomOthers(1)) this.#sync(partner)
      this.#revive()
    }
    this.#greetNeighbours()
    this.#tell()
  }

  get #own(): Member {
    return this.table.find(this.table.self) as Member
  }

  #advance(now: number): void {
    this.table.tick(now)
    this.#now = now
  }

  /** Takes what is news, and tells it on. */
  #learn(members: readonly Member[], isRumour: boolean): void {
    for (const member of members) {
      if (member.id === this.table.self) this.#contradict(member)
      // Rumours are for those whom they concern: all, as long as all know all.
      else if (!isRumour || this.table.mayBeCore(member.id)) this.#take(member)
    }
  }

  #take(told: Member): void {
    const { network, verify, probe } = this.#options
    const known = this.table.find(told.id)
    if (known === told && isPresent(told)) this.table.see(told.id)
    if (known === told) return
    if (known !== undefined && !isNewer(told, known)) {
      if (known.incarnation === told.incarnation && isPresent(told)) this.table.see(told.id)
      return
    }
    const isSame = known?.incarnation === told.incarnation && told.status !== 'left'
    if (!isSame && !isMemberSigned(told, network, verify)) {
      probe.sometimes('member with a false signature refused')
      return
    }
    this.#apply(isSame ? { ...known, status: told.status } : told)
  }

  #apply(member: Member): void {
    const before = this.table.find(member.id)?.status
    if (!this.table.apply(member)) return
    this.#watch(member)
    // Those whom it concerns hear of the others from each other.
    if (this.table.mayBeCore(member.id)) this.#spread(member)
    this.#options.port.changed(member, before)
  }

  /** Who is suspected has some time to contradict. */
  #watch({ id, status }: Member): void {
    if (status !== 'suspect') {
      this.#deadAtById.delete(id)
      return
    }
    const { suspicionMs } = this.#options.settings
    const factor = Math.max(1, Math.log2(this.table.ring.size + 1) / 2)
    this.#deadAtById.set(id, this.#now + suspicionMs * factor)
  }

  /** What is said of this node itself, and is not so. */
  #contradict(told: Member): void {
    const own = this.#own
    if (!isNewer(told, own)) return
    const { network, verify, probe } = this.#options
    const isFormer = told.incarnation > own.incarnation
    if (isFormer && !isMemberSigned(told, network, verify)) return
    probe.sometimes(isFormer ? 'incarnation of an earlier life passed' : 'suspicion contradicted')
    this.#renew('alive', told.incarnation + 1)
  }

  #renew(status: 'alive' | 'left', incarnation: number): Member {
    const { id, addresses } = this.#own
    const member = signMember({ id, incarnation, status, addresses }, this.#options)
    this.table.apply(member)
    this.#spread(member)
    return member
  }

  #suspect(id: NodeId): void {
    const known = this.table.find(id)
    if (known?.status !== 'alive') return
    this.#options.probe.sometimes('member suspected')
    this.#apply({ ...known, status: 'suspect' })
  }

  #bury(id: NodeId): void {
    this.#deadAtById.delete(id)
    const known = this.table.find(id)
    if (known?.status === 'suspect') this.#apply({ ...known, status: 'dead' })
  }

  #spread(member: Member): void {
    this.#news.add(member, 3 * Math.ceil(Math.log2(this.table.ring.size + 1)))
    this.#urgent.push(member)
  }

  /** At once to some, who tell it on; to all others with the pings. */
  #tell(): void {
    if (this.#urgent.length === 0) return
    const members = this.#urgent.slice(-membersTold)
    this.#urgent = []
    for (const id of this.#randomNear(toldAtOnce)) this.#options.port.send(id, 'news', { members })
  }

  /** With what is said of the receiver itself, if it has to contradict. */
  #riding(to: NodeId): readonly Member[] {
    const riding = this.#news.take(ridingMembers)
    const known = this.table.find(to)
    if (known === undefined || known.status === 'alive') return riding
    return [known, ...riding.filter(({ id }) => id !== to)]
  }

  #help(id: NodeId, number: number): void {
    const target = this.table.find(id)
    if (target === undefined) return
    for (const helper of this.#randomNear(helpers + 1))
      if (helper !== id) this.#options.port.send(helper, 'probe', { number, target })
  }

  #sync(partner: NodeId): void {
    const { isWhole, isRoomy } = this.table
    const members = isWhole ? [this.#own] : this.#fitting(partner)
    // Views of a part are not compared.
    const hash = isWhole ? this.table.hash : 0
    this.#options.port.send(partner, 'sync', { hash, isWhole: isRoomy, members })
  }

  #compare(from: NodeId, { hash, isWhole, members }: BroadcastMessages['sync']): void {
    if (!isWhole) this.table.tellCrowded()
    this.#learn(members, false)
    const { port } = this.#options
    if (!this.table.isWhole) {
      port.send(from, 'table', { isWhole: this.table.isRoomy, members: this.#fitting(from) })
      return
    }
    if (hash === this.table.hash) return
    const all = this.table.values()
    for (let start = 0; start < all.length; start += membersTold)
      port.send(from, 'table', { isWhole: this.table.isRoomy, members: all.slice(start, start + membersTold) })
  }

  #learnTable(from: NodeId, { isWhole, members }: BroadcastMessages['table']): void {
    if (!isWhole) this.table.tellCrowded()
    this.#learn(members, false)
    if (!this.table.isWhole) return
    const toldById = new Map(members.map((member) => [member.id, member]))
    const better = this.table.values().filter((member) => {
      const told = toldById.get(member.id)
      return told === undefined ? members.length < membersTold : isNewer(member, told)
    })
    if (better.length > 0) this.#options.port.send(from, 'news', { members: better.slice(0, membersTold) })
  }

  /** Those whom somebody would keep, of those that were heard of at first hand. */
  #fitting(id: NodeId): readonly Member[] {
    const { ring, self } = this.table
    const near = nearest(ring, id, nearTold)
    const ids = new Set([...near, ...[...fingers(ring, id)].filter((one) => this.table.isFresh(one)), self])
    ids.delete(id)
    return [...ids].flatMap((one) => {
      const member = this.table.find(one)
      return member?.status === 'alive' ? [member] : []
    })
  }

  /** Two halves of a network that lost each other find together by those whom they have buried. */
  #revive(): void {
    if (this.#now < this.#reviveAt) return
    this.#reviveAt = this.#now + this.#options.settings.reviveMs
    const id = this.table.randomDead()
    if (id !== undefined) this.#sync(id)
  }

  /** Whoever has become the next one on either side is told so at once, and tells who may be nearer still. */
  #greetNeighbours(): void {
    const { ring, self, isWhole } = this.table
    if (isWhole || ring.size === 1) return
    const rank = ring.rank(self)
    const neighbours = [ring.at(rank + 1), ring.at(rank - 1)]
    for (const id of neighbours) if (!this.#neighbours.includes(id)) this.#sync(id)
    this.#neighbours = neighbours
  }

  /** Of those to whom a way leads already, if there are enough of them: what is urgent does not wait for new ways, nor makes so many. */
  #randomNear(count: number): readonly NodeId[] {
    const { ring, self } = this.table
    const near = ring.ids.filter((id) => id !== self && this.#options.port.hasWay(id))
    return near.length < count ? this.#randomOthers(count) : shuffled(near, this.#options.random).slice(0, count)
  }

  #randomOthers(count: number): readonly NodeId[] {
    const { ring, self } = this.table
    if (ring.size - 1 <= count) return ring.ids.filter((id) => id !== self)
    if (count > ring.size / 4)
      return shuffled(
        ring.ids.filter((id) => id !== self),
        this.#options.random,
      ).slice(0, count)
    const ids = new Set<NodeId>()
    while (ids.size < count) {
      const id = ring.at(this.#options.random.uint32())
      if (id !== self) ids.add(id)
    }
    return [...ids]
  }
}
