import { PlaitError } from '../base/error.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import { parseNodeId } from '../identity/node-id.ts'
import { verify as verifySignature } from '../identity/signature.ts'
import { Backoff } from '../node/backoff.ts'
import type { PlaitNode } from '../node/node-api.ts'
import { checkName, formatAddress, parseAddress, parseUrl } from '../node/url.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'
import { postsOf, type Batch } from './batch.ts'
import type {
  MemberInfo,
  Publication,
  Shape,
  Subscription,
  TopicMessage,
  Topics,
  TopicsEvents,
  TopicsOptions,
  TopicsSnapshot,
} from './broadcast-api.ts'
import { Broadcaster } from './broadcaster.ts'
import { Exchange } from './exchange.ts'
import { addressesMax, type Member, type MemberStatus } from './membership/member.ts'
import { Outbox } from './outbox.ts'
import { defaultSettings, type BroadcastSettings } from './settings.ts'
import { TopicSection, type TopicStats } from './topic-stats.ts'
import { Subscriptions } from './subscriptions.ts'

/** What was published gets so long to leave when topics are closed. */
const closeMs = 2_000
const sendToMax = 256

/**
 * Makes a node a member of a network in which each publishes to all. Throws `INVALID_ARGUMENT` for a network of which the node is a member
 * already, and `INVALID_ADDRESS`. Close it before the node.
 */
export function topics(node: PlaitNode, options: TopicsOptions): Topics {
  return new NodeTopics(node, options)
}

const TopicsEventTarget = EventTarget as unknown as new () => TopicsEvents & EventTarget

