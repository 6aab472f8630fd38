import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Section, WaitOptions } from '../circuit/circuit-api.ts'
import type { Identity } from '../identity/identity.ts'
import type { NetworkKey } from '../identity/network-key.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress, Listener, Transport } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Budget } from '../session/budget.ts'
import type { LocalHello } from '../session/hello.ts'
import type { SessionState } from '../session/session.ts'
import type { Connection } from './connection.ts'
import { Connections } from './connections.ts'
import type {
  NodeEventDetails,
  NodeEventName,
  NodeEvents,
  NodeSnapshot,
  NodeStats,
  OpenOptions,
  Peer,
  PeerOptions,
  PlaitNode,
  Service,
  ServiceOptions,
} from './node-api.ts'
import { Opener } from './opener.ts'
import type { PoolLimits } from './pool.ts'
import { Reception } from './reception.ts'
import { Services } from './services.ts'
import { greetingSnapshot, sessionSnapshot } from './snapshot.ts'
import { Sections } from './sections.ts'
import { Stats } from './stats.ts'
import { checkName, formatAddress, formatUrl } from './url.ts'
import { Waiter } from './waiter.ts'

export interface NodeParts {
  readonly identity: Identity
  readonly runtime: Runtime
  readonly limits: Limits
  readonly pool: PoolLimits
  readonly dialTimeoutMs: number
  readonly resumeMs: number
  readonly network: NetworkKey | undefined
  /** Dials. */
  readonly transport: Transport
  readonly hello: Omit<LocalHello, 'addresses'>
  /** Called once, when the node has ended. */
  readonly release: () => void
}

/** How long a graceful close may take. */
const closeTimeoutMs = 5_000
/** So many addresses are told to others. */
const addressesMax = 16

const NodeEventTarget = EventTarget as unknown as new () => NodeEvents

/** One process's presence: joins transports, sessions, circuits and services. */
export class LocalNode extends NodeEventTarget implements PlaitNode {
  readonly id: NodeId
  readonly runtime: Runtime
  readonly limits: Limits
  readonly #parts: NodeParts
  readonly #budget: Budget
  readonly #connections: Connections
  readonly #services: Services
  readonly #reception: Reception
  readonly #opener: Opener
  readonly #stats = new Stats()
  readonly #sections = new Sections()
  readonly #listeners: Listener[] = []
  #listening: readonly LinkAddress[] = []
  #closing: Promise<void> | undefined
  #aborting: ((error: PlaitError) => void) | undefined
  #closedBy: PlaitError | undefined

  constructor(parts: NodeParts) {
    super()
    const { identity, runtime, limits, pool, dialTimeoutMs, resumeMs, network, transport, hello } = parts
    this.id = identity.id
    this.runtime = runtime
    this.limits = limits
    this.#parts = parts
    this.#budget = new Budget(limits.budgetBytes)
    this.#connections = new Connections({
      localId: identity.id,
      limits,
      pool,
      resumeMs,
      network,
      runtime,
      budget: this.#budget,
      sections: this.#sections,
      transport,
      hello: () => ({ ...hello, addresses: this.#listening.slice(0, addressesMax).map(formatAddress) }),
      host: {
        opened: ({ remoteId, dialled }) => {
          this.#stats.sessionsOpened += 1
          this.#dispatch('session', { remoteId, dialled })
        },
        refusal: (remoteId, request) => this.#reception.refusal(remoteId, request),
        arrived: (arrival) => this.#reception.receive(arrival),
        changed: (connection, state, before) => this.#report(connection, state, before),
        ended: ({ remoteId }, error) => {
          this.#stats.sessionsClosed += 1
          this.#dispatch('sessionend', { remoteId, error: isOrderly(error) ? undefined : error })
        },
        refused: (error) => this.#stats.refuse(error),
        gone: (connection) => this.#stats.keep(connection.session.counters),
      },
    })
    this.#services = new Services({
      random: runtime.random,
      open: (source, url, first, options) => this.#opener.open(source, url, first, options),
      url: (service, peerId) => formatUrl({ nodeId: this.id, addresses: this.#listening, service, peerId }),
      again: (arrival) => this.#reception.receive(arrival),
      failed: (service, peerId, error) => this.#dispatch('servicefailed', { service, peerId, error }),
    })
    this.#reception = new Reception(this.#services)
    this.#opener = new Opener({ connections: this.#connections, runtime, dialTimeoutMs })
  }

  sign(statement: Uint8Array): Uint8Array {
    return this.#parts.identity.sign(statement)
  }

  section<Part extends Section>(name: string, create: () => Part): Part {
    return this.#sections.section(name, create)
  }

