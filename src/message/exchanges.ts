import { PlaitError } from '../base/error.ts'
import { encodeError } from '../wire/error.ts'
import { Backlog } from './backlog.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeHandler, Packed } from './exchange.ts'
import { ExchangeTable } from './exchange-table.ts'
import { say } from './exchanges-host.ts'
import type { ExchangesHost } from './exchanges-host.ts'
import { kinds, packHeader } from './frame.ts'
import type { MessageHeader } from './frame.ts'
import { Incoming } from './incoming.ts'
import { StreamSender } from './stream-sender.ts'
import { Wheel } from './wheel.ts'

/** Deadlines are kept to this many ms. */
const slotMs = 8

/**
 * The exchanges of one circuit: their numbers, their order, who has said what, deadlines, credit. No I/O, no promise, no clock. Every
 * exchange ends with a last word from each side, and its place is free when both have been said: whoever gives up still
 * waits for the other's, so that neither side ever has more alive than the other one allows.
 */
export class Exchanges {
  readonly #host: ExchangesHost
  readonly #table: ExchangeTable = new ExchangeTable()
  readonly #backlog: Backlog
  readonly #sender: StreamSender
  readonly #incoming: Incoming
  readonly #wheel: Wheel<Exchange> = new Wheel(slotMs)
  #oursMax: number

