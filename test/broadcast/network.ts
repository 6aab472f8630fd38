import type { Identity } from '../../src/identity/identity.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import type { Verify } from '../../src/identity/signature.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Scheduler } from '../../src/runtime/simulated/scheduler.ts'
import { keyedIdentity, keyedVerify } from './keyed.ts'
import { Site, type NetworkOptions, type SiteOptions, type Surroundings } from './site.ts'

export { networkName, type Manner, type NetworkOptions, type Observer, type Site, type SiteOptions } from './site.ts'

/** Members in one process on virtual time: what one sends, another one receives a little later, or never. */
export class Network implements Surroundings {
  readonly scheduler: Scheduler = new Scheduler()
  readonly random: SeededRandom
  readonly options: NetworkOptions
  readonly verify: Verify
  readonly sitesById: Map<NodeId, Site> = new Map()
  /** Pairs between which nothing passes. */
  readonly cuts: Set<string> = new Set()
  loss: number
  messages = 0

  constructor(options: NetworkOptions) {
    this.options = options
    this.loss = options.loss
    this.verify = options.signatures?.verify ?? keyedVerify
    this.random = new SeededRandom(options.seed)
  }

  get now(): number {
    return this.scheduler.now
  }

  add(identity: Identity, options: SiteOptions = {}): Site {
    const site = new Site(this, identity, options)
    this.sitesById.set(identity.id, site)
    return site
  }

  identity(name: string | number): Identity {
    const make = this.options.signatures?.identity ?? keyedIdentity
    return make(`${this.options.seed}/${name}`)
  }

  runTo(timeMs: number): void {
    while (this.scheduler.step(timeMs));
  }

  /** What is sent arrives in the order in which it was sent, or not at all. */
  carry(from: Site, to: NodeId, op: number, payload: Uint8Array): void {
    this.messages += 1
    this.options.observer?.sent(from, to, op, payload)
    const [least, most] = this.options.latencyMs
    const delay = least + (most - least) * this.random.real()
    const at = Math.max(this.now + delay, from.arrivalsById.get(to) ?? 0)
    from.arrivalsById.set(to, at)
    const isLost = this.loss > 0 && this.random.chance(this.loss)
    this.scheduler.at(at, () => {
      const target = this.sitesById.get(to)
      const isCut = this.cuts.size > 0 && this.cuts.has(pairOf(from.id, to))
      if (target === undefined || target.state === 'refusing') {
        if (from.state === 'up' && !isCut) this.scheduler.at(this.now + delay, () => from.failed(to))
        return
      }
      if (!isLost && !isCut && target.state === 'up') target.receive(from.id, op, payload)
    })
  }
}

export function pairOf(one: NodeId, other: NodeId): string {
  return one < other ? `${one}/${other}` : `${other}/${one}`
}
