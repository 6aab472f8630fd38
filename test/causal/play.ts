import { simulatedIdentity } from '../../src/identity/simulated.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { Role } from '../../src/causal/members/roster-operation.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Library, Site } from './site.ts'

/**
 * A random history of a group: members write, read each other's feeds by bits, come, go, are given roles, removed and parked, restart. In
 * the end everybody has read all, and has to have delivered the same. Returns what has happened; throws with the seed when something is
 * wrong.
 */
export function playGroup(seed: number): ReadonlySet<string> {
  const random = new SeededRandom(`group ${seed}`)
  const play = new Play(random)
  const steps = random.integer(40, 160)
  for (let step = 0; step < steps; step += 1) play.step()
  const fault = play.settle()
  if (fault !== undefined) throw new Error(`seed ${seed}: ${fault}`)
  return play.marks
}

class Play {
  readonly marks: Set<string> = new Set()
  readonly #random: SeededRandom
  readonly #library = new Library()
  readonly #sites: Site[] = []
  readonly #invitations: Identity[] = []

  constructor(random: SeededRandom) {
    this.#random = random
    const founder = new Site(this.#library, 'site 0')
    founder.found()
    this.#sites.push(founder)
    for (const role of ['admin', 'write', 'read'] as const) this.#invite(founder, role)
  }

  step(): void {
    const chance = this.#random.integer(0, 99)
    const site = this.#pick(this.#sites)
    if (chance < 40) this.#readSome(site)
    else if (chance < 65) this.#publish(site)
    else if (chance < 70) this.#mark('restarts', () => site.restart())
    else if (chance < 80) this.#join()
    else if (chance < 84) this.#whenWriting(site, () => site.acknowledge())
    else if (chance < 87) site.machine.order.forget(site.machine.stable())
    else if (chance < 89) this.#continue(site)
    else this.#govern(site)
  }

  settle(): string | undefined {
    for (let round = 0; round < 4; round += 1) for (const site of this.#sites) site.readAll()
    const [first] = this.#sites as [Site]
    const expected = first.delivered.toSorted().join(' ')
    if (first.delivered.length > 0) this.marks.add('operations')
    for (const site of this.#sites) {
      if (site.renewals > 0) this.marks.add('overturned')
      if (site.faults.length > 0) return `${site.identity.id}: ${site.faults[0]}`
      const waiting = site.machine.order.feeds.find(({ waitsFor }) => waitsFor !== undefined)
      if (waiting !== undefined) return `${waiting.writer} waits`
      if (site.delivered.toSorted().join(' ') !== expected)
        return `${site.identity.id} has delivered ${site.delivered.filter((dot) => !first.delivered.includes(dot)).join(' ')} and not ${first.delivered.filter((dot) => !site.delivered.includes(dot)).join(' ')}`
      if (membersOf(site) !== membersOf(first))
        return `they do not agree who is a member: ${membersOf(site)}\n${membersOf(first)}`
    }
    return undefined
  }

  #readSome(site: Site): void {
    for (const feed of this.#library.blocksByFeed.keys())
      if (this.#random.integer(0, 1) === 0) site.read(feed, this.#random.integer(1, 12))
    site.begin()
  }

  #publish(site: Site): void {
    this.#whenWriting(site, () => site.publish(this.#random.bytes(4)))
  }

  #join(): void {
    if (this.#sites.length >= 8) return
    const joiner = new Site(this.#library, `site ${this.#sites.length}`)
    this.#sites.push(joiner)
    // Twice: by two who do not know of each other, as whoever asks again does.
    for (let time = this.#random.integer(1, 2); time > 0; time -= 1) {
      const host = this.#pick(this.#sites)
      this.#whenWriting(host, () => host.admit(joiner, this.#pick(this.#invitations)))
    }
  }

  #continue(site: Site): void {
    const host = this.#pick(this.#sites)
    if (site === host || site === this.#sites[0] || host.machine.own === undefined) return
    this.marks.add('continued')
    site.forgetFeed()
    host.continueFor(site)
  }

  #govern(site: Site): void {
    const other = this.#pick(this.#sites)
    const node = other.identity.publicKey
    const kind = this.#random.integer(0, 9)
    const ends = site.machine.endsOf(other.identity.id)
    this.#whenWriting(site, () => {
      if (kind < 2) site.say({ kind: 'remove', node, ends })
      else if (kind < 4) site.say({ kind: 'park', node, ends })
      else if (kind < 7) site.say({ kind: 'role', node, ends, role: this.#pick(['read', 'write', 'admin'] as const) })
      else if (kind < 8) site.say({ kind: 'revoke', invitation: this.#pick(this.#invitations).publicKey })
      else this.#invite(site, this.#pick(['read', 'write', 'admin'] as const))
    })
  }

  #invite(site: Site, role: Role): void {
    const invitation = simulatedIdentity(this.#random.bytes(8))
    this.#invitations.push(invitation)
    site.invite(invitation, role, this.#random.integer(0, 2))
  }

  #whenWriting(site: Site, write: () => void): void {
    if (site.machine.own !== undefined) write()
  }

  #mark(mark: string, run: () => void): void {
    this.marks.add(mark)
    run()
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random.integer(0, items.length - 1)] as Item
  }
}

function membersOf({ machine }: Site): string {
  return Array.from(machine.roster.members.values(), ({ node, role, feeds, isParked, isRemoved }) =>
    [node, role, feeds.join('+'), isParked, isRemoved].join(' '),
  )
    .sort()
    .join('\n')
}
