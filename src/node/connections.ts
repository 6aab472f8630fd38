import { bytesEqual } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { OpenRequest } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkAddress, Transport } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Budget } from '../session/budget.ts'
import type { NetworkProof, Successor } from '../session/handshake.ts'
import type { LocalHello } from '../session/hello.ts'
import type { Agreement } from '../session/resumption.ts'
import type { SessionState } from '../session/session.ts'
import type { Arrival } from './arrival.ts'
import type { Carrier } from './carrier.ts'
import { Connection } from './connection.ts'
import type { ConnectionOwner } from './connection.ts'
import { Dials } from './dials.ts'
import { Greeting } from './greeting.ts'
import type { GreetingOwner } from './greeting.ts'
import { addressFull, noRoom, pendingFull } from './pool.ts'
import type { Occupant, PoolLimits } from './pool.ts'
import { judge, outlived } from './rivals.ts'
import type { Sections } from './sections.ts'

/** How long a session has to show that it is alive when its other node comes anew. */
const challengeMs = 2_000

export interface ConnectionsOptions {
  readonly localId: NodeId
  readonly limits: Limits
  readonly pool: PoolLimits
  /** How long a session waits for a new link. */
  readonly resumeMs: number
  readonly network: NetworkProof | undefined
  readonly runtime: Runtime
  readonly budget: Budget
  readonly sections: Sections
  readonly hello: () => LocalHello
  /** Dials. */
  readonly transport: Transport
  readonly host: ConnectionsHost
}

/** What the table tells the node. */
export interface ConnectionsHost {
  opened(connection: Connection): void
  /** Why a node does not get the circuit that it asks for, before there is one. */
  refusal(remoteId: NodeId, request: OpenRequest): PlaitError | undefined
  arrived(arrival: Arrival): void
  changed(connection: Connection, state: SessionState, before: SessionState): void
  ended(connection: Connection, error: PlaitError): void
  /** A link came in and no session came of it. */
  refused(error: PlaitError): void
  /** The session has ended, and its link is closed. */
  gone(connection: Connection): void
}

export interface ConnectTarget {
  readonly nodeId: NodeId
  readonly addresses: readonly LinkAddress[]
}

/** The sessions of a node, one for each other node, and the links that lead to new ones or back to them. */
export class Connections implements ConnectionOwner, GreetingOwner {
  /** Sessions that live, and those that are ending; the oldest first. */
  readonly all: Set<Connection> = new Set()
  /** Links on which no session has been agreed on; the oldest first. */
  readonly greetings: Set<Greeting> = new Set()
  readonly #options: ConnectionsOptions
  readonly #liveById = new Map<NodeId, Connection>()
  readonly #carriers = new Set<Carrier>()
  readonly #dials: Dials
  #closedBy: PlaitError | undefined

