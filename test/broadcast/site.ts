import { defaultLimits } from '../../src/base/limits.ts'
import { postsOf, type Batch } from '../../src/broadcast/batch.ts'
import { Broadcaster } from '../../src/broadcast/broadcaster.ts'
import { broadcastOps, decodeMessage, encodeMessage } from '../../src/broadcast/messages.ts'
import type { BroadcastSettings } from '../../src/broadcast/settings.ts'
import { keyOf } from '../../src/broadcast/spread/archive.ts'
import type { Members } from '../../src/broadcast/spread/spread-port.ts'
import type { SpreadReport } from '../../src/broadcast/spread/task.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import type { Verify } from '../../src/identity/signature.ts'
import { silentProbe, type Probe } from '../../src/runtime/probe.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import type { Scheduler } from '../../src/runtime/simulated/scheduler.ts'

/**
 * How a member behaves. `idle`: takes what it is handed, says that all is done, and hands nothing on. `stalling`: says again and again that
 * it is about to, and hands nothing on either.
 */
export type Manner = 'honest' | 'idle' | 'stalling'

export interface Delivery {
  readonly at: number
  /** Members through which it has come; unknown when it was asked for. */
  readonly hops: number | undefined
}

export interface SiteOptions {
  readonly manner?: Manner
  /** Instead of those that it finds out about. */
  readonly members?: Members
  readonly epoch?: number
  readonly settings?: Partial<BroadcastSettings>
}

export interface Published {
  readonly key: string
  readonly batch: Batch
  readonly report: () => SpreadReport | undefined
}

export interface NetworkOptions {
  readonly seed: number | string
  /** One way. */
  readonly latencyMs: readonly [least: number, most: number]
  /** Share of messages that get lost with the link that they were on. */
  readonly loss: number
  readonly settings?: Partial<BroadcastSettings>
  readonly probe?: Probe
  readonly observer?: Observer
  /** Instead of cheap ones. */
  readonly signatures?: { readonly identity: (seed: string) => Identity; readonly verify: Verify }
}

/** Whoever looks at all that happens. */
export interface Observer {
  sent(from: Site, to: NodeId, op: number, payload: Uint8Array): void
  arrived(to: Site, from: NodeId, op: number, payload: Uint8Array): void
  delivered(site: Site, batch: Batch): void
  /** A member has thrown. `from` sent what it received, if that was it. */
  thrown(site: Site, error: unknown, from: NodeId | undefined): void
}

/** Of the members; batches and members of another one mean nothing here. */
export const networkName = 'test'

/** What a member lives in. */
export interface Surroundings {
  readonly now: number
  readonly options: NetworkOptions
  readonly verify: Verify
  readonly random: SeededRandom
  readonly scheduler: Scheduler
  readonly sitesById: ReadonlyMap<NodeId, Site>
  carry(from: Site, to: NodeId, op: number, payload: Uint8Array): void
}

