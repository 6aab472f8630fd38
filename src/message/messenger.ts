import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Limits } from '../base/limits.ts'
import { Waiters } from '../base/waiters.ts'
import type { Circuit, CloseReason, Fragment, WaitOptions } from '../circuit/circuit-api.ts'
import type { Probe } from '../runtime/probe.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Timer } from '../runtime/timers.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { cancelled } from './context.ts'
import type { MessageCounters } from './counters.ts'
import type { MessageType } from './define-message.ts'
import type { Exchange } from './exchange.ts'
import { Exchanges } from './exchanges.ts'
import type { ExchangesHost } from './exchanges.ts'
import { kinds, packHeader, unpackHeader } from './frame.ts'
import type { Encoding } from './frame.ts'
import { Handlers } from './handlers.ts'
import type { Histogram } from './histogram.ts'
import { MessageSection } from './message-stats.ts'
import type {
  DefaultHandler,
  MessageHandler,
  MessageStream,
  Messenger,
  MessengerOptions,
  RequestOptions,
  StreamHandler,
} from './messenger-api.ts'
import { Outbox } from './outbox.ts'
import { Packer } from './packer.ts'
import { Question } from './question.ts'
import type { Asker } from './question.ts'
import { StreamEnd } from './stream.ts'
import type { StreamParts } from './stream.ts'
import { checkEncodings, heartbeat, noBytes, ping, settings } from './system.ts'

const compressFromBytes = 1_024
const batchBytes = 64 * 1024

/**
 * Typed messages over a circuit, which belongs to the messenger from then on. Both ends make one, each for its own end. Throws
 * `INVALID_ARGUMENT`.
 */
export function messenger(circuit: Circuit, options: MessengerOptions = {}): Messenger {
  return new CircuitMessenger(circuit, options)
}

class CircuitMessenger implements Messenger, ExchangesHost, Asker {
  readonly circuit: Circuit
  readonly limits: Limits
  readonly probe: Probe
  readonly counters: MessageCounters
  now = 0
  readonly #runtime: Runtime
  readonly latency: Histogram
  readonly #exchanges: Exchanges
  readonly #outbox: Outbox
  readonly packer: Packer
  readonly #handlers: Handlers
  readonly #idlers: Waiters = new Waiters()
  readonly #writers: Waiters = new Waiters()
  #timer: Timer | undefined
  #timerAt = Infinity
  #closing: Promise<void> | undefined
  #endedBy: PlaitError | undefined

