import { PlaitError } from '../base/error.ts'
import type { ErrorCode } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { CircuitContext } from '../circuit/circuit-api.ts'
import type { ChannelCircuit } from '../circuit/circuit.ts'
import { Offer, openCircuit } from '../circuit/offer.ts'
import { decodeOpen } from '../circuit/open.ts'
import type { OpenRequest } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { LinkAddress } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'
import type { Budget } from '../session/budget.ts'
import type { Channel } from '../session/channel.ts'
import type { Successor } from '../session/handshake.ts'
import type { Hello } from '../session/hello.ts'
import type { Agreement, ResumeClaim } from '../session/resumption.ts'
import { Session } from '../session/session.ts'
import type { SessionState } from '../session/session.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { Alarm } from './alarm.ts'
import { Arrival } from './arrival.ts'
import type { Carrier, CarrierHost } from './carrier.ts'
import type { Greeting } from './greeting.ts'
import { reachableAddresses } from './reachable.ts'
import { Seat } from './seat.ts'
import type { Sections } from './sections.ts'
import type { SeatHost } from './seat.ts'
import { formatUrl } from './url.ts'

/** Ends of a session whose link leads nowhere. */
const deadCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['LINK_LOST', 'PEER_RESTARTED'])

export interface ConnectionOptions {
  readonly localId: NodeId
  readonly limits: Limits
  readonly resumeMs: number
  readonly budget: Budget
  readonly runtime: Runtime
  readonly sections: Sections
  /** The link on which the session begins. */
  readonly greeting: Greeting
  readonly owner: ConnectionOwner
}

/** What a connection tells the table it stands in. */
export interface ConnectionOwner {
  /** Why a node does not get the circuit that it asks for, before there is one. */
  refusal(remoteId: NodeId, request: OpenRequest): PlaitError | undefined
  arrived(arrival: Arrival): void
  changed(connection: Connection, state: SessionState, before: SessionState): void
  /** Once. The link may still have something to send; see `gone`. */
  ended(connection: Connection, error: PlaitError): void
}

/** A session, and the link that it runs over at the time, if any: the only place that knows both. */
export class Connection implements SeatHost, CarrierHost {
  readonly remoteId: NodeId
  /** This node has dialled the first link: it is the one to dial the next. */
  readonly dialled: boolean
  /** Where the other node was dialled; absent when it has dialled every link. */
  address: LinkAddress | undefined
  readonly session: Session
  readonly context: CircuitContext
  /** Where the last link came from or led to. */
  remoteAddress: string
  /** Ends as soon as all is said. */
  closing = false
  /** Resolves when the session has ended and its last link has closed. */
  readonly gone: Promise<void>
  readonly #runtime: Runtime
  readonly #owner: ConnectionOwner
  readonly #alarm: Alarm
  readonly #challengers: ((alive: boolean) => void)[] = []
  #carrier: Carrier | undefined
  #challengeTimer: Timer | undefined
  #markGone: (() => void) | undefined
  #remoteAddresses: readonly LinkAddress[] | undefined

  constructor(options: ConnectionOptions) {
    const { greeting, localId, limits, resumeMs, budget, runtime, sections, owner } = options
    this.remoteId = greeting.remoteId
    this.dialled = greeting.dialled
    this.address = greeting.address
    this.remoteAddress = greeting.remoteAddress
    this.#runtime = runtime
    this.#owner = owner
    this.context = {
      localId,
      remoteId: greeting.remoteId,
      sessionId: greeting.sessionId,
      runtime,
      limits,
      section: (name, create) => sections.section(name, create),
    }
    this.gone = new Promise((resolve) => {
      this.#markGone = resolve
    })
    this.session = new Session({
      id: greeting.sessionId,
      localId,
      remoteId: greeting.remoteId,
      hello: greeting.hello as Hello,
      limits,
      resumeMs,
      budget,
      probe: runtime.probe,
      allocate: runtime.allocate,
      events: {
        wake: () => this.#carrier?.wake(),
        flush: () => this.#carrier?.flush(),
        refusal: (body) => this.#refusal(body),
        offer: (channel, body) => this.#offered(channel, body),
        changed: (state, before) => this.#changed(state, before),
        ended: (error) => this.#ended(error),
      },
    })
    this.#alarm = new Alarm(this.session, runtime)
  }

  get chair(): boolean {
    return this.session.chair
  }

  get hello(): Hello {
    return this.session.hello
  }

  /** Which run of its program the other node is. */
  get epoch(): Uint8Array {
    return this.session.hello.epoch
  }

  get sessionId(): Uint8Array {
    return this.session.id
  }

  get live(): boolean {
    return this.session.state !== 'closed'
  }

  /** It has lost its link, and there is no circuit that waits for another one. */
  get vacant(): boolean {
    return this.session.state === 'lost' && this.session.channelsByNumber.size === 0
  }

  /** Nothing was said that the other end may not have heard: how a circuit has ended, for one. */
  get heard(): boolean {
    return this.session.drained
  }

  /** It has a link, as far as is known here. */
  get linked(): boolean {
    return this.#carrier !== undefined
  }

  /** What this end says of the session on a new link. */
  claim(): ResumeClaim {
    return this.session.claim()
  }