const rejoinMs = 1_000
const stallMs = 400
/** Longer than anybody should believe it. */
const stallsMs = 120_000

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
  /** What its subscribers have heard, in order. */
  readonly texts: string[] = []
  readonly blamed: { readonly from: NodeId; readonly reason: string }[] = []
  /** When the last message to each arrives. */
  readonly arrivalsById: Map<NodeId, number> = new Map()
  readonly #network: Surroundings
  #hops: number | undefined
  #wakeAt = Infinity

  constructor(net: Surroundings, identity: Identity, options: SiteOptions) {
    this.#network = net
    this.id = identity.id
    this.identity = identity
    this.manner = options.manner ?? 'honest'
    this.broadcaster = new Broadcaster({
      self: identity.id,
      network: networkName,
      addresses: ['127.0.0.1:1'],
      epoch: options.epoch ?? 1,
      sign: (statement) => identity.sign(statement),
      verify: net.verify,
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
      probe: net.options.probe ?? silentProbe,
      limits: defaultLimits,
      settings: { ...net.options.settings, ...options.settings },
      ...(options.members && { members: options.members }),
    })
    this.wake()
  }

  /** By one that it was told of, and while that leads nowhere by others, as whoever is told of several addresses does. */
  join(contact: NodeId): void {
    if (this.state !== 'up') return
    this.#do(() => this.broadcaster.join(contact))
    const { scheduler } = this.#network
    scheduler.at(scheduler.now + rejoinMs, () => {
      if (this.state !== 'up' || this.broadcaster.membership.table.ring.has(contact)) return
      // It may know nobody else, and be missed by all.
      const isUp = this.#network.sitesById.get(contact)?.state === 'up'
      const next = isUp ? contact : this.#otherContact()
      if (next !== undefined) this.join(next)
    })
  }

  publish(text: string, to?: readonly NodeId[], over?: (report: SpreadReport) => void): Published {
    let report: SpreadReport | undefined
    const post = { topic: 'topic', payload: new TextEncoder().encode(text) }
    const batch = this.broadcaster.publish([post], to, this.#network.now, {
      eased: () => undefined,
      over: (one) => {
        report = one
        over?.(one)
      },
    })
    this.wake()
    return { key: keyOf(batch), batch, report: () => report }
  }

  receive(from: NodeId, op: number, payload: Uint8Array): void {
    if (this.state !== 'up') return
    this.#network.options.observer?.arrived(this, from, op, payload)
    this.#hops = undefined
    this.#do(() => {
      if (op === broadcastOps.relay && !this.#hears(from, op, payload)) return
      this.broadcaster.receive(from, op, payload, this.#network.now)
    }, from)
  }

  failed(id: NodeId): void {
    if (this.state === 'up') this.#do(() => this.broadcaster.failed(id, this.#network.now))
  }

  leave(): void {
    this.#do(() => this.broadcaster.leave())
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
      this.#do(() => this.broadcaster.tick(this.#network.now))
    })
  }

  #otherContact(): NodeId | undefined {
    const { random, sitesById } = this.#network
    const { ring } = this.broadcaster.membership.table
    // Those who are here already may know no more.
    const others = [...sitesById.values()].filter(({ state, id }) => state === 'up' && !ring.has(id))
    const known = others.filter(({ broadcaster }) => broadcaster.membership.table.ring.size > 1)
    return others.length === 0 ? undefined : random.pick(known.length > 0 ? known : others).id
  }

  /** Whether the relay is for an honest member, which does what it has to with it. */
  #hears(from: NodeId, op: number, payload: Uint8Array): boolean {
    const message = decodeMessage(op, payload)
    if (message.name !== 'relay') return true
    this.#hops = message.value.hops
    if (this.manner === 'honest') return true
    const { ticket } = message.value
    if (this.manner === 'stalling') this.#stall(from, ticket, this.#network.now + stallsMs)
    else {
      const done = { ticket, reached: 0, missing: 0, unreached: [] }
      this.#network.carry(this, from, broadcastOps.done, encodeMessage('done', done))
    }
    return false
  }

  #stall(to: NodeId, ticket: number, untilMs: number): void {
    const { scheduler } = this.#network
    if (this.state !== 'up' || scheduler.now > untilMs) return
    this.#network.carry(this, to, broadcastOps.taken, encodeMessage('taken', { ticket }))
    scheduler.at(scheduler.now + stallMs, () => this.#stall(to, ticket, untilMs))
  }

  #do(step: () => void, from?: NodeId): void {
    const { observer } = this.#network.options
    if (observer === undefined) step()
    else
      try {
        step()
      } catch (error) {
        observer.thrown(this, error, from)
      }
    this.wake()
  }

  #deliver(batch: Batch): void {
    const key = keyOf(batch)
    const deliveries = this.deliveriesByKey.get(key) ?? []
    this.deliveriesByKey.set(key, deliveries)
    deliveries.push({ at: this.#network.now, hops: this.#hops })
    for (const { payload } of postsOf(batch)) this.texts.push(new TextDecoder().decode(payload))
    this.#network.options.observer?.delivered(this, batch)
  }
}
