import { Ring } from '../../../src/broadcast/ring.ts'
import { Network, type Site } from '../../broadcast/network.ts'

const latencyMs = [1, 20] as const

/** Many members, some of whom go and come while the table is made. */
export interface Town {
  readonly net: Network
  readonly live: readonly Site[]
  readonly bornAtBySite: ReadonlyMap<Site, number>
  kill(site: Site): void
  /** One that has gone comes back, or another one comes in its place. */
  replace(gone: Site): void
}

abstract class AnyTown implements Town {
  readonly net: Network
  readonly bornAtBySite: Map<Site, number> = new Map()
  readonly #live = new Set<Site>()

  constructor(seed: string) {
    this.net = new Network({ seed, latencyMs, loss: 0, settings: { starMembersMax: 0 } })
  }

  get live(): readonly Site[] {
    return [...this.#live]
  }

  abstract replace(gone: Site): void

  /** Half of those who die are never heard of again; of the others it is learned when somebody tries to reach them. */
  kill(site: Site): void {
    site.state = this.net.random.pick(['silent', 'refusing'])
    this.#live.delete(site)
  }

  protected welcome(site: Site): Site {
    this.#live.add(site)
    this.bornAtBySite.set(site, this.net.now)
    return site
  }
}

/** All know all, and nobody learns that somebody has gone. */
export class FullTown extends AnyTown {
  readonly #ring: Ring

  constructor(seed: string, size: number) {
    super(seed)
    const identities = Array.from({ length: size }, (_, index) => this.net.identity(index))
    this.#ring = new Ring(identities.map(({ id }) => id))
    for (const identity of identities) this.#start(identity, 1)
  }

  replace(gone: Site): void {
    this.#start(gone.identity, 1 + Math.ceil(this.net.now))
  }

  #start(identity: Site['identity'], epoch: number): void {
    const members = { self: identity.id, ring: this.#ring, isWhole: true, isSuspect: () => false }
    this.welcome(this.net.add(identity, { members, epoch }))
  }
}

const joinsMs = 20_000
const settlingMs = 240_000

/** Each has joined by somebody, and knows those whom it has found out about. */
export class PartialTown extends AnyTown {
  #names = 0

  constructor(seed: string, size: number) {
    super(seed)
    const { net } = this
    for (let index = 0; index < size; index += 1) {
      net.runTo((joinsMs * index) / size)
      this.#join()
    }
    for (const end = net.now + settlingMs; net.now < end && !this.isSettled;) net.runTo(net.now + 1_000)
    if (!this.isSettled) throw new Error('the members do not find each other')
  }

  /** Whether each knows who stands next to it. */
  get isSettled(): boolean {
    const ring = new Ring(this.live.map(({ id }) => id))
    return this.live.every(({ id, broadcaster }) => {
      const own = broadcaster.membership.table.ring
      const [rank, ownRank] = [ring.rank(id), own.rank(id)]
      return own.at(ownRank + 1) === ring.at(rank + 1) && own.at(ownRank - 1) === ring.at(rank - 1)
    })
  }

  replace(): void {
    this.#join()
  }

  #join(): void {
    const { net, live } = this
    const site = this.welcome(net.add(net.identity((this.#names += 1)), {}))
    if (live.length > 0) site.join(net.random.pick(live).id)
  }
}