  /** The session goes on, or begins, over the link of a greeting; one that it had before is let go of. */
  attach(greeting: Greeting, agreement: Agreement): Successor {
    const previous = this.#carrier
    const { carrier } = greeting
    this.#carrier = carrier
    this.remoteAddress = greeting.remoteAddress
    if (greeting.address !== undefined) this.address = greeting.address
    this.#remoteAddresses = undefined
    carrier.hand(this.session, this)
    this.session.attach(greeting.handshake, agreement, this.#runtime.clock.now())
    previous?.hand(silence, deaf)
    previous?.link.abort(new PlaitError('LINK_LOST', 'a newer link has taken the place of this one'))
    this.#alarm.arm()
    return this.session.receiver
  }

  /** Ends the session when all circuits are closed and all that was sent is acknowledged. */
  close(): void {
    this.closing = true
    if (this.#carrier === undefined) this.#closeDrained()
    else this.#carrier.wake()
  }

  /** Ends the session now, and the link as soon as the other side has been told why, if that takes no time worth waiting for. */
  abort(error: PlaitError): void {
    const carrier = this.#carrier
    this.session.fail(error)
    carrier?.abort(error)
  }

  /** Asks the other side for a sign of life; `then` is told whether one came within `timeoutMs`. */
  challenge(timeoutMs: number, then: (alive: boolean) => void): void {
    this.#challengers.push(then)
    if (this.#challengeTimer !== undefined) return
    this.#challengeTimer = this.#runtime.timers.after(timeoutMs, () => this.#answer(false), { background: true })
    this.session.challenge(this.#runtime.clock.now())
    this.#carrier?.wake()
  }

  /** Opens a circuit; `first` travels with the request. Throws what ended the session, or `BUSY` when it has too many circuits. */
  open(seat: Seat, request: OpenRequest, first: FragmentFields | undefined): ChannelCircuit {
    return openCircuit(this.session, seat, request, first)
  }

  /** URL of a peer at the other end. */
  remoteUrl(service: string, peerId: string): string {
    const addresses = (this.#remoteAddresses ??= this.knownAddresses())
    if (service === '') return formatUrl({ nodeId: this.remoteId, addresses })
    return formatUrl({ nodeId: this.remoteId, addresses, service, ...(peerId === '' ? {} : { peerId }) })
  }

  /** Where the other node can be dialled. */
  knownAddresses(): readonly LinkAddress[] {
    return this.address === undefined ? reachableAddresses(this.hello.addresses, this.remoteAddress) : [this.address]
  }

  // What follows is for the carrier.

  received(): void {
    if (this.#challengeTimer !== undefined) this.#answer(true)
    if (this.closing) this.#carrier?.wake()
    this.#alarm.arm()
  }

  turned(): void {
    if (this.closing) this.#closeDrained()
    if (this.live) this.#alarm.arm()
  }

  closed(error: PlaitError | undefined): void {
    this.#carrier = undefined
    this.session.detach(error, this.#runtime.clock.now())
    if (!this.live) this.#markGone?.()
  }

  #closeDrained(): void {
    if (this.live && this.session.drained)
      this.session.fail(new PlaitError('GOING_AWAY', 'the other node has been closed'))
  }

  #changed(state: SessionState, before: SessionState): void {
    if (state === 'lost') {
      const carrier = this.#carrier
      this.#carrier = undefined
      // The silence of a link is known here only: the other end may still believe in it.
      carrier?.hand(silence, deaf)
      carrier?.link.abort(new PlaitError('LINK_LOST', `the link to ${this.remoteId} was lost`))
      this.#alarm.arm()
      if (this.closing) this.#closeDrained()
      if (!this.live) return
    }
    this.#owner.changed(this, state, before)
  }

  #refusal(body: Uint8Array): PlaitError | undefined {
    try {
      return this.#owner.refusal(this.remoteId, decodeOpen(body))
    } catch (error) {
      return PlaitError.from(error, 'PROTOCOL')
    }
  }

  #offered(channel: Channel, body: Uint8Array): void {
    const seat = new Seat(this)
    const offer = new Offer(channel, body, () => seat)
    this.#owner.arrived(new Arrival(this.remoteId, offer, seat))
  }

  #ended(error: PlaitError): void {
    this.#alarm.cancel()
    this.#owner.ended(this, error)
    this.#answer(false)
    const carrier = this.#carrier
    if (carrier === undefined) this.#markGone?.()
    else this.#runtime.timers.endOfTurn(() => leave(carrier, error))
  }

  #answer(alive: boolean): void {
    this.#challengeTimer?.cancel()
    this.#challengeTimer = undefined
    for (const then of this.#challengers.splice(0)) then(alive)
  }
}

/** Says goodbye and lets go of the link. */
function leave(carrier: Carrier, error: PlaitError): void {
  if (!deadCodes.has(error.code)) {
    carrier.leave(error)
    return
  }
  carrier.flush()
  carrier.link.abort(error)
}

/** Speaks over a link that nobody needs any more. */
const silence = { receive: () => {}, transmit: () => [], pending: false }
const deaf: CarrierHost = { received() {}, turned() {}, closed() {} }
