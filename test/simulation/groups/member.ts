import { PlaitError, type ErrorCode } from '../../../src/base/error.ts'
import type { GroupId, GroupMember } from '../../../src/causal/group-api.ts'
import { formatGroupLink, parseGroupLink } from '../../../src/causal/group-link.ts'
import type { OpenGroup } from '../../../src/causal/group.ts'
import type { Role } from '../../../src/causal/members/roster-operation.ts'
import { createReplica } from '../../../src/causal/replica.ts'
import type { ReplicationLevel } from '../../../src/causal/replication.ts'
import { formatDot, type Dot } from '../../../src/crdt/dot.ts'
import { parseUrl } from '../../../src/node/url.ts'
import type { SeededRandom } from '../../../src/testing/index.ts'
import { changeSomething, fieldsOf } from './fields.ts'
import { opened, patience, type GroupLife } from './life.ts'
import type { GroupSite } from './site.ts'

/** What the sites of a world know of each other, beside what they tell each other. */
export interface Society {
  readonly sites: readonly GroupSite[]
  /** Passed on by hand. */
  readonly links: string[]
  groupId: GroupId | undefined
  /** How often members are still going to be removed, parked, or given another role. */
  measures: number
}

const publishing: readonly ErrorCode[] = ['FEED_BEHIND', 'FEED_FROZEN', 'TIMEOUT', 'STORE_CLOSED']
const governing: readonly ErrorCode[] = ['FORBIDDEN', 'INVALID_ARGUMENT', 'FEED_BEHIND', 'FEED_FROZEN']
const countsTable = 'counts'

/** What the node of a site does in its group, for one life. */
export class Member {
  readonly #site: GroupSite
  readonly #life: GroupLife
  readonly #society: Society
  readonly #random: SeededRandom
  readonly #gapMs: number
  readonly #level: ReplicationLevel

  constructor(site: GroupSite, life: GroupLife, society: Society, random: SeededRandom, gapMs: number) {
    this.#site = site
    this.#life = life
    this.#society = society
    this.#random = random
    this.#gapMs = gapMs
    this.#level = random.pick(['local', 'local', 'one', 'majority', 'all'])
  }

