import { PlaitError } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { Waiters } from '../base/waiters.ts'
import type { Circuit, CloseReason, Fragment, WaitOptions } from '../circuit/circuit-api.ts'
import { Alarm } from './alarm.ts'
import { cancelled } from './context.ts'
import { checkDeadline, deadlineOf } from './deadline.ts'
import type { MessageType } from './define-message.ts'
import type { Exchange } from './exchange.ts'
import { Exchanges } from './exchanges.ts'
import { kinds, unpackHeader } from './frame.ts'
import type { Encoding } from './frame.ts'
import { Handlers } from './handlers.ts'
import type {
  DefaultHandler,
  MessageHandler,
  MessageStream,
  Messenger,
  MessengerOptions,
  RequestOptions,
  StreamHandler,
} from './messenger-api.ts'
import { MessengerHost } from './messenger-host.ts'
import { settingsFrom } from './messenger-settings.ts'
import { Posts } from './posts.ts'
import { Question } from './question.ts'
import { Registry } from './registry.ts'
import { StreamEnd } from './stream.ts'
import type { StreamParts } from './stream.ts'
import { serveSystem } from './system-handlers.ts'
import { noBytes, ping, settings } from './system.ts'

/**
 * Typed messages over a circuit, which belongs to the messenger from then on. Both ends make one, each for its own end. Throws
 * `INVALID_ARGUMENT`.
 */
export function messenger(circuit: Circuit, options: MessengerOptions = {}): Messenger {
  return new CircuitMessenger(circuit, options)
}

class CircuitMessenger implements Messenger {
  readonly circuit: Circuit
  readonly #host: MessengerHost
  readonly #exchanges: Exchanges
  readonly #registry: Registry = new Registry()
  readonly #handlers: Handlers
  readonly #posts: Posts
  readonly #receiver = (fragment: Fragment): void => this.#receive(fragment)
  readonly #alarm: Alarm
  readonly #idlers: Waiters = new Waiters()
  readonly #writers: Waiters = new Waiters()
  #closing: Promise<void> | undefined
  #endedBy: PlaitError | undefined

