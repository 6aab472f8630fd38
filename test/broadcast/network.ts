import { defaultLimits } from '../../src/base/limits.ts'
import { Broadcaster } from '../../src/broadcast/broadcaster.ts'
import { keyOf } from '../../src/broadcast/spread/archive.ts'
import { postsOf, type Batch } from '../../src/broadcast/batch.ts'
import { broadcastOps, decodeMessage, encodeMessage } from '../../src/broadcast/messages.ts'
import type { BroadcastSettings } from '../../src/broadcast/settings.ts'
import type { Members } from '../../src/broadcast/spread/spread-port.ts'
import type { SpreadReport } from '../../src/broadcast/spread/task.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { simulatedIdentity, simulatedVerify } from '../../src/identity/simulated.ts'
import type { Probe } from '../../src/runtime/probe.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { Scheduler } from '../../src/runtime/simulated/scheduler.ts'

/** How a member behaves. `idle`: takes what it is handed, says that all is done, and hands nothing on. */
export type Manner = 'honest' | 'idle'

export interface NetworkOptions {
  readonly seed: number | string
  /** One way. */
  readonly latencyMs: readonly [least: number, most: number]
  /** Share of messages that get lost with the link that they were on. */
  readonly loss: number
  readonly settings?: Partial<BroadcastSettings>
  readonly probe?: Probe
}

export interface Delivery {
  readonly at: number
  readonly hops: number
}

const network = 'test'
const rejoinMs = 1_000

/** Members in one process on virtual time: what one sends, another one receives a little later, or never. */
export class Network {
  readonly scheduler: Scheduler = new Scheduler()
  readonly random: SeededRandom
  readonly options: NetworkOptions
  readonly sitesById: Map<NodeId, Site> = new Map()
  /** Pairs between which nothing passes. */
  readonly cuts: Set<string> = new Set()
  messages = 0

  constructor(options: NetworkOptions) {
    this.options = options
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
    return simulatedIdentity(new TextEncoder().encode(`${this.options.seed}/${name}`))
  }

  runTo(timeMs: number): void {
    while (this.scheduler.step(timeMs));
  }

  /** What is sent arrives in the order in which it was sent, or not at all. */
  carry(from: Site, to: NodeId, op: number, payload: Uint8Array): void {
    this.messages += 1
    const [least, most] = this.options.latencyMs
    const delay = least + (most - least) * this.random.real()
    const at = Math.max(this.now + delay, from.arrivalsById.get(to) ?? 0)
    from.arrivalsById.set(to, at)
    const isLost = this.random.chance(this.options.loss)
    this.scheduler.at(at, () => {
      const target = this.sitesById.get(to)
      const isCut = this.cuts.has(pairOf(from.id, to))
      if (target === undefined || target.state === 'refusing') {
        if (from.state === 'up' && !isCut) this.scheduler.at(this.now + delay, () => from.failed(to))
        return
      }
      if (isLost || isCut || target.state !== 'up') return
      target.receive(from.id, op, payload)
    })
  }
}

export function pairOf(one: NodeId, other: NodeId): string {
  return one < other ? `${one}/${other}` : `${other}/${one}`
}

export interface SiteOptions {
  readonly manner?: Manner
  /** Instead of those that it finds out about. */
  readonly members?: Members
  readonly epoch?: number
  readonly settings?: Partial<BroadcastSettings>
}

/** One member, for as long as its process lives. */
export class Site {
  readonly id: NodeId
  readonly broadcaster: Broadcaster
  readonly identity: Identity
  readonly manner: Manner
  /** `silent`: nothing comes from it any more; `refusing`: whoever tries learns that it is gone. */
  state: 'up' | 'silent' | 'refusing' = 'up'
  /** Each batch, as it was delivered; more than once would be a fault. */
  readonly deliveriesByKey: Map<string, Delivery[]> = new Map()
  readonly texts: string[] = []
  readonly blamed: { readonly from: NodeId; readonly reason: string }[] = []
  /** When the last message to each arrives. */
  readonly arrivalsById: Map<NodeId, number> = new Map()
  readonly #network: Network
  #hops = 0
  #wakeAt = Infinity