  async live(): Promise<void> {
    const life = this.#life
    const random = this.#random
    let group = await this.#come()
    while (group !== undefined && !life.isOver && !this.#site.isDone) {
      await life.sleep(random.logarithmic(this.#gapMs / 5, this.#gapMs * 3))
      if (life.isOver || this.#site.isDone) return
      life.sample()
      const lot = random.real()
      if (lot < 0.02) group = await this.#again(group)
      else if (this.#site.isHeldBack || !group.engine.isWriting) continue
      else if (lot < 0.08) await this.#govern(group)
      else if (group.role === 'read' && !random.chance(0.05)) continue
      else await this.#publish(group)
    }
  }

  /** Publishes one operation, and waits for it, or not. */
  async #publish(group: OpenGroup): Promise<void> {
    const random = this.#random
    const calls = random.chance(0.8) ? 1 : random.integer(2, 6)
    for (let call = 0; call < calls; call += 1) {
      const done = this.publishOne(group)
      if (random.chance(0.3)) await Promise.race([done, this.#life.sleep(200)])
      if (!group.engine.isWriting || this.#life.isOver) return
    }
  }

  async publishOne(group: OpenGroup): Promise<Dot | undefined> {
    const life = this.#life
    const { ledger, replica } = life
    const random = this.#random
    const { machine } = group.engine
    const past = life.past()
    const before = machine.own?.delivered
    const { writer } = group
    const level =
      replica === undefined ? random.pick(['local', 'local', 'one', 'majority', 'all'] as const) : this.#level
    const isPoison = replica === undefined && random.chance(0.03)
    const isRefused = group.role === 'read' || ledger.curbed.has(this.#site)
    const result = replica === undefined ? this.#publishBytes(group, level, isPoison) : changeSomething(replica, random)
    const number = machine.own?.delivered
    // It has been delivered here in this turn, unless it was refused.
    if (before !== undefined && number === before + 1) ledger.write(this.#site, { writer, number }, past, isPoison)
    const dot = await life.call(
      `publish ${number} at ${level}`,
      result,
      isRefused ? [...publishing, 'FORBIDDEN'] : publishing,
    )
    if (dot === undefined) return undefined
    if (formatDot(dot) !== formatDot({ writer, number: number ?? 0 })) life.wrong(`published under ${formatDot(dot)}`)
    const operation = ledger.at(dot)
    operation.acknowledged = level
    life.world.note(life.name, `published ${dot.number}`)
    this.#checkReplication(dot, level)
    return dot
  }

  async #publishBytes(group: OpenGroup, replication: ReplicationLevel, isPoison: boolean): Promise<Dot> {
    const random = this.#random
    const payload = random.bytes(Math.floor(random.logarithmic(4, 400)))
    payload[0] = isPoison ? 255 : 254
    if (replication === 'local') return group.publish(payload)
    const signal = patience(this.#life, random.logarithmic(50, 5_000))
    return group.publish(payload, { replication, signal }).catch((error: unknown) => {
      if (PlaitError.is(error) && error.code === 'TIMEOUT') this.#life.world.mark('publish given up by its signal')
      throw error
    })
  }

  /** As many others hold it as were asked for, as far as that can be seen from outside. */
  #checkReplication(dot: Dot, level: ReplicationLevel): void {
    if (level === 'local') return
    const life = this.#life
    const counts = life.memberships.map((members) => this.#holdersOf(dot, members))
    const neededOf = (others: number): number =>
      ({ one: 1, majority: Math.floor((others + 1) / 2), all: others })[level]
    const [count] = counts
    if (counts.every(({ others, holders }) => holders < neededOf(others)) && !life.ledger.forked.has(dot.writer))
      life.wrong(
        `operation ${dot.number} is at ${count?.holders} others, and ${level} of ${count?.others} were asked for`,
      )
    if (counts.every(({ others, told }) => told < neededOf(others)))
      life.world.mark('publish resolved by what others passed on')
  }

  /** How many of the members that are waited for have it, and have said so themselves. */
  #holdersOf(dot: Dot, members: readonly GroupMember[]): { others: number; holders: number; told: number } {
    const lengths = new Map(
      this.#life.feedsByWriter
        .get(dot.writer)
        ?.status()
        .peers.map((peer) => [peer.nodeId, peer.contiguousLength]),
    )
    const count = { others: 0, holders: 0, told: 0 }
    for (const { node, isParked } of members) {
      if (node === this.#site.node.id || isParked) continue
      const site = this.#society.sites.find((other) => other.node.id === node)
      const length = site?.life?.feedsByWriter.get(dot.writer)?.contiguousLength
      count.others += 1
      // Who is down, or was put back, may have had it.
      if (site?.isLossy === true || length === undefined || length >= dot.number) count.holders += 1
      if ((lengths.get(node) ?? 0) >= dot.number) count.told += 1
    }
    return count
  }

  /** Opens the group, makes it, or joins it. */
  async #come(): Promise<OpenGroup | undefined> {
    const life = this.#life
    const society = this.#society
    const { groups } = life
    if (groups === undefined) return undefined
    const present = (await life.call('list', groups.list())) ?? []
    const [id] = present
    if (society.groupId === undefined) {
      if (this.#site !== society.sites[0]) return this.#join()
      const group = id === undefined ? groups.create({ name: 'world' }) : groups.open(id)
      const made = await life.call('make the group', group)
      if (made === undefined) return undefined
      society.groupId = made.id
      this.#site.isAdmitted = true
      await this.#take(opened(made))
      await this.#invite(opened(made), 'admin')
      await this.#invite(opened(made), 'write')
      return opened(made)
    }
    if (id === undefined || !this.#site.isAdmitted) return this.#join()
    const group = await life.call('open the group', groups.open(id))
    if (group === undefined) return undefined
    await this.#take(opened(group))
    return opened(group)
  }

  async #join(): Promise<OpenGroup | undefined> {
    const life = this.#life
    const random = this.#random
    while (!life.isOver && !this.#site.isDone) {
      await life.sleep(random.logarithmic(20, 1_500))
      const link = this.#society.links.length === 0 ? undefined : this.#drawLink()
      if (link === undefined || life.isOver || this.#site.isDone || life.groups === undefined) continue
      const signal = patience(life, random.logarithmic(30, 3_000))
      const group = await life.groups.join(link, { signal }).catch((error: unknown) => {
        if (!PlaitError.is(error)) life.wrong(`join failed untyped: ${String(error)}`)
      })
      if (group === undefined || life.isOver) continue
      if (random.chance(0.2)) void life.groups.join(this.#drawLink(), { signal: patience(life, 2_000) }).catch(() => {})
      this.#site.isAdmitted = true
      await this.#take(opened(group))
      return opened(group)
    }
    return undefined
  }

  /** Of any invitation, to any site: everybody who is a member can let others in. */
  #drawLink(): string {
    const random = this.#random
    const links = this.#society.links.map(parseGroupLink)
    // Of two admissions with other roles the one that counts may be the one that comes last, and gives less.
    const role = (this.#site.role ??= random.pick(links).role)
    const link = random.pick(links.filter((other) => other.role === role))
    if (random.chance(0.5)) return formatGroupLink(link)
    const { nodeId, addresses } = parseUrl(random.pick(this.#society.sites).node.address)
    return nodeId === this.#site.node.id ? formatGroupLink(link) : formatGroupLink({ ...link, nodeId, addresses })
  }

  /** Closes the group, and opens it again. */
  async #again(group: OpenGroup): Promise<OpenGroup | undefined> {
    const life = this.#life
    await life.call('close the group', group.close())
    life.group = undefined
    if (life.isOver || life.groups === undefined) return undefined
    const next = await life.call('open the group again', life.groups.open(group.id))
    if (next === undefined) return undefined
    await this.#take(opened(next))
    return opened(next)
  }

  /** Begins to take what comes. */
  async #take(group: OpenGroup): Promise<void> {
    const life = this.#life
    const { taking, world } = this.#site
    const before = await group.view.clock()
    life.begin(group, before)
    const lengths = new Map(life.feeds.list().map(({ id, length }) => [id.replace('feed:', ''), length]))
    life.ledger.reopen(this.#site, group.writer, lengths.get(group.writer) ?? 0)
    if (before.size === 0 && (lengths.get(group.writer) ?? 0) > 0) world.mark('view made anew')
    if ([...before].some(([writer, number]) => number > (lengths.get(writer) ?? 0))) world.mark('view ahead of the log')
    if (before.size > 0 && [...lengths].some(([writer, length]) => length > (before.get(writer) ?? 0)))
      world.mark('replayed after a restart')
    if ((await group.view.state()) !== undefined) world.mark('group restarted from its state')
    world.note(
      life.name,
      `opened ${[...before.values()].join(' ')} LOG ${[...lengths].map(([w, n]) => w.slice(0, 4) + n).join(' ')}`,
    )
    life.replica = undefined
    if (taking === 'replica') {
      const replica = createReplica(
        group,
        fieldsOf((dot) => this.#deliver(group, dot)),
        { replication: this.#level },
      )
      life.replica = await life.call('make a replica', replica)
    } else if (taking === 'handler') this.#handle(group)
    else void life.call('deliveries', this.#iterate(group))
  }

  #deliver(group: OpenGroup, dot: Dot): void {
    if (this.#life.group === group) this.#life.deliver(dot)
  }

  #handle(group: OpenGroup): void {
    const life = this.#life
    const random = this.#random.fork('handler')
    group.deliver(async ({ dot, payload }, transaction) => {
      const { isPoison } = life.ledger.at(dot)
      this.#deliver(group, dot)
      if (random.chance(0.1)) await life.sleep(random.logarithmic(1, 100))
      const key = new TextEncoder().encode(formatDot(dot))
      if ((await transaction.read(countsTable, key)) !== undefined && !isPoison && !life.ledger.forked.has(dot.writer))
        life.wrong(`${formatDot(dot)} is carried out a second time`)
      transaction.put(countsTable, key, Uint8Array.of(1))
      if (isPoison && payload[0] === 255) throw new Error('poison')
    })
  }

  async #iterate(group: OpenGroup): Promise<void> {
    const random = this.#random.fork('iterator')
    const late: (() => void)[] = []
    for await (const delivery of group.deliveries({ signal: this.#life.ending.signal })) {
      this.#deliver(group, delivery.dot)
      if (random.chance(0.2)) await this.#life.sleep(random.logarithmic(1, 100))
      late.push(() => delivery.ack())
      // In any order, and several at once.
      if (random.chance(0.7)) for (const one of random.shuffle(late.splice(0))) one()
      else if (late.length === 1) void this.#life.sleep(300).then(() => late.splice(0).forEach((one) => one()))
    }
  }

  async #invite(group: OpenGroup, role: Role): Promise<void> {
    const random = this.#random
    const uses = random.chance(0.2) ? random.integer(1, 2) : 0
    const link = await this.#life.call('invite', group.invite({ role, uses }), governing)
    if (link !== undefined) this.#society.links.push(link)
  }

  /** What an admin does now and then; others try, too. */
  async #govern(group: OpenGroup): Promise<void> {
    const random = this.#random
    const society = this.#society
    const life = this.#life
    const world = this.#site.world
    if (group.role !== 'admin') return
    const lot = random.real()
    if (lot < 0.3) return this.#invite(group, random.pick(['read', 'write', 'write', 'admin'] as const))
    if (lot < 0.35 && society.links.length > 3) {
      await life.call('revoke', group.revoke(random.pick(society.links.slice(1))), governing)
      return
    }
    const known = new Set(group.members.map(({ node }) => node))
    const others = society.sites.filter((site) => site !== this.#site && known.has(site.node.id))
    if (others.length < 2 || society.measures === 0) return
    society.measures -= 1
    const other = random.pick(others)
    const { id } = other.node
    life.ledger.curbed.add(other)
    const may = <Done>(what: string, done: Promise<Done>): Promise<true | undefined> =>
      life.call(
        what,
        done.then(() => true as const),
        governing,
      )
    if (lot < 0.65) {
      if (await may('park', group.park(id))) world.mark('parked')
    } else if (other === society.sites[0]) return
    else if (lot < 0.85) {
      if (await may('assign', group.assign(id, random.pick(['read', 'write', 'admin'] as const))))
        world.mark('role changed')
    } else if (random.chance(0.8)) {
      if (!(await may('remove', group.remove(id)))) return
      world.mark('removed by an admin')
      if (random.chance(0.5)) world.scheduler.at(world.now + random.logarithmic(100, 3_000), () => comeAnew(other))
    } else if (this.#site !== society.sites[0]) {
      life.ledger.curbed.add(this.#site)
      if (await may('leave', group.leave())) world.mark('removed by itself')
    }
  }
}

/** With another disk: who comes from anew has forgotten everything. */
function comeAnew(site: GroupSite): void {
  if (site.isDone) return
  site.loseDisk()
  site.world.restart(site.name)
}