  constructor(circuit: Circuit, options: MessengerOptions) {
    const { runtime, limits } = circuit.context
    const said = settingsFrom(options, limits)
    const host = new MessengerHost(circuit, said, {
      asked: (exchange, content, encoding, payload) => this.#asked(exchange, content, encoding, payload),
      settled: () => this.#settled(),
      drained: () => this.#drained(),
    })
    this.circuit = circuit
    this.#host = host
    this.#exchanges = new Exchanges(host)
    this.#alarm = new Alarm(runtime, () => this.#tick())
    this.#handlers = new Handlers({
      circuit,
      counters: host.counters,
      exchanges: this.#exchanges,
      packer: host.packer,
      registry: this.#registry,
      maxHandlers: said.maxHandlers,
      report: (error, type) => host.report(error, type),
      stream: (outgoing, incoming) => this.#parts(outgoing, incoming),
      enter: () => host.enter(),
    })
    this.#posts = new Posts({
      circuit,
      counters: host.counters,
      packer: host.packer,
      registry: this.#registry,
      maxRunning: Math.min(said.maxHandlers, limits.postsAtOnce),
      report: (error, type) => host.report(error, type),
      isAsking: () => this.#exchanges.oursLive + this.#exchanges.waiting > 0 || this.#writers.any,
      pause: () => circuit.pause(),
      resume: () => circuit.receive(this.#receiver),
    })
    serveSystem(this.#registry, circuit.context.localId, ({ accept, maxInFlight }) => {
      host.packer.compression = accept[0]
      this.#exchanges.allow(maxInFlight)
    })
    const { accept, maxInFlight } = said
    if (accept.length > 0 || maxInFlight !== defaultLimits.requestsInFlight)
      host.post(settings, { accept, maxInFlight })
    void circuit.closed.then((reason) => this.#ended(reason))
    circuit.receive(this.#receiver)
  }

  get live(): number {
    return this.#exchanges.live
  }

  handle<Request, Response>(type: MessageType<Request, Response>, handler: MessageHandler<Request, Response>): void {
    this.#registry.add(type, handler)
  }

  handleStream<Request, Response>(
    type: MessageType<Request, Response>,
    handler: StreamHandler<Request, Response>,
  ): void {
    this.#registry.addStream(type, handler)
  }

  handleDefault(handler: DefaultHandler): void {
    this.#registry.byDefault = handler
  }

  unhandle(type: MessageType): void {
    this.#registry.remove(type)
  }

  post<Request>(type: MessageType<Request, never> | MessageType<Request>, message: Request): boolean {
    this.#check()
    return this.#host.post(type, message)
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
      this.#host.enter()
      const question = new Question(this.#host, type.response, resolve, reject)
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
    const { clock } = this.circuit.context.runtime
    const begunAt = clock.now()
    await this.request(ping, noBytes, options)
    return clock.now() - begunAt
  }

  flush(): void {
    this.#host.outbox.flush()
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    if (this.#endedBy !== undefined) throw this.#endedBy
    while (!this.#host.outbox.roomy) {
      this.#host.outbox.flush()
      if (this.#host.outbox.roomy) return
      const waiting = this.#writers.wait(options.signal)
      this.#posts.asks()
      await waiting
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

  #asked(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void {
    if (this.#closing === undefined) this.#handlers.serve(exchange, content, encoding, payload)
    else this.#exchanges.reset(exchange, new PlaitError('GOING_AWAY', 'this end of the circuit is closing'))
  }

  #settled(): void {
    if (this.#closing !== undefined && this.#exchanges.live === 0) this.#idlers.wake()
  }

  #begin<Request, Response>(
    type: MessageType<Request, Response>,
    message: Request,
    isStream: boolean,
    handler: Question<Response> | StreamEnd<Request, Response>,
    deadlineMs: number,
  ): Exchange {
    const first = this.#host.packer.pack(type.request, message)
    this.#host.outbox.check(first.payload.length)
    this.#host.enter()
    const exchange = this.#exchanges.begin(type.id, isStream, first, handler, deadlineMs)
    this.#alarm.set(this.#exchanges.deadline)
    this.#posts.asks()
    return exchange
  }

  /** When the signal fires the exchange is given up; gives what takes the listener away. */
  #abandon(exchange: Exchange, signal: AbortSignal, then: (why: unknown) => void): () => void {
    const abort = (): void => {
      this.#host.enter()
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
      packer: this.#host.packer,
      outgoing,
      incoming,
      enter: () => this.#host.enter(),
      failed: (error) => this.#host.report(error, 'a stream'),
    }
  }

  #receive({ op, part, payload, args }: Fragment): void {
    this.#host.enter()
    try {
      const header = unpackHeader(part)
      this.#host.counters.bytesReceived += payload.length
      if (header.kind === kinds.post) this.#posts.receive(op, header.content, header.encoding, payload)
      else this.#exchanges.receive(header, op, payload, deadlineOf(args))
    } catch (error) {
      this.#host.probe.sometimes('hostile message refused')
      this.circuit.abort(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    this.#alarm.set(this.#exchanges.deadline)
  }

  #ended({ error, message }: CloseReason): void {
    this.#endedBy =
      error ?? new PlaitError('CIRCUIT_CLOSED', message === '' ? 'the other side has closed the circuit' : message)
    this.#host.enter()
    this.#host.outbox.clear()
    if (this.live > 0 && error?.code === 'LINK_LOST') this.#host.probe.sometimes('session lost with exchanges open')
    if (this.live > 0 && error?.code === 'PEER_RESTARTED') this.#host.probe.sometimes('crash with exchanges open')
    this.#exchanges.fail(this.#endedBy)
    this.#handlers.clear()
    this.#posts.end(error !== undefined)
    this.#alarm.cancel()
    this.#idlers.wake()
    this.#writers.wake()
  }

  #drained(): void {
    if (this.#endedBy !== undefined) return
    this.#host.enter()
    this.#exchanges.pump()
    if (this.#host.outbox.roomy) this.#writers.wake()
  }

  async #drain(signal: AbortSignal | undefined): Promise<void> {
    try {
      while (this.#exchanges.live > 0 && this.#endedBy === undefined) await this.#idlers.wait(signal)
    } catch {
      // The signal has fired: what is under way ends with the circuit.
    }
    this.#host.outbox.flush()
    // What is held leaves by and by, and wakes the writers; the end of the circuit does too.
    while (!this.#host.outbox.empty && this.#endedBy === undefined) await this.#writers.wait()
    await this.circuit.close()
  }

  #tick(): void {
    this.#host.enter()
    this.#exchanges.tick(this.#host.now)
    this.#alarm.set(this.#exchanges.deadline)
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
