import { assert } from '../base/assert.ts'
import { bytesEqual } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { FrameDecoder } from '../wire/decoder.ts'
import type { FrameSink } from '../wire/decoder.ts'
import { decodeError } from '../wire/error.ts'
import { frameTypes, headerBytes } from '../wire/frame.ts'
import { frameOf, goAway } from './farewell.ts'
import { decodeHello, encodeHello } from './hello.ts'
import type { Hello, LocalHello } from './hello.ts'
import { decodeResume, encodeResume } from './resumption.ts'
import type { Agreement, ResumeClaim } from './resumption.ts'

/** What the handshake wants of its shell. Called in the middle of other calls. */
export interface HandshakeEvents {
  /** There is something to transmit: call `transmit` when the turn ends. */
  wake(): void
  /** The other side's HELLO is fine. The shell says its word when it likes: `ready`, `resume` or `fail`. */
  greeted(hello: Hello): void
  /** The other side has said its word, and that is no agreement yet: it has no session (READY), or wants to go on with one. */
  heard(claim: ResumeClaim | undefined): void
  /** Both have said the same. Returns who takes what comes next, or undefined when there is no such session any more. */
  agreed(agreement: Agreement): Successor | undefined
  /** Over without an agreement, once and last: transmit what is left, then close the link. */
  failed(error: PlaitError): void
}

/** Takes the frames that follow the last word of the handshake. */
export interface Successor extends FrameSink {
  /** What came cannot be understood. */
  fail(error: PlaitError): void
}

export interface HandshakeOptions {
  readonly localId: NodeId
  readonly remoteId: NodeId
  readonly hello: LocalHello
  readonly limits: Limits
  /** 32 bytes that only the two ends of this link have. */
  readonly binding: Uint8Array
  readonly dialled: boolean
  /** What the transport has used up of the time until ready, in ms. */
  readonly elapsedMs?: number
  /** The private network that both must be in. */
  readonly network?: NetworkProof | undefined
  readonly events: HandshakeEvents
  readonly now: number
}

/** Knows the key of a private network: proves that, for one role on one channel, and checks the other's proof. */
export interface NetworkProof {
  /** 32 bytes. */
  prove(binding: Uint8Array, dialler: boolean): Uint8Array
  verify(proof: Uint8Array, binding: Uint8Array, dialler: boolean): boolean
}

/**
 * The first words on a link, before it is known which session it belongs to: both sides say HELLO, check the other's, and say
 * READY (a new session) or RESUME (that one), bound to this very channel. The chair says its word last where the other has
 * something to resume; its word is the choice. A state machine without I/O.
 */
