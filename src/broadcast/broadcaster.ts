import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { Probe } from '../runtime/probe.ts'
import type { Random } from '../runtime/random.ts'
import { encodeBatch, isSigned, readBatch, type Batch, type Post } from './batch.ts'
import { Membership } from './membership/membership.ts'
import { isPresent, type Member, type MemberStatus } from './membership/member.ts'
import {
  broadcastOps,
  decodeMessage,
  encodeMessage,
  type BroadcastMessages,
  type MessageName,
  type OfferMessage,
  type RelayMessage,
} from './messages.ts'
import { defaultSettings, type BroadcastSettings } from './settings.ts'
import { Archive, keyOf, type Held } from './spread/archive.ts'
import { Authors } from './spread/authors.ts'
import { Repair } from './spread/repair.ts'
import type { Members, SpreadPort } from './spread/spread-port.ts'
import { Spreader, type Follower, type HandedOver } from './spread/spreader.ts'
import type { Order } from './spread/task.ts'

/** What the world does for a broadcaster. */
export interface BroadcasterPort {
  /** Returns whether there is room for more on the way to that member. The payload may be the same for several. */
  send(to: NodeId, op: number, payload: Uint8Array): boolean
  /** Whether a way leads to that member already; always when absent. */
  hasWay?(id: NodeId): boolean
  /** A batch that has not been here before. */
  deliver(batch: Batch): void
  changed(member: Member, before: MemberStatus | undefined): void
  /** A member has sent what cannot be; it is told apart from what only comes too late. */
  blame(from: NodeId, reason: string): void
}

export interface BroadcasterOptions {
  readonly self: NodeId
  /** Batches and members of one network mean nothing in another. */
  readonly network: string
  readonly addresses: readonly string[]
  /** Larger than in any earlier life. */
  readonly epoch: number
  readonly sign: (statement: Uint8Array) => Uint8Array
  readonly verify: Verify
  readonly port: BroadcasterPort
  readonly random: Random
  readonly probe: Probe
  readonly limits: Pick<Limits, 'broadcastHops' | 'broadcastAuthors' | 'broadcastWindow'>
  readonly settings?: Partial<BroadcastSettings>
  /** Instead of those that it finds out about. */
  readonly members?: Members
}

export interface BroadcasterCounts {
  readonly published: number
  readonly delivered: number
  /** Whole batches that have left from here, of any author. */
  readonly bodiesSent: number
  /** Brought again. */
  readonly duplicates: number
  /** Not signed by who is said to be the author. */
  readonly forged: number
  /** Of an epoch that is over. */
  readonly past: number
}

const tasksMax = 4_096
/** Offers whose batch was asked for. */
const pendingMax = 1_024
const pendingMs = 5_000

/**
 * One member of a network in which messages go from each to all: without I/O, clock or promise. It is told what has come, what could not be
 * sent and what the time is, and sends through its port.
 */
export class Broadcaster {
  readonly membership: Membership
  readonly #options: BroadcasterOptions
  readonly #settings: BroadcastSettings
  readonly #authors: Authors
  readonly #archive: Archive
  readonly #spreader: Spreader
  readonly #repair: Repair
  readonly #pendingByKey = new Map<
    string,
    { readonly handed: HandedOver; readonly order: Order; readonly at: number }
  >()
  readonly #counts = { published: 0, delivered: 0, duplicates: 0, forged: 0, past: 0 }
  #epoch: number
  #counter = 0
  #now = 0