  constructor(net: Network, identity: Identity, options: SiteOptions) {
    this.#network = net
    this.id = identity.id
    this.identity = identity
    this.manner = options.manner ?? 'honest'
    this.broadcaster = new Broadcaster({
      self: identity.id,
      network,
      addresses: ['127.0.0.1:1'],
      epoch: options.epoch ?? 1,
      sign: (statement) => identity.sign(statement),
      verify: simulatedVerify,
      port: {
        send: (to, op, payload) => {
          if (this.state === 'up') this.#network.carry(this, to, op, payload)
          return true
        },
        deliver: (batch) => this.#deliver(batch),
        changed: () => undefined,
        blame: (from, reason) => this.blamed.push({ from, reason }),
      },
      random: net.random.fork(identity.id),
      probe: net.options.probe ?? { sometimes: () => undefined },
      limits: defaultLimits,
      settings: { ...net.options.settings, ...options.settings },
      ...(options.members && { members: options.members }),
    })
    this.wake()
  }

  /** By one that it was told of, and while that leads nowhere by others, as whoever is told of several addresses does. */
  join(contact: NodeId): void {
    if (this.state !== 'up') return
    this.broadcaster.join(contact)
    this.wake()
    const { scheduler, random, sitesById } = this.#network
    scheduler.at(scheduler.now + rejoinMs, () => {
      if (this.broadcaster.membership.table.ring.size > 1) return
      const others = [...sitesById.values()].filter(({ state, id }) => state === 'up' && id !== this.id)
      const known = others.filter(({ broadcaster }) => broadcaster.membership.table.ring.size > 1)
      if (others.length > 0) this.join(random.pick(known.length > 0 ? known : others).id)
    })
  }

  publish(
    text: string,
    to?: readonly NodeId[],
  ): { readonly key: string; readonly report: () => SpreadReport | undefined } {
    let report: SpreadReport | undefined
    const post = { topic: 'topic', payload: new TextEncoder().encode(text) }
    const batch = this.broadcaster.publish([post], to, this.#network.now, {
      eased: () => undefined,
      over: (one) => (report = one),
    })
    this.wake()
    return { key: keyOf(batch), report: () => report }
  }

  receive(from: NodeId, op: number, payload: Uint8Array): void {
    if (this.state !== 'up') return
    if (op === broadcastOps.relay) {
      const message = decodeMessage(op, payload)
      if (message.name === 'relay') this.#hops = message.value.hops
      if (this.manner === 'idle' && message.name === 'relay') {
        const done = { ticket: message.value.ticket, reached: 0, missing: 0, unreached: [] }
        this.#network.carry(this, from, broadcastOps.done, encodeMessage('done', done))
        return
      }
    }
    this.broadcaster.receive(from, op, payload, this.#network.now)
    this.wake()
  }

  failed(id: NodeId): void {
    if (this.state !== 'up') return
    this.broadcaster.failed(id, this.#network.now)
    this.wake()
  }

  wake(): void {
    const deadline = this.broadcaster.deadline
    if (deadline === undefined || this.state !== 'up') return
    const at = Math.max(deadline, this.#network.now)
    if (at >= this.#wakeAt && this.#wakeAt > this.#network.now) return
    this.#wakeAt = at
    this.#network.scheduler.at(at, () => {
      if (this.#wakeAt !== at || this.state !== 'up') return
      this.#wakeAt = Infinity
      this.broadcaster.tick(this.#network.now)
      this.wake()
    })
  }

  #deliver(batch: Batch): void {
    const key = keyOf(batch)
    const deliveries = this.deliveriesByKey.get(key) ?? []
    this.deliveriesByKey.set(key, deliveries)
    deliveries.push({ at: this.#network.now, hops: this.#hops + 1 })
    for (const { payload } of postsOf(batch)) this.texts.push(new TextDecoder().decode(payload))
  }
}