  constructor(circuit: Circuit, options: MessengerOptions) {
    const { runtime, limits } = circuit.context
    const accept = checkEncodings(options.accept ?? [])
    const maxInFlight = options.maxInFlight ?? limits.requestsInFlight
    checkCount(maxInFlight, 'maxInFlight', limits.requestsInFlight)
    checkCount(options.maxHandlers ?? 1, 'maxHandlers', Number.MAX_SAFE_INTEGER)
    this.circuit = circuit
    this.limits = limits
    this.probe = runtime.probe
    this.#runtime = runtime
    const section = MessageSection.of(circuit.context)
    this.counters = section.counters
    this.latency = section.latency
    this.#enter()
    this.packer = new Packer({
      accept,
      compressFromBytes: options.compressFromBytes ?? compressFromBytes,
      inflatedBytes: options.inflatedBytes ?? limits.inflatedBytes,
      payloadBytesMax: () => circuit.payloadBytesMax,
    })
    this.#exchanges = new Exchanges(this)
    this.#outbox = new Outbox({
      circuit,
      flushMs: options.flushMs ?? 0,
      batchBytes: options.batchBytes ?? batchBytes,
      drained: () => this.#drained(),
      flushed: () => (this.counters.flushes += 1),
    })
    this.#handlers = new Handlers({
      circuit,
      counters: this.counters,
      exchanges: this.#exchanges,
      packer: this.packer,
      maxHandlers: options.maxHandlers ?? Infinity,
      onError: options.onError,
      stream: (outgoing, incoming) => this.#parts(outgoing, incoming),
      enter: () => this.#enter(),
      settings: (said) => {
        this.packer.compression = said.accept[0]
        this.#exchanges.allow(said.maxInFlight)
      },
    })
    if (accept.length > 0 || maxInFlight !== defaultLimits.requestsInFlight)
      this.#tell(settings, { accept, maxInFlight })
    void circuit.closed.then((reason) => this.#ended(reason))
    circuit.receive((fragment) => this.#receive(fragment))
  }

  get live(): number {
    return this.#exchanges.live
  }

  get roomy(): boolean {
    return this.#outbox.roomy
  }

  get choked(): boolean {
    return this.#outbox.choked
  }

  handle<Request, Response>(type: MessageType<Request, Response>, handler: MessageHandler<Request, Response>): void {
    this.#handlers.add(type, handler)
  }

  handleStream<Request, Response>(
    type: MessageType<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void {
    this.#handlers.addStream(type, handler)
  }

  handleDefault(handler: DefaultHandler): void {
    this.#handlers.byDefault = handler
  }

  unhandle(type: MessageType): void {
    this.#handlers.remove(type)
  }

  post<Request>(type: MessageType<Request, never> | MessageType<Request>, message: Request): boolean {
    this.#check()
    return this.#tell(type, message)
  }

  request<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    options: RequestOptions = {},
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.#check()
      const { signal, deadlineMs = Infinity } = options
      signal?.throwIfAborted()
      checkDeadline(deadlineMs)
      this.#enter()
      const question = new Question(this, type.response, resolve, reject)
      const exchange = this.#begin(type, message, false, question, deadlineMs)
      if (signal !== undefined) question.unlisten = this.#abandon(exchange, signal, (why) => question.reject(why))
    })
  }

  stream<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    options: RequestOptions = {},
  ): MessageStream<Request, Response> {
    this.#check()
    const { signal, deadlineMs = Infinity } = options
    signal?.throwIfAborted()
    checkDeadline(deadlineMs)
    const end = new StreamEnd(this.#parts(type.request, type.response), true)
    const exchange = this.#begin(type, message, true, end, deadlineMs)
    end.exchange = exchange
    if (signal !== undefined)
      end.settled = this.#abandon(exchange, signal, (why) => end.cancel(PlaitError.from(why, 'CANCELLED')))
    return end
  }

  async ping(options: RequestOptions = {}): Promise<number> {
    const begunAt = this.#runtime.clock.now()
    await this.request(ping, noBytes, options)
    return this.#runtime.clock.now() - begunAt
  }

  flush(): void {
    this.#outbox.flush()
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    if (this.#endedBy !== undefined) throw this.#endedBy
    while (!this.#outbox.roomy) {
      this.#outbox.flush()
      if (this.#outbox.roomy) return
      await this.#writers.wait(options.signal)
      // It may have ended meanwhile.
      if (this.#ending !== undefined) throw this.#ending
    }
  }

  close(options: WaitOptions = {}): Promise<void> {
    this.#closing ??= this.#drain(options.signal)
    return this.#closing
  }

  abort(reason?: unknown): void {
    this.circuit.abort(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  send(op: number, part: number, payload: Uint8Array | undefined, deadlineMs?: number): boolean {
    if (payload !== undefined) this.counters.bytesSent += payload.length
    this.#outbox.send(fragmentOf(op, part, payload, deadlineMs))
    return this.#outbox.roomy
  }

  asked(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void {
    if (this.#closing === undefined) this.#handlers.serve(exchange, content, encoding, payload)
    else this.#exchanges.reset(exchange, new PlaitError('GOING_AWAY', 'this end of the circuit is closing'))
  }

  settled(): void {
    if (this.#closing !== undefined && this.#exchanges.live === 0) this.#idlers.wake()
  }

  #tell<Request>(type: MessageType<Request, never> | MessageType<Request>, message: Request): boolean {
    const { content, encoding, payload } = this.packer.pack(type.request, message)
    this.#outbox.check(payload.length)
    this.#outbox.send({ op: type.id, part: packHeader(kinds.post, false, 0, content, encoding), payload })
    this.counters.postsSent += 1
    this.counters.bytesSent += payload.length
    if (type.id === heartbeat.id) this.counters.heartbeatsSent += 1
    return this.#outbox.roomy
  }

  #begin<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    isStream: boolean,
    handler: Question<Response> | StreamEnd<Request, Response>,
    deadlineMs: number,
  ): Exchange {
    const first = this.packer.pack(type.request, message)
    this.#outbox.check(first.payload.length)
    this.#enter()
    const exchange = this.#exchanges.begin(type.id, isStream, first, handler, deadlineMs)
    this.#arm()
    return exchange
  }

  /** When the signal fires the exchange is given up; gives what takes the listener away. */
  #abandon(exchange: Exchange, signal: AbortSignal, then: (why: unknown) => void): () => void {
    const abort = (): void => {
      this.#enter()
      this.#exchanges.reset(exchange, cancelled())
      then(signal.reason)
    }
    signal.addEventListener('abort', abort, { once: true })
    return () => signal.removeEventListener('abort', abort)
  }

  #parts<Outgoing, Incoming>(
    outgoing: StreamParts<Outgoing, Incoming>['outgoing'],
    incoming: StreamParts<Outgoing, Incoming>['incoming'],
  ): StreamParts<Outgoing, Incoming> {
    return {
      circuit: this.circuit,
      exchanges: this.#exchanges,
      packer: this.packer,
      outgoing,
      incoming,
      enter: () => this.#enter(),
      failed: (error) => this.#handlers.report(error, 'a stream'),
    }
  }

  #receive({ op, part, payload, args }: Fragment): void {
    this.#enter()
    try {
      const header = unpackHeader(part)
      this.counters.bytesReceived += payload.length
      if (header.kind === kinds.post) this.#handlers.posted(op, header.content, header.encoding, payload)
      else this.#exchanges.receive(header, op, payload, deadlineOf(args))
    } catch (error) {
      this.circuit.abort(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    this.#arm()
  }

  #ended({ error, message }: CloseReason): void {
    this.#endedBy =
      error ?? new PlaitError('CIRCUIT_CLOSED', message === '' ? 'the other side has closed the circuit' : message)
    this.#enter()
    this.#outbox.clear()
    this.#exchanges.fail(this.#endedBy)
    this.#handlers.clear()
    this.#timer?.cancel()
    this.#idlers.wake()
    this.#writers.wake()
  }

  #drained(): void {
    if (this.#endedBy !== undefined) return
    this.#enter()
    this.#exchanges.pump()
    if (this.#outbox.roomy) this.#writers.wake()
  }

  async #drain(signal: AbortSignal | undefined): Promise<void> {
    try {
      while (this.#exchanges.live > 0 && this.#endedBy === undefined) await this.#idlers.wait(signal)
    } catch {
      // The signal has fired: what is under way ends with the circuit.
    }
    this.#outbox.flush()
    // What is held leaves by and by, and wakes the writers; the end of the circuit does too.
    while (!this.#outbox.empty && this.#endedBy === undefined) await this.#writers.wait()
    await this.circuit.close()
  }

  #arm(): void {
    const { deadline } = this.#exchanges
    if (deadline >= this.#timerAt) return
    this.#timer?.cancel()
    this.#timerAt = deadline
    this.#timer = this.#runtime.timers.after(Math.max(0, deadline - this.now), () => this.#tick(), { background: true })
  }

  #tick(): void {
    this.#timerAt = Infinity
    this.#enter()
    this.#exchanges.tick(this.now)
    this.#arm()
  }

  #enter(): void {
    this.now = this.#runtime.clock.now()
  }

  /** Read through this after a wait: what has happened meanwhile is not seen otherwise. */
  get #ending(): PlaitError | undefined {
    return this.#endedBy
  }

  #check(): void {
    if (this.#endedBy !== undefined) throw this.#endedBy
    if (this.#closing !== undefined) throw new PlaitError('CIRCUIT_CLOSED', 'this messenger is closing')
  }
}

function fragmentOf(
  op: number,
  part: number,
  payload: Uint8Array | undefined,
  deadlineMs: number | undefined,
): FragmentFields {
  const body = payload ?? noBytes
  return deadlineMs === undefined
    ? { op, part, payload: body }
    : { op, part, payload: body, args: { deadline: String(deadlineMs) } }
}

/** How long an exchange may take; it travels in decimal digits, as a duration, so that clocks need not agree. */
function deadlineOf(args: Fragment['args']): number {
  const text = args['deadline']
  if (text === undefined) return Infinity
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new PlaitError('PROTOCOL', 'the other side sent a deadline that is none')
  return Number(text)
}

function checkDeadline(deadlineMs: number): void {
  if (deadlineMs === Infinity || (deadlineMs > 0 && deadlineMs <= 9_999_999_999)) return
  throw new PlaitError('INVALID_ARGUMENT', `deadlineMs is ${deadlineMs}; it must be above 0`)
}

function checkCount(value: number, name: string, max: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return
  throw new PlaitError('INVALID_ARGUMENT', `${name} is ${value}; it must be a whole number from 1 to ${max}`)
}