  get addresses(): readonly string[] {
    return this.#listening.map((address) => formatUrl({ nodeId: this.id, addresses: [address] }))
  }

  /** Listens at one more address. */
  async listen(transport: Transport, address: LinkAddress): Promise<void> {
    const listener = await transport.listen(address, (link) => this.#connections.accept(link))
    this.#listeners.push(listener)
    this.#listening = [...this.#listening, listener.address]
  }

  /** A connection that came in did not become a session. */
  countRefused(error: PlaitError): void {
    this.#stats.refuse(error)
  }

  register(name: string, options: ServiceOptions, service: Service): void {
    this.#check()
    this.#services.register(name, options, service)
  }

  unregister(name: string): void {
    this.#services.unregister(name)
  }

  async start(name: string): Promise<Peer> {
    this.#check()
    const registration = this.#services.find(name)
    if (registration === undefined) {
      throw new PlaitError(
        'UNKNOWN_SERVICE',
        `no service ${JSON.stringify(name)} is registered on this node: register it first`,
      )
    }
    return this.#services.start(registration, undefined)
  }

  async startRemote(address: string, name: string, options: OpenOptions = {}): Promise<string> {
    this.#check()
    checkName(name, 'the name of a service')
    return this.#opener.start(address, name, options)
  }

  peer(name: string, options: PeerOptions = {}): Peer {
    this.#check()
    return this.#services.createPeer(name, options)
  }

  stats(): NodeStats {
    const sessions = [...this.#connections.all].map((connection) => connection.session)
    return { ...this.#stats.read(sessions), sections: this.#sections.read() }
  }

  snapshot(): NodeSnapshot {
    return {
      id: this.id,
      addresses: this.addresses,
      budget: { usedBytes: this.#budget.usedBytes, limitBytes: this.#budget.limitBytes },
      peers: this.#services.peers.all().map((peer) => peer.snapshot()),
      sessions: [
        ...[...this.#connections.all].map(sessionSnapshot),
        ...[...this.#connections.greetings].map(greetingSnapshot),
      ],
    }
  }

  close(options: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#end(options.signal, new PlaitError('NODE_CLOSED', 'this node has been closed'))
    return this.#closing
  }

  abort(reason?: PlaitError): void {
    const error = reason ?? new PlaitError('NODE_CLOSED', 'this node has been aborted')
    this.#closing ??= this.#end(AbortSignal.abort(error), error)
    this.#aborting?.(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Ends everything: in order as far as that goes, then at once. */
  async #end(signal: AbortSignal | undefined, error: PlaitError): Promise<void> {
    this.#closedBy = error
    this.#connections.stop(error)
    const peers = this.#services.peers.all()
    for (const peer of peers) peer.end(error)
    const closes = peers.map((peer) => peer.close())
    if (signal?.aborted !== true) await this.#drain(closes, signal)
    // Until here a session that has lost its link could still find a new one.
    const listeners = Promise.all(this.#listeners.map((listener) => listener.close()))
    this.#connections.abort(error)
    await Promise.all(closes)
    await this.#connections.settled()
    await listeners
    this.#parts.release()
  }

  /** Resolves when peers and sessions have ended in order, or when time or patience is at its end. */
  async #drain(peers: readonly Promise<void>[], signal: AbortSignal | undefined): Promise<void> {
    const waiter = new Waiter<void>({
      timers: this.#parts.runtime.timers,
      signal,
      timeoutMs: closeTimeoutMs,
      timeout: () => new PlaitError('TIMEOUT', 'not everything could be closed in order in time'),
    })
    this.#aborting = (error) => waiter.reject(error)
    const inOrder = async (): Promise<void> => {
      await Promise.all(peers)
      for (const connection of [...this.#connections.all]) connection.close()
      await this.#connections.settled()
      waiter.resolve()
    }
    void inOrder()
    await waiter.promise.catch(() => {})
    this.#aborting = undefined
  }

  #report({ remoteId, session }: Connection, state: SessionState, before: SessionState): void {
    if (state === 'suspect' || state === 'lost') this.#dispatch(state, { remoteId })
    else if (before === 'suspect') this.#dispatch('recovered', { remoteId })
    else if (session.resumes > 0) this.#dispatch('resumed', { remoteId })
  }

  #check(): void {
    if (this.#closedBy !== undefined) throw this.#closedBy
  }

  #dispatch<Name extends NodeEventName>(name: Name, detail: NodeEventDetails[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

/** Ends of a session that one of its nodes has wanted. */
function isOrderly(error: PlaitError): boolean {
  return error.code === 'GOING_AWAY' || error.code === 'NODE_CLOSED'
}