  constructor(options: BroadcasterOptions) {
    this.#options = options
    const { self, network, addresses, sign, verify, port, random, probe, limits } = options
    this.#settings = { ...defaultSettings, ...options.settings }
    this.#epoch = options.epoch
    const { archiveMs: lastsMs, archiveBytes: bytesMax, offersMs } = this.#settings
    const settings = this.#settings
    const memberPort = {
      send: this.#send,
      hasWay: (id: NodeId) => port.hasWay?.(id) ?? true,
      changed: (member: Member, before: MemberStatus | undefined) => this.#changed(member, before),
    }
    this.membership = new Membership({
      self,
      network,
      addresses,
      sign,
      verify,
      port: memberPort,
      settings,
      random,
      probe,
    })
    const members = options.members ?? this.membership.table
    this.#authors = new Authors({ authorsMax: limits.broadcastAuthors, windowMax: limits.broadcastWindow })
    this.#archive = new Archive({ lastsMs, bytesMax })
    const spreadPort: SpreadPort = {
      send: this.#send,
      sendEncoded: (to, name, payload) => port.send(to, broadcastOps[name], payload),
      doubt: (id, now) => this.membership.doubt(id, now),
    }
    this.#spreader = new Spreader({
      ...{ members, port: spreadPort, settings, probe, tasksMax },
      hopsMax: limits.broadcastHops,
      firstTicket: random.uint32(),
    })
    this.#repair = new Repair({
      ...{ archive: this.#archive, authors: this.#authors, members, port: spreadPort, random, probe, offersMs },
      mayHave: (to, held) => (held.batch.isDirect ? this.#spreader.isOwed(to, held) : this.#isGenuine(held)),
    })
  }

  get counts(): BroadcasterCounts {
    return { ...this.#counts, bodiesSent: this.#spreader.bodiesSent + this.#repair.bodiesSent }
  }

  /** Bytes of batches that are kept for others, and duties that are not done. */
  get held(): { readonly bytes: number; readonly batches: number; readonly authors: number; readonly tasks: number } {
    const { bytes, size } = this.#archive
    return { bytes, batches: size, authors: this.#authors.size, tasks: this.#spreader.size }
  }

  /** When `tick` has something to do. */
  get deadline(): number | undefined {
    const deadline = Math.min(
      this.membership.deadline ?? Infinity,
      this.#spreader.deadline ?? Infinity,
      this.#repair.deadline ?? Infinity,
    )
    return deadline === Infinity ? undefined : deadline
  }

  /**
   * Publishes in one batch what was published in one turn, or gives it to some members only. The follower hears of each of its ends once,
   * perhaps before this returns.
   */
  publish(posts: readonly Post[], to: readonly NodeId[] | undefined, now: number, follower: Follower): Batch {
    const { self, network, sign } = this.#options
    const id = { author: self, epoch: this.#epoch, counter: (this.#counter += 1) }
    const batch = encodeBatch({ ...id, isDirect: to !== undefined, posts }, { network, sign })
    this.#authors.note(id)
    this.#counts.published += posts.length
    this.#spreader.publish(this.#hold(batch, true, now), to, now, follower)
    return batch
  }

  /** Throws `PROTOCOL` or `LIMIT` for what cannot be read; whoever has sent it is not to be listened to any more. */
  receive(from: NodeId, op: number, payload: Uint8Array, now: number): void {
    const message = decodeMessage(op, payload)
    this.#now = now
    switch (message.name) {
      case 'relay':
        return this.#takeRelay(from, message.value, now)
      case 'offer':
        return this.#takeOffer(from, message.value, now)
      case 'taken':
        return this.#spreader.receiveTaken(from, message.value.ticket, now)
      case 'done':
        return this.#spreader.receiveDone(from, message.value, now)
      case 'past':
        return this.#pass(message.value.epoch)
      case 'have':
        return this.#repair.receiveHave(from, message.value.offers, now)
      case 'want':
        return this.#repair.receiveWant(from, message.value.offers)
      case 'batch': {
        const batch = readBatch(message.value.batch)
        if (this.#look(from, batch) === 'new') this.#take(from, batch, now)
        return
      }
      default:
        return this.membership.receive(from, message, now)
    }
  }

  /** A way leads to a member of the network. */
  join(contact: NodeId): void {
    this.membership.join(contact)
  }

  /** Tells these that it goes, or all. */
  leave(to: Iterable<NodeId> = [...this.membership.table.ring.ids].filter((id) => id !== this.#options.self)): void {
    this.membership.leave(to)
  }

  /** No way leads to a member now, or what was on it is gone. */
  failed(id: NodeId, now: number): void {
    this.#now = now
    this.#authors.doubt(id)
    this.#spreader.fail(id, false, now)
    this.membership.failed(id, now)
  }

  /** Something is wrong with the way to a member; it may be nothing. */
  doubt(id: NodeId, now: number): void {
    this.#authors.doubt(id)
    this.membership.doubt(id, now)
  }

  /** There is room again on the way to a member. */
  ready(id: NodeId, now: number): void {
    this.#spreader.ready(id, now)
  }

  tick(now: number): void {
    this.#now = now
    this.membership.tick(now)
    this.#spreader.tick(now)
    this.#repair.tick(now)
    this.#archive.expire(now)
    for (const [key, { at }] of this.#pendingByKey) {
      if (now - at < pendingMs) break
      this.#pendingByKey.delete(key)
    }
  }

  readonly #send = <Name extends MessageName>(to: NodeId, name: Name, message: BroadcastMessages[Name]): boolean =>
    this.#options.port.send(to, broadcastOps[name], encodeMessage(name, message))

  #changed(member: Member, before: MemberStatus | undefined): void {
    if (!isPresent(member)) this.#spreader.fail(member.id, true, this.#now)
    else if (before === 'dead') this.#repair.greet(member.id)
    this.#options.port.changed(member, before)
  }

  #takeRelay(from: NodeId, message: RelayMessage, now: number): void {
    const batch = readBatch(message.batch)
    const order = { from, ticket: message.ticket }
    const novelty = this.#look(from, batch)
    if (novelty === 'forged') return
    if (novelty === 'past') return this.#spreader.refuse(order)
    if (novelty === 'new' && this.#spreader.isBusy && message.region !== undefined) return
    const held = novelty === 'new' ? this.#take(from, batch, now) : this.#archive.find(batch)
    if (held === undefined) this.#spreader.acknowledge(order)
    else this.#spread(held, message, order, now)
  }

  #takeOffer(from: NodeId, message: OfferMessage, now: number): void {
    const order = { from, ticket: message.ticket }
    const held = this.#archive.find(message)
    if (held !== undefined) return this.#spread(held, message, order, now)
    const novelty = this.#authors.look(message)
    if (novelty === 'past') return this.#spreader.refuse(order)
    if (novelty === 'seen') return this.#spreader.acknowledge(order)
    if (this.#pendingByKey.size >= pendingMax) return
    const { author, epoch, counter } = message
    this.#pendingByKey.set(keyOf(message), { handed: message, order, at: now })
    this.#send(from, 'want', { offers: [{ author, epoch, runs: [{ first: counter, count: 1 }] }] })
  }

  /** Whether a batch is to be taken: the id is looked at first, then the signature, and nothing is remembered of what has none. */
  #look(from: NodeId, batch: Batch): 'new' | 'seen' | 'past' | 'forged' {
    // Of an author who is forgotten something may still be here.
    const novelty = this.#archive.has(batch) ? 'seen' : this.#authors.look(batch)
    if (novelty === 'past') {
      this.#counts.past += 1
      const epoch = this.#authors.epochOf(batch.author)
      if (from === batch.author && epoch !== undefined) this.#send(from, 'past', { epoch })
    } else if (novelty === 'seen') this.#counts.duplicates += 1
    else if (from !== batch.author && !this.#isAcceptable(batch)) {
      this.#counts.forged += 1
      this.#options.probe.sometimes('forged batch refused')
      this.#options.port.blame(from, 'a batch that its author has not signed')
      return 'forged'
    }
    return novelty
  }

  #isAcceptable(batch: Batch): boolean {
    return !batch.isDirect && isSigned(batch, this.#options.network, this.#options.verify)
  }

  #take(from: NodeId, batch: Batch, now: number): Held {
    this.#authors.note(batch, from === batch.author ? now : undefined)
    const held = this.#hold(batch, from !== batch.author, now)
    this.#counts.delivered += batch.postCount
    this.#options.port.deliver(batch)
    const key = keyOf(batch)
    const pending = this.#pendingByKey.get(key)
    if (pending !== undefined) {
      this.#pendingByKey.delete(key)
      this.#spread(held, pending.handed, pending.order, now)
    }
    return held
  }

  /** What came from its author itself may have no signature, and is nothing for others then. */
  #spread(held: Held, handed: HandedOver, order: Order, now: number): void {
    if (handed.region === undefined || held.batch.isDirect || this.#isGenuine(held))
      return this.#spreader.take(held, handed, order, now)
    this.#options.port.blame(order.from, 'a batch that its author has not signed, for others')
    this.#spreader.acknowledge(order)
  }

  #hold(batch: Batch, isVerified: boolean, now: number): Held {
    const held: Held = { batch, takenAt: now, isVerified, isKept: true, regions: [] }
    this.#archive.add(held)
    this.#repair.add(held)
    return held
  }

  #isGenuine(held: Held): boolean {
    held.isVerified ||= isSigned(held.batch, this.#options.network, this.#options.verify)
    return held.isVerified
  }

  /** An earlier life of this node had a larger epoch: its clock was ahead of this one's. What follows is published in a later one. */
  #pass(epoch: number): void {
    if (epoch < this.#epoch || epoch - this.#options.epoch > epochAheadMax) return
    this.#epoch = epoch + 1
    this.#counter = 0
  }
}

/** Epochs are ms of a clock: nobody's was ahead by more than 50 years. */
const epochAheadMax = 50 * 366 * 86_400_000