export class Handshake implements FrameSink {
  readonly decoder: FrameDecoder = new FrameDecoder()
  hello: Hello | undefined
  bytesSent = 0
  bytesReceived = 0
  error: PlaitError | undefined
  readonly #options: HandshakeOptions
  readonly #readyUntil: number
  readonly #outgoing: Uint8Array[] = []
  #earlyBytes = 0
  #saidReady = false
  #heardReady = false
  #said: ResumeClaim | undefined
  #heard: ResumeClaim | undefined
  #successor: Successor | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
    this.#readyUntil = options.now + options.limits.handshakeTimeoutMs - (options.elapsedMs ?? 0)
    // In a private network the dialler proves first that it belongs there, and learns nothing before.
    if (options.dialled || options.network === undefined) this.#greet()
  }

  /** The node with the smaller id has the last word. */
  get chair(): boolean {
    return this.#options.localId < this.#options.remoteId
  }

  /** It has said RESUME, and waits for the other side's word. */
  get resuming(): boolean {
    return this.#said !== undefined && this.#successor === undefined
  }

  /** Says READY: a new session. To be called once, after `greeted`. */
  ready(): void {
    if (this.stopped) return
    assert(this.hello !== undefined && !this.#saidReady, 'READY is said once, in answer to HELLO')
    this.#saidReady = true
    this.#say(frameTypes.READY, this.#proof(this.#options.dialled))
    this.#agree()
  }

  /** Says RESUME: that session. At most once, after `greeted`; the chair only in answer to the same. */
  resume(claim: ResumeClaim): void {
    if (this.stopped) return
    const { hello } = this
    assert(hello !== undefined && this.#said === undefined && !this.#saidReady, 'RESUME is the first word after HELLO')
    this.#said = claim
    const body = encodeResume({
      proof: this.#proof(this.#options.dialled),
      sessionId: claim.sessionId,
      epoch: this.#options.hello.epoch,
      remoteEpoch: hello.epoch,
      receivedFrames: claim.receivedFrames,
    })
    this.#say(frameTypes.RESUME, body)
    this.#agree()
  }

  /** Ends it at both ends; `error` tells the other side why. */
  fail(error: PlaitError): void {
    if (this.stopped) return
    this.#outgoing.push(goAway(error))
    this.#end(error)
  }

  /** The link is gone. */
  detach(error: PlaitError | undefined): void {
    if (this.stopped) return
    this.#end(
      error ?? new PlaitError('LINK_LOST', `the link to ${this.#options.remoteId} was lost before it was ready`),
    )
  }

  /** Bytes from the link, in any split; lent until the call returns. Never throws. Until the agreement only. */
  receive(bytes: Uint8Array): void {
    if (this.error !== undefined) return
    this.bytesReceived += bytes.length
    try {
      this.decoder.feed(bytes, this)
    } catch (error) {
      const typed = PlaitError.from(error, 'PROTOCOL')
      if (this.#successor === undefined) this.fail(typed)
      else this.#successor.fail(typed)
    }
  }

  /** What is to be written now, in order. */
  transmit(): readonly Uint8Array[] {
    const frames = this.#outgoing.splice(0)
    for (const frame of frames) this.bytesSent += frame.length
    return frames
  }

  get pending(): boolean {
    return this.#outgoing.length > 0
  }

  /** When `tick` is wanted, in ms of the clock; Infinity when it is over. */
  get deadline(): number {
    return this.error === undefined && this.#successor === undefined ? this.#readyUntil : Infinity
  }

  tick(now: number): void {
    if (now < this.deadline) return
    const { handshakeTimeoutMs } = this.#options.limits
    const what = `${this.#options.remoteId} was not ready after ${handshakeTimeoutMs} ms`
    this.fail(new PlaitError('HANDSHAKE_TIMEOUT', what))
  }

  // What follows is for the decoder.

  get stopped(): boolean {
    return this.#successor === undefined ? this.error !== undefined : this.#successor.stopped
  }

  check(type: number, channel: number, bodyBytes: number): void {
    if (this.#successor !== undefined) {
      this.#successor.check(type, channel, bodyBytes)
      return
    }
    const { earlyFrameBytes, earlyTotalBytes } = this.#options.limits
    if (bodyBytes > earlyFrameBytes) {
      const facts = { limit: earlyFrameBytes }
      throw new PlaitError('LIMIT', `a frame of ${bodyBytes} bytes before ready exceeds ${earlyFrameBytes}`, { facts })
    }
    this.#earlyBytes += headerBytes + bodyBytes
    if (this.#earlyBytes <= earlyTotalBytes) return
    throw new PlaitError('LIMIT', 'too much was sent before ready', { facts: { limit: earlyTotalBytes } })
  }

  place(type: number, channel: number, bodyBytes: number): Uint8Array | undefined {
    return this.#successor?.place(type, channel, bodyBytes)
  }

  frame(type: number, channel: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void {
    if (this.#successor !== undefined) {
      this.#successor.frame(type, channel, bytes, start, end, owned)
      return
    }
    switch (type) {
      case frameTypes.GOAWAY:
        this.#end(decodeError(bytes, start, end, this.#options.limits))
        return
      case frameTypes.HELLO:
        this.#meet(bytes.slice(start, end))
        return
      case frameTypes.READY:
        this.#hearReady(bytes.subarray(start, end))
        return
      case frameTypes.RESUME:
        this.#hearResume(bytes, start, end)
        return
      default:
        throw unexpected(type)
    }
  }

  #meet(body: Uint8Array): void {
    const { dialled, network, events } = this.#options
    if (this.hello !== undefined) throw unexpected(frameTypes.HELLO)
    const hello = decodeHello(body)
    this.#admit(hello)
    this.hello = hello
    if (!dialled && network !== undefined) this.#greet()
    events.greeted(hello)
  }

  /** Both are in the same private network, or neither is in any. */
  #admit(hello: Hello): void {
    const { network, binding, dialled } = this.#options
    if (network === undefined && hello.network === undefined) return
    if (network !== undefined && hello.network !== undefined) {
      if (network.verify(hello.network, binding, !dialled)) return
      throw new PlaitError('WRONG_NETWORK', 'the other side has another pre-shared key: give both the same one')
    }
    const which =
      network === undefined
        ? 'the other side has a pre-shared key, and this one'
        : 'this side has a pre-shared key, and the other'
    throw new PlaitError('WRONG_NETWORK', `${which} has none: give both the same one`)
  }

  #hearReady(proof: Uint8Array): void {
    // Who has heard RESUME from the chair, or has said it as the chair, has agreed already.
    if (this.hello === undefined || this.#heardReady) throw unexpected(frameTypes.READY)
    this.#checkProof(proof)
    this.#heardReady = true
    if (!this.#agree()) this.#options.events.heard(undefined)
  }

  #hearResume(bytes: Uint8Array, start: number, end: number): void {
    const { hello } = this
    if (hello === undefined || this.#heardReady || this.#heard !== undefined) throw unexpected(frameTypes.RESUME)
    const { proof, sessionId, epoch, remoteEpoch, receivedFrames } = decodeResume(bytes, start, end)
    this.#checkProof(proof)
    if (!bytesEqual(epoch, hello.epoch)) throw new PlaitError('PROTOCOL', 'a RESUME of another run than its HELLO')
    if (!bytesEqual(remoteEpoch, this.#options.hello.epoch)) {
      throw new PlaitError('PEER_RESTARTED', 'the session was with an earlier run of this node')
    }
    const isAnswer = this.#said !== undefined && bytesEqual(this.#said.sessionId, sessionId)
    if (!this.chair && !isAnswer) throw unexpected(frameTypes.RESUME)
    this.#heard = { sessionId, receivedFrames }
    if (!this.#agree()) this.#options.events.heard(this.#heard)
  }

  #checkProof(proof: Uint8Array): void {
    if (bytesEqual(proof, this.#proof(!this.#options.dialled))) return
    const what = 'the other side is ready on another channel than this one: somebody may stand between'
    throw new PlaitError('WRONG_KEY', what)
  }

  /** Whether both have said the same; READY counts more than an earlier RESUME. */
  #agree(): boolean {
    if (this.#saidReady && this.#heardReady) this.#succeed({ kind: 'new' })
    else if (this.#said !== undefined && this.#heard !== undefined && !this.#saidReady) {
      this.#succeed({ kind: 'resumed', said: this.#said, heard: this.#heard })
    } else return false
    return true
  }

  #succeed(agreement: Agreement): void {
    const successor = this.#options.events.agreed(agreement)
    if (successor === undefined) this.fail(new PlaitError('LINK_LOST', 'the session that was to go on has ended here'))
    else this.#successor = successor
  }

  #greet(): void {
    const { hello, limits, network, binding, dialled } = this.#options
    const proof = network?.prove(binding, dialled)
    this.#say(frameTypes.HELLO, encodeHello({ ...hello, ...(proof === undefined ? {} : { network: proof }) }, limits))
  }

  #say(type: number, body: Uint8Array): void {
    this.#outgoing.push(frameOf(type, body))
    this.#options.events.wake()
  }

  #end(error: PlaitError): void {
    this.error = error
    this.#options.events.failed(error)
    this.#options.events.wake()
  }

  /** What only the two ends of this channel can say, and each end differently. */
  #proof(dialler: boolean): Uint8Array {
    const { binding } = this.#options
    const proof = new Uint8Array(1 + binding.length)
    proof[0] = dialler ? 1 : 2
    proof.set(binding, 1)
    return proof
  }
}

function unexpected(type: number): PlaitError {
  return new PlaitError('PROTOCOL', `a frame of type ${type}, which has no place before ready`)
}