class NodeTopics extends TopicsEventTarget implements Topics {
  readonly network: string
  readonly #runtime: Runtime
  readonly #settings: BroadcastSettings
  readonly #exchange: Exchange
  readonly #broadcaster: Broadcaster
  readonly #outbox: Outbox
  readonly #subscriptions = new Subscriptions((topic, error) => {
    this.dispatchEvent(new CustomEvent('handlerfailed', { detail: { topic, error } }))
  })
  readonly #node: PlaitNode
  readonly #ending = new AbortController()
  readonly #noteLoss = ({ detail }: CustomEvent<{ readonly remoteId: NodeId }>): void => {
    this.#broadcaster.doubt(detail.remoteId, this.#now)
    this.#wake()
  }
  #timer: Timer | undefined
  #timerAt = Infinity
  /** Nothing is done before that. */
  #restUntil = -Infinity
  #closing: Promise<void> | undefined

  constructor(node: PlaitNode, options: TopicsOptions) {
    super()
    const { network = 'main', open, join = [] } = options
    checkName(network, 'the name of a network')
    for (const address of join) parseUrl(address)
    this.network = network
    this.#node = node
    this.#runtime = node.runtime
    this.#settings = { ...defaultSettings, ...options.settings }
    const { runtime } = node
    this.#exchange = new Exchange({
      ...{ node, runtime, network, open },
      addressesOf: (id) => this.#broadcaster.membership.table.find(id)?.addresses ?? [],
      receive: (from, op, payload) => {
        this.#broadcaster.receive(from, op, payload, this.#now)
        this.#wake()
      },
      failed: (id) => {
        this.#broadcaster.failed(id, this.#now)
        this.#wake()
      },
      ready: (id) => {
        this.#broadcaster.ready(id, this.#now)
        this.#wake()
      },
    })
    this.#broadcaster = this.#makeBroadcaster(options)
    this.#outbox = new Outbox({
      bodyBytes: node.limits.broadcastBodyBytes,
      markBytes: node.limits.sendBufferMarkBytes,
      bufferBytes: node.limits.sendBufferBytes,
      endOfTurn: (flush) => runtime.timers.endOfTurn(flush),
      publish: (posts, to, follower) => {
        const batch = this.#broadcaster.publish(posts, to, this.#now, follower)
        this.#wake()
        return batch
      },
    })
    node.addEventListener('lost', this.#noteLoss)
    this.#section.add(network, () => this.#stats())
    void this.#keepJoined(join)
  }

  get members(): readonly MemberInfo[] {
    const { table } = this.#broadcaster.membership
    return table.ring.ids.flatMap((id) => {
      const member = table.find(id)
      return member === undefined ? [] : [infoOf(member)]
    })
  }

  get bufferedBytes(): number {
    return this.#outbox.bufferedBytes
  }

  publish(topic: string, payload: Uint8Array): Publication {
    this.#check(topic)
    return this.#outbox.publish(topic, payload)
  }

  send(to: NodeId | readonly NodeId[], topic: string, payload: Uint8Array): Publication {
    this.#check(topic)
    const ids = [...new Set(typeof to === 'string' ? [to] : to)].map(parseNodeId)
    if (ids.length > sendToMax)
      throw new PlaitError('INVALID_ARGUMENT', `at most ${sendToMax} members; publish what more of them are to get`)
    return this.#outbox.send(ids, topic, payload)
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    if (this.#ending.signal.aborted) throw closed()
    await this.#outbox.ready(options)
  }

  subscribe(topic: string, handler?: (message: TopicMessage) => void): Subscription {
    this.#check(topic)
    return this.#subscriptions.add(topic, handler)
  }

  async joined({ signal }: WaitOptions = {}): Promise<void> {
    const ending = this.#ending.signal
    const end = signal === undefined ? ending : AbortSignal.any([signal, ending])
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (end.aborted) reject(end.reason as Error)
        else if (this.members.length > 1) resolve()
        else return
        end.removeEventListener('abort', look)
        this.removeEventListener('member', look)
      }
      end.addEventListener('abort', look)
      this.addEventListener('member', look)
      look()
    })
  }

  snapshot(): TopicsSnapshot {
    const { counts, held } = this.#broadcaster
    const { connected } = this.#exchange
    return { network: this.network, shape: this.#shape, members: this.members, connected, counts, held }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  get #now(): number {
    return this.#runtime.clock.now()
  }

  get #shape(): Shape {
    const { ring, isWhole } = this.#broadcaster.membership.table
    if (!isWhole) return 'overlay'
    return ring.size <= this.#settings.starMembersMax ? 'star' : 'tree'
  }

  get #section(): TopicSection {
    return this.#node.section('topics', () => new TopicSection())
  }

  #stats(): TopicStats {
    const { counts, held, membership } = this.#broadcaster
    return { ...counts, members: membership.table.ring.size, heldBytes: held.bytes, tasks: held.tasks }
  }

  #makeBroadcaster(options: TopicsOptions): Broadcaster {
    const { clock, random, probe } = this.#runtime
    const addresses =
      options.addresses ?? this.#node.addresses.flatMap((url) => parseUrl(url).addresses.map(formatAddress))
    for (const address of addresses) parseAddress(address)
    return new Broadcaster({
      ...{ self: this.#node.id, network: this.network, random, probe, settings: this.#settings },
      verify: options.verify ?? verifySignature,
      addresses: addresses.slice(0, addressesMax),
      epoch: Math.max(1, Math.floor(clock.wallMs())),
      sign: (statement) => this.#node.sign(statement),
      limits: this.#node.limits,
      port: {
        send: (to, op, payload) => this.#exchange.send(to, op, payload),
        hasWay: (id) => this.#exchange.hasWay(id),
        deliver: (batch) => this.#deliver(batch),
        changed: (member, before) => this.#changed(member, before),
        blame: () => undefined,
      },
    })
  }

  #check(topic: string): void {
    if (this.#ending.signal.aborted) throw closed()
    checkName(topic, 'a topic')
  }

  #deliver(batch: Batch): void {
    if (this.#subscriptions.isEmpty) return
    const { author, isDirect } = batch
    for (const { topic, payload } of postsOf(batch, (topic) => this.#subscriptions.has(topic)))
      this.#subscriptions.hand({ topic, payload, author, isDirect })
  }

  #changed(member: Member, before: MemberStatus | undefined): void {
    this.dispatchEvent(new CustomEvent('member', { detail: { ...infoOf(member), before } }))
  }

  /** Looks after what is due. */
  #wake(): void {
    const deadline = this.#ending.signal.aborted ? undefined : this.#broadcaster.deadline
    if (deadline === undefined) return
    const at = Math.max(deadline, this.#restUntil)
    if (at >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = at
    this.#timer = this.#runtime.timers.after(Math.max(0, at - this.#now), () => this.#run(at), { background: true })
  }

  /** Whoever was busy elsewhere, or asleep, hears first what others have said meanwhile: else it would take them for silent. */
  #run(at: number): void {
    this.#timerAt = Infinity
    this.#timer = undefined
    if (this.#ending.signal.aborted) return
    const lateMs = this.#now - at
    if (lateMs > lateMostMs && at !== this.#restUntil) this.#restUntil = this.#now + Math.min(lateMs, restMostMs)
    else this.#broadcaster.tick(this.#now)
    this.#wake()
  }

  /**
   * Dials those whom it was told of, while none of them is known as a member: also when others are, who may have joined by this node, and
   * have nothing to do with the rest of the network.
   */
  async #keepJoined(addresses: readonly string[]): Promise<void> {
    const { signal } = this.#ending
    const { ring } = this.#broadcaster.membership.table
    const others = addresses.filter((address) => parseUrl(address).nodeId !== this.#node.id)
    const isJoined = (): boolean => others.some((address) => ring.has(parseUrl(address).nodeId))
    let backoff = new Backoff(this.#runtime.random)
    while (others.length > 0 && !signal.aborted) {
      for (const address of others) {
        if (isJoined()) break
        const contact = await this.#exchange.join(address, signal).catch(() => undefined)
        if (contact === undefined) continue
        this.#broadcaster.join(contact)
        this.#wake()
        await this.#pause(joinMs)
      }
      if (isJoined()) backoff = new Backoff(this.#runtime.random)
      await this.#pause(isJoined() ? lookMs : backoff.next())
    }
  }

  #pause(ms: number): Promise<void> {
    const { signal } = this.#ending
    return new Promise((resolve) => {
      const timer = this.#runtime.timers.after(ms, end, { background: true })
      function end(): void {
        timer.cancel()
        signal.removeEventListener('abort', end)
        resolve()
      }
      if (signal.aborted) end()
      else signal.addEventListener('abort', end, { once: true })
    })
  }

  async #close(): Promise<void> {
    const late = new Promise<void>((resolve) => this.#runtime.timers.after(closeMs, resolve))
    await Promise.race([this.#outbox.settled(), late])
    this.#broadcaster.leave(this.#exchange.connected)
    this.#ending.abort(closed())
    this.#timer?.cancel()
    this.#node.removeEventListener('lost', this.#noteLoss)
    this.#section.remove(this.network)
    this.#outbox.fail(closed())
    this.#subscriptions.close()
    await this.#exchange.close()
  }
}

/** So long somebody whom a circuit leads to may take to say who is there. */
const joinMs = 300
const lookMs = 1_000
/** By how much a timer may be late, and for how long to listen first when it was later. */
const lateMostMs = 100
const restMostMs = 2_000

function infoOf({ id, status, incarnation, addresses }: Member): MemberInfo {
  return { id, status, incarnation, addresses }
}

function closed(): PlaitError {
  return new PlaitError('NODE_CLOSED', 'these topics were closed')
}
