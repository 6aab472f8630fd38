import { emptyBytes } from '../base/bytes.ts'
import type { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Link, LinkAddress } from '../link/link.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { Handshake } from '../session/handshake.ts'
import type { HandshakeEvents, NetworkProof, Successor } from '../session/handshake.ts'
import type { Hello, LocalHello } from '../session/hello.ts'
import type { Agreement, ResumeClaim } from '../session/resumption.ts'
import { Alarm } from './alarm.ts'
import { Carrier } from './carrier.ts'
import type { CarrierHost } from './carrier.ts'

export interface GreetingOptions {
  readonly localId: NodeId
  readonly hello: LocalHello
  readonly limits: Limits
  readonly runtime: Runtime
  readonly network: NetworkProof | undefined
  readonly link: Link
  /** Where the other node was dialled; absent for a link that was accepted. */
  readonly address: LinkAddress | undefined
  readonly owner: GreetingOwner
}

/** What a greeting tells the table it stands in. */
export interface GreetingOwner {
  /** The other side has said hello: `confirm`, `resume` or `refuse` follow at any time. */
  greeted(greeting: Greeting): void
  /** The other side has said its word, which is not the same as ours. */
  heard(greeting: Greeting): void
  /** Both want the same; returns who takes what comes next, or undefined when there is no such session any more. */
  agreed(greeting: Greeting, agreement: Agreement): Successor | undefined
  /** Once, without a session. The link may still have something to send. */
  failed(greeting: Greeting, error: PlaitError): void
}

/** `confirmed`: this end has said its word. */
export type GreetingPhase = 'greeting' | 'greeted' | 'confirmed' | 'agreed' | 'ended'

/** The other side's word: that it has no session, or which one it wants to go on with. */
export type Word = 'none' | ResumeClaim

/** A link on which two nodes are finding out which session it belongs to. */
export class Greeting implements HandshakeEvents, CarrierHost {
  readonly remoteId: NodeId
  readonly dialled: boolean
  readonly address: LinkAddress | undefined
  readonly handshake: Handshake
  readonly carrier: Carrier
  phase: GreetingPhase = 'greeting'
  hello: Hello | undefined
  word: Word | undefined
  readonly #owner: GreetingOwner
  readonly #alarm: Alarm

  constructor(options: GreetingOptions) {
    const { localId, hello, limits, runtime, network, link, address, owner } = options
    this.remoteId = link.remoteId
    this.dialled = link.dialled
    this.address = address
    this.#owner = owner
    this.carrier = new Carrier(link, runtime, this, this)
    const { binding, dialled, remoteId, elapsedMs = 0 } = link
    const now = runtime.clock.now()
    this.handshake = new Handshake({
      localId,
      remoteId,
      hello,
      limits,
      binding,
      dialled,
      elapsedMs: dialled ? 0 : elapsedMs,
      network,
      now,
      events: this,
    })
    this.#alarm = new Alarm(this.handshake, runtime)
    this.#alarm.arm()
  }

  get remoteAddress(): string {
    return this.carrier.link.remoteAddress
  }

  get chair(): boolean {
    return this.handshake.chair
  }

  /** Which run of its program the other node is; nothing before its hello. */
  get epoch(): Uint8Array {
    return this.hello?.epoch ?? emptyBytes
  }

  /** What a new session on this link is called; both ends know it, and nobody else. */
  get sessionId(): Uint8Array {
    return this.carrier.link.binding.slice(0, 16)
  }

  /** Says ready: a new session, on this link. */
  confirm(): void {
    if (this.phase !== 'greeted' && this.phase !== 'confirmed') return
    this.phase = 'confirmed'
    this.handshake.ready()
  }

  /** Wants to go on with a session over this link. */
  resume(claim: ResumeClaim): void {
    if (this.phase !== 'greeted') return
    this.phase = 'confirmed'
    this.handshake.resume(claim)
  }

  /** Ends it now; the other side is told why. */
  refuse(error: PlaitError): void {
    this.handshake.fail(error)
  }

  /** Like `refuse`; the link ends as soon as that has been said, or soon. */
  abort(error: PlaitError): void {
    this.handshake.fail(error)
    this.carrier.abort(error)
  }

  // What follows is for the handshake and the carrier.

  wake(): void {
    this.carrier.wake()
  }

  greeted(hello: Hello): void {
    this.hello = hello
    this.phase = 'greeted'
    this.#owner.greeted(this)
  }

  heard(claim: ResumeClaim | undefined): void {
    this.word = claim ?? 'none'
    this.#owner.heard(this)
  }

  agreed(agreement: Agreement): Successor | undefined {
    this.phase = 'agreed'
    this.#alarm.cancel()
    return this.#owner.agreed(this, agreement)
  }

  failed(error: PlaitError): void {
    this.phase = 'ended'
    this.#alarm.cancel()
    this.#owner.failed(this, error)
  }

  receive(bytes: Uint8Array): void {
    this.handshake.receive(bytes)
  }

  transmit(): readonly Uint8Array[] {
    return this.handshake.transmit()
  }

  get pending(): boolean {
    return this.handshake.pending
  }

  received(): void {}

  turned(): void {
    const { error } = this.handshake
    if (this.phase !== 'ended' || error === undefined) return
    // Who has said nothing for so long is not waited for to take the last words.
    if (error.code === 'HANDSHAKE_TIMEOUT') this.carrier.abort(error)
    else this.carrier.leave(error)
  }

  closed(error: PlaitError | undefined): void {
    this.handshake.detach(error)
  }
}
