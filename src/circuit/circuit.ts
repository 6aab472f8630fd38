import { PlaitError, wireErrorNumbers } from '../base/error.ts'
import type { WireErrorCode } from '../base/error.ts'
import { emptyBytes } from '../base/bytes.ts'
import { Waiters } from '../base/waiters.ts'
import type { Channel, ChannelHandler } from '../session/channel.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { frameTypes } from '../wire/frame.ts'
import type {
  Circuit,
  CircuitContext,
  CircuitState,
  CloseReason,
  Fragment,
  SendOptions,
  ReceiveOptions,
  WaitOptions,
} from './circuit-api.ts'
import type { ErrorInbox } from './error-inbox.ts'
import { Inbound } from './inbound.ts'
import { decodeAcceptance, decodeClosing, encodeClosing } from './open.ts'
import type { Acceptance } from './open.ts'

/** What a circuit is told by the layer that joins it to a peer. */
export interface CircuitOwner {
  readonly context: CircuitContext
  /** URL of the peer at this end. */
  readonly local: string
  /** URL of a peer at the other end. */
  remoteUrl(service: string, peerId: string): string
  /** Opens one more circuit to the same peer. */
  another(circuit: Circuit, first: FragmentFields | undefined, options: WaitOptions): Promise<Circuit>
  /** The circuit has ended: once, whichever way. */
  ended(circuit: Circuit): void
}

const noReason: CloseReason = Object.freeze({ code: 0, message: '' })

/**
 * One end of a circuit: the application's side of a channel. A promise, a queue, a signal is made when somebody asks for it:
 * an idle circuit is two small objects.
 */
export class ChannelCircuit implements Circuit, ChannelHandler {
  state: CircuitState
  /** Why the circuit ended, once it has. */
  reason: CloseReason | undefined
  fragmentsSent = 0
  readonly inbound: Inbound = new Inbound()
  readonly #owner: CircuitOwner
  readonly #channel: Channel
  #localEnded = false
  #remoteEnded = false
  #left = false
  /** What the application here has closed with; a close that follows from two ends has no reason, and yields to the other side's. */
  #ownReason: CloseReason | undefined
  /** What CLOSE said; it counts when the reader has reached it. */
  #remoteReason: CloseReason | undefined
  /** Who is at the other end; its URL is put together when somebody asks. */
  #remoteService: string
  #remotePeerId: string
  #readers: Waiters<Fragment | undefined> | undefined
  #iterators: Waiters<IteratorResult<Fragment, undefined>> | undefined
  #writers: Waiters | undefined
  #openers: Waiters | undefined
  #leavers: Waiters | undefined
  #closers: Waiters | undefined
  #abortion: AbortController | undefined

  constructor(owner: CircuitOwner, channel: Channel, remote: Acceptance) {
    this.#owner = owner
    this.#channel = channel
    this.#remoteService = remote.service
    this.#remotePeerId = remote.peerId
    this.state = channel.opener ? 'opening' : 'open'
    channel.counters.circuitsOpened += 1
  }

  get id(): number {
    return this.#channel.number
  }

  get local(): string {
    return this.#owner.local
  }

  get remote(): string {
    return this.#owner.remoteUrl(this.#remoteService, this.#remotePeerId)
  }

  get context(): CircuitContext {
    return this.#owner.context
  }

  get channel(): Channel {
    return this.#channel
  }

  get bufferedBytes(): number {
    return this.#channel.outbox.bufferedBytes
  }

  get payloadBytesMax(): number {
    return this.#channel.payloadBytesMax
  }