  constructor(options: ConnectionsOptions) {
    this.#options = options
    this.#dials = new Dials({
      transport: options.transport,
      runtime: options.runtime,
      greet: (link, address) => this.#create(link, address),
      giveUp: (greeting) => {
        if (greeting.phase === 'greeting' || greeting.phase === 'greeted')
          greeting.refuse(new PlaitError('GOING_AWAY', 'the dialler has given up'))
      },
    })
  }

  /** The session with a node, if there is one. */
  session(nodeId: NodeId): Connection | undefined {
    return this.#liveById.get(nodeId)
  }

  /**
   * The session with a node; there is one already, or one is made. Rejects with `SELF_DIAL`, `TOO_MANY_SESSIONS`, `UNREACHABLE`
   * after `timeoutMs`, with what makes trying again useless, with `NODE_CLOSED`, or with the signal's reason.
   */
  async connect(target: ConnectTarget, timeoutMs: number, signal: AbortSignal | undefined): Promise<Connection> {
    signal?.throwIfAborted()
    const { nodeId, addresses } = target
    if (this.#closedBy !== undefined) throw this.#closedBy
    if (nodeId === this.#options.localId) {
      throw new PlaitError('SELF_DIAL', 'this is the URL of the node itself: a node does not connect to itself')
    }
    const live = this.#liveById.get(nodeId)
    if (live !== undefined) return live
    if (!this.#dials.has(nodeId)) this.#checkOutbound(target)
    return this.#dials.wait(nodeId, addresses, timeoutMs, signal)
  }

  /** Takes a link that another node has dialled. */
  accept(link: Link): void {
    const { limits, localId } = this.#options
    const crowd = pendingFull(this.greetings, link.remoteAddress, limits)
    if (crowd?.oldest !== undefined) crowd.oldest.refuse(crowd.error)
    const greeting = this.#create(link, undefined)
    if (link.remoteId === localId) greeting.refuse(new PlaitError('SELF_DIAL', 'a node does not connect to itself'))
    else if (crowd !== undefined && crowd.oldest === undefined) greeting.refuse(crowd.error)
  }

  /** No new sessions from now on; what is there may go on over new links until it is closed. */
  stop(error: PlaitError): void {
    this.#closedBy ??= error
    this.#dials.stop(error, (nodeId) => this.#liveById.has(nodeId))
    for (const greeting of [...this.greetings])
      if (!this.#liveById.has(greeting.remoteId)) greeting.refuse(this.#closedBy)
  }

  /** Ends everything at once. */
  abort(error: PlaitError): void {
    this.#dials.stop(error, () => false)
    for (const greeting of [...this.greetings]) greeting.abort(error)
    for (const connection of [...this.all]) connection.abort(error)
  }

  /** Resolves when every link has closed. */
  async settled(): Promise<void> {
    await Promise.all([...this.all].map((connection) => connection.gone))
    await Promise.all([...this.#carriers].map((carrier) => carrier.gone))
  }

  greeted(greeting: Greeting): void {
    for (const rival of outlived(greeting, this.greetings)) rival.abort(restarted(greeting.remoteId))
    this.#decide(greeting)
  }

  heard(greeting: Greeting): void {
    const { chair, phase, word, remoteId } = greeting
    if (chair) {
      if (phase === 'greeted') this.#decide(greeting)
      return
    }
    if (word !== 'none') return
    // The chair knows nothing of the session that this end wanted to go on with.
    this.#liveById.get(remoteId)?.abort(forgotten(remoteId))
    if (this.#closedBy === undefined) greeting.confirm()
    else greeting.refuse(this.#closedBy)
  }

  agreed(greeting: Greeting, agreement: Agreement): Successor | undefined {
    const { remoteId, address } = greeting
    const present = this.#liveById.get(remoteId)
    const isNew = agreement.kind === 'new'
    if (!isNew && (present === undefined || !bytesEqual(present.sessionId, agreement.said.sessionId))) return undefined
    this.greetings.delete(greeting)
    if (isNew) present?.abort(forgotten(remoteId))
    const connection = isNew ? this.#begin(greeting) : (present as Connection)
    const successor = connection.attach(greeting, agreement)
    for (const other of [...this.greetings]) if (other.remoteId === remoteId) other.refuse(duplicate())
    if (isNew) this.#options.host.opened(connection)
    this.#dials.succeed(remoteId, connection, address)
    return successor
  }

  failed(greeting: Greeting, error: PlaitError): void {
    this.greetings.delete(greeting)
    if (greeting.handshake.resuming) this.#options.runtime.probe.sometimes('resume cut during RESUME')
    this.#dials.failed(greeting, error)
    if (!greeting.dialled) this.#options.host.refused(error)
  }

  refusal(remoteId: NodeId, request: OpenRequest): PlaitError | undefined {
    return this.#options.host.refusal(remoteId, request)
  }

  arrived(arrival: Arrival): void {
    this.#options.host.arrived(arrival)
  }

  changed(connection: Connection, state: SessionState, before: SessionState): void {
    const { remoteId, dialled } = connection
    if (state === 'lost') {
      this.#dials.redial(remoteId, connection.knownAddresses(), { first: dialled, forMs: this.#options.resumeMs })
    }
    this.#options.host.changed(connection, state, before)
  }

  ended(connection: Connection, error: PlaitError): void {
    const { remoteId } = connection
    if (this.#liveById.get(remoteId) === connection) {
      this.#liveById.delete(remoteId)
      this.#dials.giveUpRedial(remoteId)
    }
    this.#options.host.ended(connection, error)
  }

  /** Throws when there is no room for a session more, or no way to it. */
  #checkOutbound({ nodeId, addresses }: ConnectTarget): void {
    const { pool } = this.#options
    if (this.#dials.order(nodeId, addresses).length === 0) {
      throw new PlaitError('UNREACHABLE', `there is no session with ${nodeId}, and its URL names no address to dial`)
    }
    let outbound = this.#dials.size
    for (const connection of this.#liveById.values()) if (connection.dialled) outbound += 1
    if (outbound < pool.maxOutbound && this.#liveById.size < pool.sessions) return
    const facts = { limit: Math.min(pool.maxOutbound, pool.sessions) }
    const what = `${outbound} sessions or dials of this node are open: close some first, or raise maxOutbound`
    throw new PlaitError('TOO_MANY_SESSIONS', what, { facts })
  }

  #create(link: Link, address: LinkAddress | undefined): Greeting {
    const { localId, limits, runtime, network, hello } = this.#options
    const greeting = new Greeting({ localId, hello: hello(), limits, runtime, network, link, address, owner: this })
    this.greetings.add(greeting)
    const { carrier } = greeting
    this.#carriers.add(carrier)
    void carrier.gone.then(() => this.#carriers.delete(carrier))
    return greeting
  }

  #begin(greeting: Greeting): Connection {
    const { localId, limits, resumeMs, budget, runtime, host, sections } = this.#options
    const connection = new Connection({ localId, limits, resumeMs, budget, runtime, sections, greeting, owner: this })
    this.all.add(connection)
    this.#liveById.set(connection.remoteId, connection)
    void connection.gone.then(() => {
      this.all.delete(connection)
      host.gone(connection)
    })
    return connection
  }

  /** What becomes of a link: the chair says which one is used, and the other node says what it has. */
  #decide(greeting: Greeting): void {
    const { remoteId } = greeting
    const present = this.#liveById.get(remoteId)
    switch (judge(greeting, this.greetings, present)) {
      case 'confirm': {
        const full = this.#closedBy ?? this.#full(greeting)
        if (full === undefined) greeting.confirm()
        else greeting.refuse(full)
        return
      }
      case 'resume':
        if (present !== undefined) greeting.resume(present.claim())
        return
      case 'wait':
        return
      case 'refuse':
        this.#options.runtime.probe.sometimes('dialled at once from both sides')
        greeting.refuse(duplicate())
        return
      case 'restarted':
        if ((present?.session.unacknowledgedBytes ?? 0) > 0)
          this.#options.runtime.probe.sometimes('epoch changed with bytes in flight')
        present?.abort(restarted(remoteId))
        this.#decide(greeting)
        return
      case 'forgotten':
        present?.abort(forgotten(remoteId))
        this.#decide(greeting)
        return
      case 'challenge':
        present?.challenge(challengeMs, (alive) => this.#challenged(greeting, present, alive))
        return
    }
  }

  #challenged(greeting: Greeting, rival: Connection, alive: boolean): void {
    if (greeting.phase !== 'greeted') return
    if (alive && rival.linked) {
      this.#options.runtime.probe.sometimes('dialled at once from both sides')
      greeting.refuse(duplicate())
      return
    }
    rival.abort(forgotten(greeting.remoteId))
    this.#decide(greeting)
  }

  /**
   * Why there is no room for the session of a link, once all have made room that have nothing to come back to; at last even those whose
   * other end may not have heard how its circuits have ended: it need only never say so, to be kept.
   */
  #full(greeting: Greeting): PlaitError | undefined {
    if (greeting.dialled) return undefined
    let full = this.#crowded(greeting)
    for (const isHeard of [true, false]) {
      if (full === undefined) return undefined
      for (const connection of [...this.#liveById.values()])
        if (connection.vacant && connection.heard === isHeard) connection.abort(forgotten(connection.remoteId))
      full = this.#crowded(greeting)
    }
    return full
  }

  #crowded(greeting: Greeting): PlaitError | undefined {
    const { pool, limits } = this.#options
    const confirmed = [...this.greetings].filter((other) => other !== greeting && other.phase === 'confirmed')
    const occupants: Occupant[] = [...this.#liveById.values(), ...confirmed]
    return noRoom(occupants, greeting, pool) ?? addressFull(occupants, greeting, limits)
  }
}

function duplicate(): PlaitError {
  return new PlaitError('DUPLICATE', 'another link between the two nodes was first: use its session')
}

function restarted(remoteId: NodeId): PlaitError {
  return new PlaitError('PEER_RESTARTED', `${remoteId} has been started anew`)
}

function forgotten(remoteId: NodeId): PlaitError {
  return new PlaitError('LINK_LOST', `the link to ${remoteId} was lost, and the other side has given the session up`)
}
