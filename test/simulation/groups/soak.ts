import { opened, type GroupLife } from './life.ts'
import type { OpenGroup } from '../../../src/causal/group.ts'
import { createReplica } from '../../../src/causal/replica.ts'
import { encodeHex } from '../../../src/base/bytes.ts'
import { scheduleFaults, type SeededRandom, type World } from '../../../src/testing/index.ts'
import { changeBounded, fieldsOf, type WorldReplica } from './fields.ts'
import { GroupLedger } from './ledger.ts'
import { GroupSite } from './site.ts'

const residents = ['ada', 'ben', 'cyd', 'dee']
const guest = 'gus'
const gapMs = 20_000
const snapshotEntries = 300
const hourMs = 3_600_000
const crashesPerHour = 4
const faultsPerHour = 12
/** Between a removal of the guest and its return, and the other way round. */
const stayMs = 1_500_000
const lookMs = 15 * 60_000
const levelMs = 400_000

/** What all machines of a world take together, at one time. */
export interface SoakLook {
  readonly seconds: number
  readonly heapBytes: number
  readonly openFiles: number
  readonly logBytes: number
  /** What is derived from the logs: it keeps its places for entries that are not kept. */
  readonly derivedBytes: number
  /** Entries that have been delivered at the first machine. */
  readonly entries: number
}

export interface SoakOptions {
  readonly hours: number
  /** Measured when no garbage is left. */
  readonly heapBytes: () => number
  readonly onLook: (look: SoakLook) => void
}

/**
 * A group that lives for long: four members change a replica the whole time, links break, machines lose power, snapshots are made and
 * logs are pruned, and a guest comes by a link, publishes, is removed, and comes again. In the end all have the same.
 */
export async function soakGroup(world: World, { hours, heapBytes, onLook }: SoakOptions): Promise<void> {
  const random = world.random.fork('soak')
  const endMs = hours * hourMs
  const soak = new GroupSoak(world, random)
  const names = [...residents, guest]
  scheduleFaults(world, random.fork('faults'), {
    ...{ names, fromMs: 10_000, untilMs: endMs, count: Math.round(hours * faultsPerHour) },
    kinds: ['cut', 'cutAtOneEnd', 'halfOpen', 'halfOpenOneWay', 'pause', 'longPause', 'partition'],
  })
  for (let count = 0; count < hours * crashesPerHour; count += 1) {
    const downMs = random.logarithmic(10, 60_000)
    world.scheduler.at(10_000 + random.real() * (endMs - 100_000), () => soak.crash(downMs))
  }
  for (let atMs = lookMs; atMs <= endMs; atMs += lookMs) {
    await world.run(atMs)
    onLook({ seconds: atMs / 1_000, heapBytes: heapBytes(), ...soak.look() })
  }
  await soak.end()
}

class GroupSoak {
  readonly #world: World
  readonly #random: SeededRandom
  readonly #ledger = new GroupLedger()
  readonly #sites: readonly GroupSite[]
  #link: string | undefined
  #isOver = false

  constructor(world: World, random: SeededRandom) {
    this.#world = world
    this.#random = random
    this.#sites = [...residents, guest].map(
      (name, number) =>
        new GroupSite({
          ...{ world, name, number, taking: 'replica', acknowledgeMs: 1_000, resumeMs: 30_000, snapshotEntries },
          ...{ ledger: this.#ledger, random: random.fork(name) },
          begin: (site, life) => void this.#live(site, life, random.fork(`${name} ${life.process.epoch}`)),
        }),
    )
  }