  get errors(): ErrorInbox {
    return this.inbound.errors(this.#channel)
  }

  get closed(): Promise<CloseReason> {
    if (this.reason !== undefined) return Promise.resolve(this.reason)
    this.#closers ??= new Waiters()
    return this.#closers.wait().then(() => this.reason ?? noReason)
  }

  get signal(): AbortSignal {
    if (this.#abortion === undefined) {
      this.#abortion = new AbortController()
      if (this.reason !== undefined) this.#abortion.abort(this.reason.error ?? this.reason)
    }
    return this.#abortion.signal
  }

  /** Bytes that have arrived and were not read. */
  get unreadBytes(): number {
    return this.#channel.heldBytes
  }

  send(fragment: FragmentFields, options?: SendOptions): boolean {
    if (this.#localEnded || this.state === 'closing' || this.state === 'closed') throw this.#closedError()
    const channel = this.#channel
    const below = channel.send(fragment, options?.copy === true)
    this.fragmentsSent += 1
    if (fragment.error === undefined) channel.counters.fragmentsSent += 1
    else channel.counters.errorsSent += 1
    return below
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    const channel = this.#channel
    while (channel.outbox.bufferedBytes >= channel.limits.sendBufferMarkBytes && !this.#over) {
      this.#writers ??= new Waiters()
      await this.#writers.wait(options.signal)
    }
    if (this.state === 'closed') throw this.#closedError()
  }

  read(options: WaitOptions = {}): Promise<Fragment | undefined> {
    const fragment = this.#next()
    if (fragment !== undefined) return Promise.resolve(fragment)
    if (this.reason?.error !== undefined) return Promise.reject(this.reason.error)
    if (this.#remoteEnded || this.#over) return Promise.resolve(undefined)
    this.#readers ??= new Waiters()
    return this.#readers.wait(options.signal)
  }

  /** Like `read`, for the iterator, without a promise more than it needs. */
  iterate(): Promise<IteratorResult<Fragment, undefined>> {
    const value = this.#next()
    if (value !== undefined) return Promise.resolve({ value, done: false })
    if (this.#remoteEnded || this.#over) return this.read().then(iteration)
    this.#iterators ??= new Waiters()
    return this.#iterators.wait()
  }

  receive(handler: (fragment: Fragment) => void, { keep = false }: ReceiveOptions = {}): void {
    this.inbound.keeps = keep
    this.inbound.deliver(this.#channel, handler)
    this.#reachEnd()
  }

  pause(): void {
    this.inbound.handler = undefined
  }

  [Symbol.asyncIterator](): AsyncIterator<Fragment> {
    return new FragmentIterator(this)
  }

  hold(bytes: number): void {
    this.#channel.hold(bytes)
  }

  release(bytes: number): void {
    this.#channel.unhold(bytes)
  }

  open(first?: FragmentFields, options: WaitOptions = {}): Promise<Circuit> {
    return this.#owner.another(this, first, options)
  }

  end(): void {
    if (this.#localEnded || this.#over) return
    this.#localEnded = true
    this.#channel.sendInOrder(frameTypes.END, emptyBytes)
    this.#reachEnd()
  }

  close(reason: Partial<CloseReason> = noReason): Promise<void> {
    if (!this.#over) {
      this.#ownReason = { code: reason.code ?? 0, message: reason.message ?? '' }
      this.#beginClose(this.#ownReason)
    }
    if (this.#left || this.state === 'closed') return Promise.resolve()
    this.#leavers ??= new Waiters()
    return this.#leavers.wait()
  }

  abort(reason?: unknown): void {
    if (this.state === 'closed') return
    const text =
      reason instanceof Error ? reason.message : typeof reason === 'string' ? reason : 'the circuit was aborted'
    this.#channel.reset(PlaitError.is(reason) ? reason : new PlaitError('ABORTED', text, { cause: reason }))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Resolves when the other side has accepted; rejects when it has refused, when the circuit ended before, or with the signal. */
  async opened(options: WaitOptions = {}): Promise<void> {
    while (!this.#channel.accepted && this.state !== 'closed') {
      this.#openers ??= new Waiters()
      await this.#openers.wait(options.signal)
    }
    if (this.reason?.error !== undefined) throw this.reason.error
  }

  handleAccept(body: Uint8Array): void {
    try {
      const { service, peerId } = decodeAcceptance(body)
      this.#remoteService = service
      this.#remotePeerId = peerId
    } catch (error) {
      this.#channel.reset(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    if (this.state === 'opening') this.state = 'open'
    this.#openers?.wake()
  }

  handleRefuse(error: PlaitError): void {
    this.#channel.counters.circuitsRefused += 1
    this.handleReset(error)
  }

  handleFragment(bytes: Uint8Array, start: number, end: number, owned: boolean, frameBytes: number): boolean {
    const kept = this.inbound.take(this.#channel, bytes, start, end, owned, frameBytes)
    if (kept) this.#serveReaders()
    return kept
  }

  handleEnd(): void {
    this.#remoteEnded = true
    this.#endReaders()
    this.#reachEnd()
  }

  handleClose(body: Uint8Array): void {
    try {
      this.#remoteReason = decodeClosing(body)
    } catch (error) {
      this.#channel.reset(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    this.handleEnd()
  }

  handleReset(error: PlaitError): void {
    const number = error.code in wireErrorNumbers ? wireErrorNumbers[error.code as WireErrorCode] : 0
    this.#finish({ code: number, message: error.message, error })
    // Also after an end in order: what has not left yet never will.
    this.handleLeave()
  }

  handleDrain(): void {
    this.#writers?.wake()
  }

  handleLeave(): void {
    this.#left = true
    this.#leavers?.wake()
  }

  get #over(): boolean {
    return this.state === 'closing' || this.state === 'closed'
  }

  #next(): Fragment | undefined {
    const fragment = this.inbound.shift(this.#channel)
    if (fragment !== undefined && this.#remoteEnded) this.#reachEnd()
    return fragment
  }

  #serveReaders(): void {
    const iterators = this.#iterators
    while (iterators?.any === true) {
      const value = this.#next()
      if (value === undefined) return
      iterators.wakeFirst({ value, done: false })
    }
    const readers = this.#readers
    while (readers?.any === true) {
      const fragment = this.#next()
      if (fragment === undefined) return
      readers.wakeFirst(fragment)
    }
  }

  #endReaders(failure?: PlaitError): void {
    if (failure === undefined) {
      this.#readers?.wake(undefined)
      this.#iterators?.wake({ value: undefined, done: true })
    } else {
      this.#readers?.fail(failure)
      this.#iterators?.fail(failure)
    }
  }

  /** Acts on the other side's end or close once everything before it has been read. */
  #reachEnd(): void {
    if (!this.#remoteEnded || this.inbound.unreadFragments > 0 || this.state === 'closed') return
    const reason = this.#remoteReason
    if (reason === undefined) {
      if (this.#localEnded && this.state !== 'closing') this.#beginClose(noReason)
      return
    }
    if (this.state !== 'closing') {
      this.#channel.dropUnsent()
      this.#beginClose(reason)
    }
    this.#finish(this.#ownReason ?? reason)
  }

  #beginClose(reason: CloseReason): void {
    const body = encodeClosing({ code: reason.code, message: reason.message })
    this.state = 'closing'
    this.inbound.drop(this.#channel)
    this.#channel.sendInOrder(frameTypes.CLOSE, body)
    this.#endReaders()
    this.#writers?.wake()
    this.#reachEnd()
  }

  #finish(reason: CloseReason): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.reason = reason
    this.inbound.end()
    this.#channel.counters.circuitsClosed += 1
    const failure = reason.error
    this.#openers?.wake()
    this.#endReaders(failure)
    this.#writers?.wake()
    if (failure !== undefined) this.#leavers?.wake()
    this.#closers?.wake()
    this.#abortion?.abort(failure ?? reason)
    this.#owner.ended(this)
  }

  #closedError(): PlaitError {
    const cause = this.reason?.error
    const why = cause === undefined ? 'it was ended or closed' : cause.message
    return new PlaitError('CIRCUIT_CLOSED', `nothing can be sent on this circuit any more: ${why}`, { cause })
  }
}

/** Breaking out of the loop closes the circuit. */
class FragmentIterator implements AsyncIterator<Fragment, undefined> {
  readonly #circuit: ChannelCircuit

  constructor(circuit: ChannelCircuit) {
    this.#circuit = circuit
  }

  next(): Promise<IteratorResult<Fragment, undefined>> {
    return this.#circuit.iterate()
  }

  return(): Promise<IteratorResult<Fragment, undefined>> {
    void this.#circuit.close()
    return Promise.resolve({ value: undefined, done: true })
  }
}

function iteration(value: Fragment | undefined): IteratorResult<Fragment, undefined> {
  return value === undefined ? { value, done: true } : { value, done: false }
}