  constructor(host: ExchangesHost) {
    const settle = (exchange: Exchange): void => this.#settle(exchange)
    this.#host = host
    this.#oursMax = host.limits.requestsInFlight
    this.#backlog = new Backlog(host.limits, host.probe)
    this.#sender = new StreamSender(host, settle)
    this.#incoming = new Incoming({
      host,
      table: this.#table,
      sender: this.#sender,
      wheel: this.#wheel,
      settle,
      reset: (exchange, error) => this.reset(exchange, error),
    })
  }

  get deadline(): number {
    return this.#wheel.deadline
  }

  /** Live exchanges, those that wait for room among them. */
  get live(): number {
    return this.#table.oursLive + this.#table.theirsLive + this.#backlog.length
  }

  get oursLive(): number {
    return this.#table.oursLive
  }

  get waiting(): number {
    return this.#backlog.length
  }

  /** Exchanges with a deadline. */
  get timed(): number {
    return this.#wheel.size
  }

  /** How many of ours the other side allows to live at once, as far as it has said. */
  allow(oursMax: number): void {
    this.#oursMax = Math.min(oursMax, this.#host.limits.requestsInFlight)
    this.#startWaiting()
  }

  /** Begins a request or a stream. Throws `BUFFER_FULL` when too many wait. `deadlineMs`: from now on, or `Infinity`. */
  begin(id: number, isStream: boolean, first: Packed, handler: ExchangeHandler, deadlineMs: number): Exchange {
    const exchange = new Exchange(true, id, isStream)
    exchange.handler = handler
    const deadlineAt = this.#host.now + deadlineMs
    if (this.#table.oursLive < this.#oursMax && this.#backlog.length === 0) this.#start(exchange, first, deadlineAt)
    else this.#backlog.push({ exchange, first, deadlineAt })
    if (deadlineMs !== Infinity) this.#wheel.set(exchange, deadlineAt)
    return exchange
  }

  /** Answers a request; nothing happens when it is over. Returns whether it was sent. */
  respond(exchange: Exchange, { content, encoding, payload }: Packed): boolean {
    if (exchange.sentLast) {
      this.#host.counters.late += 1
      return false
    }
    if (this.#host.choked) {
      this.reset(exchange, new PlaitError('BUSY', 'too many answers wait to be taken'))
      return false
    }
    exchange.sentLast = true
    this.#host.counters.responsesSent += 1
    this.#host.send(0, packHeader(kinds.response, false, exchange.number, content, encoding), payload)
    this.#settle(exchange)
    return true
  }

  /** One more message of a stream; it leaves when there is credit. Throws `CIRCUIT_CLOSED` after the last word, `BUFFER_FULL`. */
  push(exchange: Exchange, item: Packed): boolean {
    return this.#sender.push(exchange, item)
  }

  /** Nothing more will be sent; what waits still leaves. With `isDeaf` nothing more is read either. */
  end(exchange: Exchange, isDeaf = false): void {
    if (isDeaf) exchange.isDeaf = true
    if (exchange.sentLast || exchange.ending) return
    exchange.ending = true
    this.#sender.schedule(exchange)
  }

  /** Ends the exchange in both directions; the handler is told nothing. */
  reset(exchange: Exchange, error: PlaitError): void {
    if (exchange.isOver || exchange.done) return
    exchange.isOver = true
    exchange.drop()
    this.#wheel.clear(exchange)
    if (exchange.number === 0) {
      if (this.#backlog.leave(exchange)) this.#host.settled()
      return
    }
    say(this.#host, exchange, kinds.reset, encodeError(error, this.#host.limits))
    exchange.sentLast = true
    if (!exchange.ours) this.#host.counters.errorsSent += 1
    this.#settle(exchange)
  }

  /** `costBytes` of a stream have been read. */
  consumed(exchange: Exchange, costBytes: number, isWaiting: boolean): void {
    const { flow } = exchange
    if (flow === undefined || exchange.heardLast || exchange.isOver) return
    const backBytes = flow.read(costBytes, isWaiting)
    if (backBytes > 0) say(this.#host, exchange, kinds.credit, undefined, backBytes)
  }

  /** A message of an exchange has come. Throws what ends the circuit; what is wrong with one exchange ends that one. */
  receive(header: MessageHeader, op: number, payload: Uint8Array, deadlineMs: number): void {
    this.#incoming.receive(header, op, payload, deadlineMs)
  }

  /** Time has passed. */
  tick(now: number): void {
    for (const exchange of this.#wheel.tick(now)) {
      // What is told of one may end another.
      if (exchange.isOver || exchange.done) continue
      const { handler } = exchange
      this.#host.counters.timeouts += 1
      this.#host.probe.sometimes('deadline reached')
      const error = new PlaitError('TIMEOUT', 'no answer before the deadline')
      this.reset(exchange, error)
      handler?.failed(error)
    }
  }

  /** There is room in the circuit again. */
  pump(): void {
    this.#sender.pump()
  }

  /** The circuit has ended: all exchanges with it. */
  fail(error: PlaitError): void {
    const lost = this.#table.clear()
    if (lost.length > 0) this.#host.probe.sometimes('exchanges lost with their circuit')
    for (const { exchange } of this.#backlog.clear()) lost.push(exchange)
    this.#sender.clear()
    for (const exchange of lost) {
      const { handler, isOver } = exchange
      this.#wheel.clear(exchange)
      exchange.sentLast = true
      exchange.heardLast = true
      exchange.isOver = true
      exchange.drop()
      this.#count(exchange)
      if (!isOver) handler?.failed(error)
    }
  }

  #start(exchange: Exchange, { content, encoding, payload }: Packed, deadlineAt: number): void {
    this.#table.add(exchange)
    const kind = exchange.isStream ? kinds.open : kinds.request
    if (!exchange.isStream) exchange.sentLast = true
    const { counters, now } = this.#host
    if (exchange.isStream) counters.streamsOpened += 1
    else counters.requestsSent += 1
    const part = packHeader(kind, true, exchange.number, content, encoding)
    // What is left of it: the other side does not know how long it has waited here.
    if (deadlineAt === Infinity) this.#host.send(exchange.id, part, payload)
    else this.#host.send(exchange.id, part, payload, Math.max(1, Math.ceil(deadlineAt - now)))
    this.#sender.schedule(exchange)
  }

  /** Places have become free for those that wait. */
  #startWaiting(): void {
    while (this.#table.oursLive < this.#oursMax) {
      const next = this.#backlog.shift()
      if (next === undefined) return
      this.#start(next.exchange, next.first, next.deadlineAt)
    }
  }

  #settle(exchange: Exchange): void {
    if (!exchange.done) return
    this.#wheel.clear(exchange)
    if (!this.#table.remove(exchange)) return
    this.#count(exchange)
    if (exchange.ours) this.#startWaiting()
    this.#host.settled()
  }

  #count(exchange: Exchange): void {
    if (exchange.isStream && exchange.number !== 0) this.#host.counters.streamsClosed += 1
  }
}
