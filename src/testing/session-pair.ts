import type { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { silentProbe } from '../runtime/probe.ts'
import type { Probe } from '../runtime/probe.ts'
import { Budget } from '../session/budget.ts'
import type { Channel } from '../session/channel.ts'
import { Handshake } from '../session/handshake.ts'
import type { HandshakeEvents, NetworkProof, Successor } from '../session/handshake.ts'
import type { Hello } from '../session/hello.ts'
import type { Agreement, ResumeClaim } from '../session/resumption.ts'
import { Session } from '../session/session.ts'
import type { SessionEvents, SessionState } from '../session/session.ts'
import { Lent } from './lent.ts'

/** How two sessions are joined, and what they are made with. */
export interface SessionPairOptions {
  /** Of both ends. */
  readonly limits?: Partial<Limits>
  readonly probe?: Probe
  /** Memory for large fragments; it need not be cleared. */
  readonly allocate?: (bytes: number) => Uint8Array
  /** How long a session outlives its link, in virtual milliseconds. 30,000 when absent. */
  readonly resumeMs?: number
  /** How many bytes each transmission may take; less than a frame makes every one a turn of its own. */
  readonly roomBytes?: number
  /** The budget of a node with more sessions than this one. */
  readonly budget?: Budget
  /** Changes or splits what travels, for hostile and awkward links. Returns the chunks in which the bytes arrive. */
  readonly wire?: (bytes: Uint8Array, from: SessionEnd) => readonly Uint8Array[]
  /** The private network of each end. */
  readonly networks?: { readonly left?: NetworkProof; readonly right?: NetworkProof }
}

/** What is overwritten with this was lent, and the time for that is over. */
const scribble = 0xdb

interface EndLink {
  readonly binding: Uint8Array
  readonly dialled: boolean
  readonly epoch: Uint8Array
  readonly network?: NetworkProof | undefined
}

/** One end: the handshake of its present link, then a session, with what they have told their shell. */
export class SessionEnd implements SessionEvents, HandshakeEvents {
  /** What a node would hold for all its sessions. */
  readonly budget: Budget
  /** Circuits that the other end has asked for, in order. */
  readonly offers: { readonly channel: Channel; readonly body: Uint8Array }[] = []
  /** Every state that the session has come to, in order. */
  readonly states: SessionState[] = []
  /** Why the handshake failed or the session ended, once it has. */
  error: PlaitError | undefined
  /** There is something to transmit, or there may be. */
  awake = false
  /** Why an OPEN is refused before there is a channel; without it none is. */
  onRefusal: ((body: Uint8Array) => PlaitError | undefined) | undefined
  /** Called for each offer; without it offers only collect. */
  onOffer: ((channel: Channel, body: Uint8Array) => void) | undefined
  readonly #localId: NodeId
  readonly #remoteId: NodeId
  readonly #options: SessionPairOptions
  readonly #limits: Limits
  #now = 0
  #binding: Uint8Array = new Uint8Array(0)
  #handshake: Handshake | undefined
  #session: Session | undefined
  #lent = new Lent()

  constructor(localId: NodeId, remoteId: NodeId, options: SessionPairOptions) {
    this.#localId = localId
    this.#remoteId = remoteId
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
    this.budget = options.budget ?? new Budget(this.#limits.budgetBytes)
  }

  /** The session; to be asked for when both sides are ready. */
  get session(): Session {
    if (this.#session === undefined) throw new Error('there is no session yet')
    return this.#session
  }

  /** The latest handshake, until it has led to a session. */
  get handshake(): Handshake | undefined {
    return this.#handshake
  }

  /** A link has come: says hello over it. */
  link({ binding, dialled, epoch, network }: EndLink, now: number): void {
    this.#now = now
    this.#binding = binding
    this.awake = true
    this.#handshake = new Handshake({
      localId: this.#localId,
      remoteId: this.#remoteId,
      hello: { epoch, agent: 'pair', addresses: [] },
      limits: this.#limits,
      binding,
      dialled,
      network,
      events: this,
      now,
    })
  }

  /** The link is gone. */
  unlink(now: number): void {
    this.#now = now
    this.#handshake?.detach(undefined)
    this.#handshake = undefined
    this.#session?.detach(undefined, now)
    this.#lent.recheck()
  }

  receive(bytes: Uint8Array, now: number): void {
    this.#now = now
    if (this.#handshake === undefined) this.#session?.receive(bytes, now)
    else this.#handshake.receive(bytes)
    this.#lent.release(this.#session?.framesAcknowledged ?? 0)
  }

  transmit(roomBytes: number, now: number): readonly Uint8Array[] {
    if (this.#handshake !== undefined) return this.#handshake.transmit()
    const chunks = this.#session?.transmit(roomBytes, now) ?? []
    this.#lent.add(chunks, this.#session?.framesSent ?? 0)
    return chunks
  }

  get pending(): boolean {
    return this.#handshake === undefined && this.#session?.pending === true
  }

  get deadline(): number {
    const handshake = this.#handshake?.error === undefined ? this.#handshake?.deadline : undefined
    return Math.min(handshake ?? Infinity, this.#session?.deadline ?? Infinity)
  }

  tick(now: number): void {
    this.#now = now
    this.#handshake?.tick(now)
    this.#session?.tick(now)
  }

  wake(): void {
    this.awake = true
  }

  flush(): void {
    this.awake = true
  }

  /** The chair waits for the other's word when it has a session; the other one says at once what it has. */
  greeted(): void {
    const session = this.#living
    if (session === undefined) this.#handshake?.ready()
    else if (!session.chair) this.#handshake?.resume(session.claim())
  }

  heard(claim: ResumeClaim | undefined): void {
    const session = this.#living
    if (session === undefined) {
      // READY has been said already, and the other side will say it too.
      return
    }
    if (claim !== undefined && session.chair) this.#handshake?.resume(session.claim())
    else this.#handshake?.ready()
  }

  agreed(agreement: Agreement): Successor | undefined {
    const handshake = this.#handshake as Handshake
    const resumes = agreement.kind === 'resumed'
    if (resumes && this.#living === undefined) return undefined
    const session = resumes ? this.session : this.#begin(handshake.hello as Hello)
    session.attach(handshake, agreement, this.#now)
    this.#handshake = undefined
    return session.receiver
  }

  failed(error: PlaitError): void {
    if (this.#session === undefined) this.error = error
  }

  refusal(body: Uint8Array): PlaitError | undefined {
    return this.onRefusal?.(body)
  }

  offer(channel: Channel, body: Uint8Array): void {
    this.offers.push({ channel, body })
    this.onOffer?.(channel, body)
  }

  changed(state: SessionState): void {
    this.states.push(state)
  }

  ended(error: PlaitError): void {
    this.error = error
    this.awake = true
  }

  get #living(): Session | undefined {
    return this.#session?.state === 'closed' ? undefined : this.#session
  }

  #begin(hello: Hello): Session {
    this.#session = new Session({
      id: this.#binding.slice(0, 16),
      localId: this.#localId,
      remoteId: this.#remoteId,
      hello,
      limits: this.#limits,
      resumeMs: this.#options.resumeMs ?? 30_000,
      budget: this.budget,
      probe: this.#options.probe ?? silentProbe,
      allocate: this.#options.allocate,
      events: this,
    })
    this.#lent = new Lent()
    scribbleOnReuse(this.#session)
    return this.#session
  }
}

/** Large fragments that were only lent are overwritten at once, not when the next one needs their memory. */
function scribbleOnReuse({ reservations }: Session): void {
  const recycle = reservations.recycle.bind(reservations)
  reservations.recycle = (buffer) => {
    buffer.fill(scribble)
    recycle(buffer)
  }
}

/** Two sessions joined without a link, on virtual time: `step` carries what waits, `run` jumps to the next deadline. */
export class SessionPair {
  /** Virtual milliseconds since the beginning. */
  now = 0
  readonly left: SessionEnd
  readonly right: SessionEnd
  readonly #options: SessionPairOptions
  #links = 0
  #joined = true

  constructor(options: SessionPairOptions = {}) {
    this.#options = options
    const [low, high] = ['a', 'b'] as [NodeId, NodeId]
    this.left = new SessionEnd(low, high, options)
    this.right = new SessionEnd(high, low, options)
    this.relink()
  }

  /** Both ends lose the link, and what is on its way is lost with it. */
  cut(): void {
    this.#joined = false
    this.left.unlink(this.now)
    this.right.unlink(this.now)
  }

  /** A new link between the two, dialled by the left one. */
  relink(): void {
    this.#links += 1
    this.#joined = true
    const binding = new Uint8Array(32).fill(this.#links + 6)
    const { networks } = this.#options
    this.left.link({ binding, dialled: true, epoch: new Uint8Array(16).fill(1), network: networks?.left }, this.now)
    this.right.link({ binding, dialled: false, epoch: new Uint8Array(16).fill(2), network: networks?.right }, this.now)
  }

  /** Carries bytes both ways until neither side has anything to say at this instant. */
  settle(): void {
    while (this.step());
  }

  /** One transmission of each side that is awake; false when both are asleep. */
  step(): boolean {
    const left = this.#carry(this.left, this.right)
    const right = this.#carry(this.right, this.left)
    return left || right
  }

  /** Lets `elapsedMs` of virtual time pass, stopping at every deadline on the way. */
  run(elapsedMs: number): void {
    const end = this.now + elapsedMs
    do this.settle()
    while (this.jump(end))
    this.now = end
  }

  /** Goes to the next deadline and lets it be noticed; false when there is none until `endMs`. */
  jump(endMs: number): boolean {
    const next = Math.min(this.left.deadline, this.right.deadline)
    if (next > endMs) return false
    this.now = Math.max(this.now, next)
    this.left.tick(this.now)
    this.right.tick(this.now)
    return true
  }

  #carry(from: SessionEnd, to: SessionEnd): boolean {
    if (!from.awake || !this.#joined) return false
    from.awake = false
    const chunks = from.transmit(this.#options.roomBytes ?? 256 * 1024, this.now)
    if (from.pending && chunks.length > 0) from.awake = true
    for (const chunk of chunks) {
      const arriving = this.#options.wire?.(chunk, from) ?? [new Uint8Array(chunk)]
      for (const bytes of arriving) {
        to.receive(bytes, this.now)
        bytes.fill(scribble)
      }
    }
    return true
  }
}
