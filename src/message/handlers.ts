import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import { bytes } from './codecs/bytes.ts'
import type { Codec } from './codec.ts'
import { Context, failureOf } from './context.ts'
import type { MessageCounters } from './counters.ts'
import type { Exchange, ExchangeHandler } from './exchange.ts'
import type { Exchanges } from './exchanges.ts'
import type { Encoding } from './frame.ts'
import { Line } from './line.ts'
import type { Packer } from './packer.ts'
import type { Registration, Registry, StreamRegistration } from './registry.ts'
import { isIterable, isPromise } from './result.ts'
import { StreamEnd } from './stream.ts'
import type { StreamParts } from './stream.ts'

export interface HandlersParts {
  readonly circuit: Circuit
  readonly counters: MessageCounters
  readonly exchanges: Exchanges
  readonly packer: Packer
  readonly registry: Registry
  readonly maxHandlers: number
  /** Tells the application what a handler has thrown. */
  report(error: unknown, type: string): void
  stream<Outgoing, Incoming>(outgoing: Codec<Outgoing>, incoming: Codec<Incoming>): StreamParts<Outgoing, Incoming>
  /** Before anything is done with an exchange. */
  enter(): void
}

/** What waits for a handler to be free, with its payload copied and charged. */
interface Waiting {
  readonly exchange: Exchange
  readonly content: number
  readonly encoding: Encoding
  readonly payload: Uint8Array
  readonly context: Context
}

/** What the objects of a request that waits cost. */
const waitingBytes = 256

/** The handlers of requests and streams at one end of a circuit, and those who are at it. */
export class Handlers {
  readonly #parts: HandlersParts
  readonly #waiting: Line<Waiting> = new Line()
  #running = 0

  constructor(parts: HandlersParts) {
    this.#parts = parts
  }

  /** The other side asks, or begins a stream; `payload` is lent. */
  serve(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void {
    const { exchanges, counters, circuit, maxHandlers, registry } = this.#parts
    const isServed = exchange.isStream
      ? registry.findStream(exchange.id) !== undefined
      : registry.find(exchange.id) !== undefined || registry.byDefault !== undefined
    if (!isServed) {
      counters.unhandled += 1
      const what = `nobody handles ${exchange.isStream ? 'streams' : 'messages'} of type ${exchange.id} here`
      exchanges.reset(exchange, new PlaitError('NO_HANDLER', what, { facts: { id: exchange.id } }))
      return
    }
    const context = new Context(circuit)
    if (exchange.isStream) this.#serveStream(exchange, content, encoding, payload, context)
    else if (this.#running < maxHandlers) this.#serveRequest(exchange, content, encoding, payload, context)
    else {
      const place = this.#waiting.push({ exchange, content, encoding, payload: payload.slice(), context })
      const heldBytes = payload.length + waitingBytes
      exchange.handler = new Serving(context, () => {
        if (this.#waiting.leave(place)) circuit.release(heldBytes)
      })
      circuit.hold(heldBytes)
    }
  }

  /** The circuit has ended. */
  clear(): void {
    this.#waiting.clear()
  }

  #serveRequest(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array, context: Context): void {
    const { exchanges, packer, counters, registry } = this.#parts
    const registration = registry.find(exchange.id)
    const name = registration?.type.name ?? `message ${exchange.id}`
    exchange.handler ??= new Serving(context)
    let message: unknown
    try {
      message =
        registration === undefined
          ? packer.inflate(encoding, payload).slice()
          : packer.unpack(registration.type.request, content, encoding, payload)
    } catch (error) {
      counters.invalid += 1
      exchanges.reset(exchange, failureOf(error, name))
      return
    }
    let result: unknown
    let isLater = false
    try {
      result =
        registration === undefined
          ? registry.byDefault?.({ id: exchange.id, kind: 'request', content, payload: message as Uint8Array }, context)
          : registration.handler(message, context)
      isLater = isPromise(result)
    } catch (error) {
      this.#fail(exchange, error, name)
      return
    }
    if (!isLater) {
      this.#answer(exchange, registration, result, name)
      return
    }
    this.#running += 1
    // Of what is no promise of this language nobody knows how often it settles.
    Promise.resolve(result).then(
      (value) => this.#settled(() => this.#answer(exchange, registration, value, name)),
      (error: unknown) => this.#settled(() => this.#fail(exchange, error, name)),
    )
  }

  /** A handler that took its time is through: the next one may begin. */
  #settled(then: () => void): void {
    this.#running -= 1
    this.#parts.enter()
    then()
    while (this.#running < this.#parts.maxHandlers) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      const { exchange, content, encoding, payload, context } = next
      this.#parts.circuit.release(payload.length + waitingBytes)
      this.#serveRequest(exchange, content, encoding, payload, context)
    }
  }

  #answer(exchange: Exchange, registration: Registration | undefined, value: unknown, name: string): void {
    const { exchanges, packer } = this.#parts
    try {
      const packed =
        registration === undefined
          ? packer.pack(bytes(), (value as Uint8Array | undefined) ?? new Uint8Array(0))
          : packer.pack(registration.type.response, value)
      exchanges.respond(exchange, packed)
    } catch (error) {
      this.#fail(exchange, error, name)
    }
  }

  #fail(exchange: Exchange, error: unknown, name: string): void {
    if (exchange.isOver) this.#parts.counters.late += 1
    this.#parts.report(error, name)
    this.#parts.exchanges.reset(exchange, failureOf(error, name))
  }

  #serveStream(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array, context: Context): void {
    const { exchanges, packer, counters, registry } = this.#parts
    const { type, handler } = registry.findStream(exchange.id) as StreamRegistration
    const end = new StreamEnd(this.#parts.stream(type.response, type.request), false)
    end.exchange = exchange
    end.settled = () => context.abort(new PlaitError('CANCELLED', 'the stream is over'))
    exchange.handler = end
    let message: unknown
    try {
      message = packer.unpack(type.request, content, encoding, payload)
    } catch (error) {
      counters.invalid += 1
      exchanges.reset(exchange, failureOf(error, type.name))
      return
    }
    void this.#stream(() => handler(message, context, end), end, type.name)
  }

  /** Runs the handler of a stream to its end; never rejects. */
  async #stream(
    run: () => AsyncIterable<unknown> | Promise<void> | void,
    end: StreamEnd<unknown, unknown>,
    name: string,
  ): Promise<void> {
    try {
      const result = run()
      if (isIterable(result)) await sendAll(result, end)
      else if (isPromise(result)) await result
      else return
      end.finish()
    } catch (error) {
      if (end.signal.aborted) return
      this.#parts.report(error, name)
      end.abort(failureOf(error, name))
    }
  }
}

/** Of a request that is served nothing more comes but its end. */
class Serving implements ExchangeHandler {
  readonly #context: Context
  readonly #leave: (() => void) | undefined

  constructor(context: Context, leave?: () => void) {
    this.#context = context
    this.#leave = leave
  }

  failed(error: PlaitError): void {
    this.#leave?.()
    this.#context.abort(error)
  }

  answered(): void {}
  item(): void {}
  ended(): void {}
  drained(): void {}
}

/** Sends what an iterable gives, no faster than it leaves; leaves the iterable when the stream is over. */
async function sendAll(values: AsyncIterable<unknown>, end: StreamEnd<unknown, unknown>): Promise<void> {
  const { signal } = end
  for await (const value of values) {
    if (signal.aborted) return
    if (!end.send(value)) await end.ready()
    if (signal.aborted) return
  }
}