  crash(downMs: number): void {
    const site = this.#random.pick(this.#sites)
    site.crash(this.#random.chance(0.5))
    this.#world.scheduler.at(this.#world.now + downMs, () => this.#world.restart(site.name))
  }

  look(): Omit<SoakLook, 'seconds' | 'heapBytes'> {
    const sum = (one: (site: GroupSite) => number): number => this.#sites.reduce((total, site) => total + one(site), 0)
    const delivered = this.#sites[0]?.life?.group?.engine.machine.order.delivered() ?? []
    return {
      openFiles: sum(({ disk }) => disk.disk.openFiles),
      logBytes: sum((site) => bytesBelow(site, 'log/')),
      derivedBytes: sum((site) => bytesBelow(site, 'feeds/')),
      entries: delivered.reduce((total, number) => total + number, 0),
    }
  }

  /** Everybody has the same in the end. */
  async end(): Promise<void> {
    const world = this.#world
    this.#isOver = true
    world.heal()
    for (const { name } of this.#sites) world.restart(name)
    const states = (): readonly (string | undefined)[] =>
      this.#sites.filter((site) => isMember(site, this.#sites)).map(({ life }) => stateOf(life?.replica))
    const isLevel = (): boolean => {
      const [first, ...others] = states()
      return first !== undefined && others.length >= 3 && others.every((other) => other === first)
    }
    if (!(await world.run(isLevel, levelMs))) world.violation(`the members have parted: ${states().join(', ')}`)
    await world.settle(Promise.all(this.#sites.map((site) => site.close())))
  }

  async #live(site: GroupSite, life: GroupLife, random: SeededRandom): Promise<void> {
    const group = await this.#come(site, life, random)
    if (group === undefined) return
    const replica = await life.call(
      'make a replica',
      createReplica(
        group,
        fieldsOf(() => undefined),
      ),
    )
    if (replica === undefined) return
    life.replica = replica
    if (site.name === residents[0]) void this.#host(life, group)
    while (!life.isOver && !this.#isOver) {
      await life.sleep(random.logarithmic(gapMs / 5, gapMs * 2))
      if (life.isOver || this.#isOver) return
      // Nobody tells it that it was removed: it is cut off, and its user is told by others.
      if (this.#isShownOut(site) && random.chance(0.05)) await this.#join(site, life, random)
      if (!group.engine.isWriting) continue
      await life.call('publish', changeBounded(replica, random), ['FORBIDDEN', 'FEED_BEHIND', 'FEED_FROZEN'])
    }
  }

  async #come(site: GroupSite, life: GroupLife, random: SeededRandom): Promise<OpenGroup | undefined> {
    const { groups } = life
    if (groups === undefined) return undefined
    const [id] = (await life.call('list', groups.list())) ?? []
    if (id !== undefined && site.isAdmitted) {
      const group = await life.call('open the group', groups.open(id))
      if (group !== undefined) life.begin(opened(group), await opened(group).view.clock())
      return group === undefined ? undefined : opened(group)
    }
    if (site.name !== residents[0]) return this.#join(site, life, random)
    const group = await life.call(
      'make the group',
      id === undefined ? groups.create({ name: 'world' }) : groups.open(id),
    )
    if (group === undefined) return undefined
    life.begin(opened(group), await opened(group).view.clock())
    site.isAdmitted = true
    return opened(group)
  }

  /** By the founder's link, until it is let in. */
  async #join(site: GroupSite, life: GroupLife, random: SeededRandom): Promise<OpenGroup | undefined> {
    while (!life.isOver && !this.#isOver) {
      await life.sleep(random.logarithmic(1_000, 20_000))
      if (this.#link === undefined || life.isOver || life.groups === undefined) continue
      const group = await life.groups.join(this.#link).catch(() => undefined)
      if (group === undefined || life.isOver) continue
      site.isAdmitted = true
      if (life.group !== group) life.begin(opened(group), await opened(group).view.clock())
      return opened(group)
    }
    return undefined
  }

  #isShownOut({ node }: GroupSite): boolean {
    return this.#sites[0]?.life?.group?.engine.machine.roster.members.get(node.id)?.isRemoved === true
  }

  /** The founder makes the link by which all others come, and shows the guest out now and then. */
  async #host(life: GroupLife, group: OpenGroup): Promise<void> {
    const { node } = this.#sites.at(-1) ?? {}
    while (this.#link === undefined && !life.isOver)
      this.#link = await life.call('invite', group.invite({ role: 'admin' }), ['FORBIDDEN'])
    while (!life.isOver && !this.#isOver) {
      await life.sleep(stayMs)
      const isHere = node !== undefined && group.members.some((member) => member.node === node.id)
      if (life.isOver || this.#isOver || !isHere) continue
      const done = await life.call(
        'remove',
        group.remove(node.id).then(() => true),
        ['FORBIDDEN', 'INVALID_ARGUMENT'],
      )
      if (done === true) this.#world.mark('removed by an admin')
    }
  }
}

function isMember(site: GroupSite, [first]: readonly GroupSite[]): boolean {
  const members = first?.life?.group?.engine.machine.roster.members
  return site === first || members?.get(site.node.id)?.isRemoved === false
}

function stateOf(replica: WorldReplica | undefined): string | undefined {
  return replica === undefined ? undefined : encodeHex(replica.hash())
}

function bytesBelow({ disk }: GroupSite, folder: string): number {
  let total = 0
  for (const [path, bytes] of disk.disk.files()) if (path.startsWith(folder)) total += bytes.length
  return total
}
