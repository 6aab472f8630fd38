import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import { decodeError, encodeError } from '../wire/error.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeTable } from './exchange-table.ts'
import { say } from './exchanges-host.ts'
import type { ExchangesHost } from './exchanges-host.ts'
import { costOf } from './flow.ts'
import { kinds } from './frame.ts'
import type { MessageHeader } from './frame.ts'
import { deaf } from './stream-sender.ts'
import type { StreamSender } from './stream-sender.ts'
import type { Wheel } from './wheel.ts'

export interface IncomingParts {
  readonly host: ExchangesHost
  readonly table: ExchangeTable
  readonly sender: StreamSender
  readonly wheel: Wheel<Exchange>
  /** Both sides may have said their last word. */
  settle(exchange: Exchange): void
  /** Ends an exchange in both directions; its handler is told nothing. */
  reset(exchange: Exchange, error: PlaitError): void
}

/** What the other side says of exchanges, and what follows from it. */
export class Incoming {
  readonly #parts: IncomingParts
  readonly #host: ExchangesHost

  constructor(parts: IncomingParts) {
    this.#parts = parts
    this.#host = parts.host
  }

  /** A message of an exchange has come. Throws what ends the circuit; what is wrong with one exchange ends that one. */
  receive(header: MessageHeader, op: number, payload: Uint8Array, deadlineMs: number): void {
    const { kind, initiator, number } = header
    assert(kind !== kinds.post, 'a post belongs to no exchange')
    if (kind === kinds.request || kind === kinds.open) {
      this.#asked(header, op, payload, deadlineMs)
      return
    }
    const exchange = this.#parts.table.find(initiator, number)
    if (exchange === undefined) {
      this.#host.counters.late += 1
      if (kind === kinds.reset && initiator) this.#host.probe.sometimes('cancel crossed its answer')
      return
    }
    switch (kind) {
      case kinds.response:
        this.#response(exchange, header, payload)
        return
      case kinds.data:
        this.#data(exchange, header, payload)
        return
      case kinds.end:
        this.#ended(exchange, op)
        return
      case kinds.reset:
        this.#reset(exchange, payload)
        return
      case kinds.credit:
        this.#credited(exchange, op)
        return
    }
  }

  #asked(
    { kind, initiator, number, content, encoding }: MessageHeader,
    id: number,
    payload: Uint8Array,
    deadlineMs: number,
  ): void {
    const { table, wheel } = this.#parts
    const { counters, limits, now } = this.#host
    table.take(initiator, number)
    const exchange = new Exchange(false, id, kind === kinds.open)
    exchange.number = number
    const limit = limits.requestsInFlight
    if (table.theirsLive >= limit) {
      // Nothing is kept of it: else a sender that never says its last word could begin any number.
      const error = new PlaitError('BUSY', `${limit} exchanges live already`, { facts: { limit } })
      counters.refused += 1
      this.#host.probe.sometimes('too many exchanges')
      say(this.#host, exchange, kinds.reset, encodeError(error, limits))
      return
    }
    if (exchange.isStream) counters.streamsOpened += 1
    else {
      exchange.heardLast = true
      counters.requestsReceived += 1
    }
    table.keep(exchange)
    if (deadlineMs !== Infinity) wheel.set(exchange, now + deadlineMs)
    this.#host.asked(exchange, content, encoding, payload)
  }

  #response(exchange: Exchange, { initiator, content, encoding }: MessageHeader, payload: Uint8Array): void {
    if (exchange.isStream || initiator) {
      this.#misused(exchange, 'an answer to what was no request')
      return
    }
    const { handler, isOver } = exchange
    this.#host.counters.responsesReceived += 1
    exchange.heardLast = true
    exchange.isOver = true
    this.#parts.settle(exchange)
    if (isOver) {
      this.#host.probe.sometimes('late answer dropped')
      this.#host.counters.late += 1
    } else handler?.answered(content, encoding, payload)
  }

  #data(exchange: Exchange, { content, encoding }: MessageHeader, payload: Uint8Array): void {
    const { flow, handler } = exchange
    if (flow === undefined || exchange.heardLast) {
      this.#misused(exchange, 'data where there is none')
      return
    }
    if (!flow.receive(costOf(payload.length))) {
      this.#misused(exchange, 'data beyond the credit of its stream')
      return
    }
    this.#host.counters.itemsReceived += 1
    // What was on its way when this end gave up.
    if (exchange.isOver || exchange.isDeaf) this.#host.counters.dropped += 1
    else handler?.item(content, encoding, payload)
  }

  #ended(exchange: Exchange, op: number): void {
    if (exchange.heardLast || !exchange.isStream) {
      this.#misused(exchange, 'an end where there is none')
      return
    }
    const { handler, isOver } = exchange
    if (exchange.ending || exchange.sentLast) this.#host.probe.sometimes('stream closed by both')
    exchange.heardLast = true
    if (op === deaf && !exchange.sentLast) {
      // Nobody reads there any more: the last word follows at once.
      this.#host.probe.sometimes('stream ended by the end of its handler')
      exchange.drop()
      exchange.sentLast = true
      say(this.#host, exchange, kinds.end)
    }
    this.#parts.settle(exchange)
    if (!isOver) handler?.ended()
  }

  #reset(exchange: Exchange, payload: Uint8Array): void {
    const { handler, isOver, heardLast } = exchange
    const error = said(payload, this.#host.limits)
    exchange.heardLast = true
    exchange.isOver = true
    exchange.drop()
    if (exchange.ours) this.#host.counters.errorsReceived += 1
    else this.#host.counters.cancelled += 1
    this.#parts.wheel.clear(exchange)
    if (isOver) this.#host.probe.sometimes('resets crossed')
    if (!exchange.sentLast) {
      // Its last word was wanted, whatever it says: the other side's place is free with it.
      exchange.sentLast = true
      if (exchange.isStream && heardLast) this.#host.probe.sometimes('reset after the end')
      if (exchange.isStream) say(this.#host, exchange, kinds.end)
      else {
        this.#host.counters.errorsSent += 1
        say(this.#host, exchange, kinds.reset, payload.slice())
      }
    }
    this.#parts.settle(exchange)
    if (!isOver) handler?.failed(error)
  }

  #credited(exchange: Exchange, bytes: number): void {
    const { flow } = exchange
    if (flow === undefined || bytes <= 0 || flow.creditBytes + bytes > Number.MAX_SAFE_INTEGER) {
      this.#misused(exchange, 'credit that means nothing')
      return
    }
    if (flow.creditBytes <= 0) this.#host.probe.sometimes('stream credit restored')
    flow.creditBytes += bytes
    this.#parts.sender.schedule(exchange)
  }

  #misused(exchange: Exchange, what: string): void {
    const { handler, isOver } = exchange
    const error = new PlaitError('PROTOCOL', `the other side sent ${what}`)
    this.#host.probe.sometimes('exchange ended by a hostile message')
    this.#parts.reset(exchange, error)
    exchange.heardLast = true
    this.#parts.settle(exchange)
    if (!isOver) handler?.failed(error)
  }
}

/** Why the other side gave up; what is wrong with how it says so ends its exchange too. */
function said(payload: Uint8Array, limits: Limits): PlaitError {
  try {
    return decodeError(payload, 0, payload.length, limits)
  } catch (error) {
    return PlaitError.from(error, 'PROTOCOL')
  }
}
