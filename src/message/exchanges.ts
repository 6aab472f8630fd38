import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import { NumberMap } from '../base/number-map.ts'
import { Queue } from '../base/queue.ts'
import type { Probe } from '../runtime/probe.ts'
import { decodeError, encodeError } from '../wire/error.ts'
import type { MessageCounters } from './counters.ts'
import { Exchange } from './exchange.ts'
import type { ExchangeHandler, Packed, Waiting } from './exchange.ts'
import { costOf } from './flow.ts'
import { kinds, largestNumber, packHeader } from './frame.ts'
import type { Encoding, Kind, MessageHeader } from './frame.ts'
import { Line } from './line.ts'
import { Wheel } from './wheel.ts'

/** What the table of exchanges needs of the messenger. */
export interface ExchangesHost {
  readonly limits: Limits
  readonly probe: Probe
  readonly counters: MessageCounters
  /** The time of the call that is being handled. */
  readonly now: number
  /** Must be taken; returns whether there is room for more. */
  send(op: number, part: number, payload: Uint8Array | undefined, deadlineMs?: number): boolean
  /** Whether there is room at all. */
  readonly roomy: boolean
  /** So much waits to leave that the other side seems to take nothing. */
  readonly choked: boolean
  /** The other side begins an exchange; `payload` is lent. */
  asked(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void
  /** There is one exchange less. */
  settled(): void
}

/** Deadlines are kept to this many ms. */
const slotMs = 8
const no = undefined
/** `op` of an `end` whose sender reads no more either. */
const deaf = 1

/**
 * The exchanges of one circuit: their numbers, their order, who has said what, deadlines, credit. No I/O, no promise, no clock. Every
 * exchange ends with a last word from each side, and its place is free when both have been said: whoever gives up still
 * waits for the other's, so that neither side ever has more alive than the other one allows.
 */
export class Exchanges {
  readonly #host: ExchangesHost
  readonly #ours: NumberMap<Exchange> = new NumberMap()
  readonly #theirs: NumberMap<Exchange> = new NumberMap()
  /** Exchanges for which the other side has no room yet, with their first message. */
  readonly #waiting: Line<Waiting> = new Line()
  #waitingBytes = 0
  /** Streams with something to send, in turn. */
  readonly #sending: Queue<Exchange> = new Queue()
  readonly #wheel: Wheel<Exchange> = new Wheel(slotMs)
  #oursMax: number
  #lastOurs = 0
  #lastTheirs = 0

  constructor(host: ExchangesHost) {
    this.#host = host
    this.#oursMax = host.limits.requestsInFlight
  }

  get deadline(): number {
    return this.#wheel.deadline
  }

  /** Live exchanges, those that wait for room among them. */
  get live(): number {
    return this.#ours.size + this.#theirs.size + this.#waiting.length
  }

  get oursLive(): number {
    return this.#ours.size
  }

  get waiting(): number {
    return this.#waiting.length
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
    if (this.#ours.size < this.#oursMax && this.#waiting.length === 0) this.#start(exchange, first, deadlineAt)
    else this.#wait({ exchange, first, deadlineAt })
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
    const { limits } = this.#host
    if (exchange.sentLast || exchange.ending || exchange.isOver)
      throw new PlaitError('CIRCUIT_CLOSED', 'nothing can be sent on this stream any more: it was ended, or has failed')
    if (exchange.outgoingBytes > 0 && exchange.outgoingBytes + costOf(item.payload.length) > limits.sendBufferBytes)
      throw new PlaitError(
        'BUFFER_FULL',
        'too much waits to be sent on this stream: wait for ready() when send() returns false',
        {
          facts: { limit: limits.sendBufferBytes },
        },
      )
    exchange.keep(item)
    this.#schedule(exchange)
    return exchange.outgoing === undefined || exchange.outgoing.length === 0
  }

  /** Nothing more will be sent; what waits still leaves. With `isDeaf` nothing more is read either. */
  end(exchange: Exchange, isDeaf = false): void {
    if (isDeaf) exchange.isDeaf = true
    if (exchange.sentLast || exchange.ending) return
    exchange.ending = true
    this.#schedule(exchange)
  }

  /** Ends the exchange in both directions; the handler is told nothing. */
  reset(exchange: Exchange, error: PlaitError): void {
    if (exchange.isOver || exchange.done) return
    exchange.isOver = true
    exchange.drop()
    this.#wheel.clear(exchange)
    if (exchange.number === 0) {
      this.#leave(exchange)
      return
    }
    this.#say(exchange, kinds.reset, encodeError(error, this.#host.limits))
    exchange.sentLast = true
    if (!exchange.ours) this.#host.counters.errorsSent += 1
    this.#settle(exchange)
  }

  /** `costBytes` of a stream have been read. */
  consumed(exchange: Exchange, costBytes: number, isWaiting: boolean): void {
    const { flow } = exchange
    if (flow === undefined || exchange.heardLast || exchange.isOver) return
    const backBytes = flow.read(costBytes, isWaiting)
    if (backBytes > 0) this.#host.send(backBytes, packHeader(kinds.credit, exchange.ours, exchange.number, 0), no)
  }

  /** A message of an exchange has come. Throws what ends the circuit; what is wrong with one exchange ends that one. */
  receive(header: MessageHeader, op: number, payload: Uint8Array, deadlineMs: number): void {
    const { kind, initiator, number } = header
    assert(kind !== kinds.post, 'a post belongs to no exchange')
    if (kind === kinds.request || kind === kinds.open) {
      this.#asked(header, op, payload, deadlineMs)
      return
    }
    const exchange = (initiator ? this.#theirs : this.#ours).get(number)
    if (exchange === undefined) {
      if (number === 0 || number > (initiator ? this.#lastTheirs : this.#lastOurs)) {
        throw new PlaitError('PROTOCOL', `the other side sent a message of exchange ${number}, which was never begun`)
      }
      this.#host.counters.late += 1
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
        this.#hasReset(exchange, payload)
        return
      case kinds.credit:
        this.#credited(exchange, op)
        return
    }
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
    for (let turns = this.#sending.length; turns > 0 && this.#host.roomy; turns -= 1) {
      const exchange = this.#sending.shift() as Exchange
      exchange.scheduled = false
      this.#drain(exchange)
    }
    if (this.#host.roomy && this.#sending.length > 0) this.pump()
  }

  /** The circuit has ended: all exchanges with it. */
  fail(error: PlaitError): void {
    if (this.#ours.size + this.#theirs.size > 0) this.#host.probe.sometimes('exchanges lost with their circuit')
    const lost = [...this.#ours.values(), ...this.#theirs.values()]
    for (const { exchange } of this.#waiting.clear()) lost.push(exchange)
    this.#waitingBytes = 0
    this.#ours.clear()
    this.#theirs.clear()
    this.#sending.clear()
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
    if (this.#lastOurs >= largestNumber)
      throw new PlaitError('BUSY', 'this circuit has used all its numbers: open another one')
    this.#lastOurs += 1
    exchange.number = this.#lastOurs
    this.#ours.set(exchange.number, exchange)
    const kind = exchange.isStream ? kinds.open : kinds.request
    if (!exchange.isStream) exchange.sentLast = true
    const { counters, now } = this.#host
    if (exchange.isStream) counters.streamsOpened += 1
    else counters.requestsSent += 1
    const part = packHeader(kind, true, exchange.number, content, encoding)
    // What is left of it: the other side does not know how long it has waited here.
    if (deadlineAt === Infinity) this.#host.send(exchange.id, part, payload)
    else this.#host.send(exchange.id, part, payload, Math.max(1, Math.ceil(deadlineAt - now)))
    if (exchange.outgoing !== undefined || exchange.ending) this.#schedule(exchange)
  }

  /** Throws `BUFFER_FULL`. */
  #wait(waiting: Waiting): void {
    const { requestsWaiting, sendBufferBytes } = this.#host.limits
    const { exchange, first } = waiting
    const bytes = this.#waitingBytes + first.payload.length
    if (this.#waiting.length >= requestsWaiting || (this.#waiting.length > 0 && bytes > sendBufferBytes)) {
      this.#host.probe.sometimes('requests waiting at their limit')
      const limit = this.#waiting.length >= requestsWaiting ? requestsWaiting : sendBufferBytes
      throw new PlaitError('BUFFER_FULL', 'too many requests wait to be sent: wait for some answers first', {
        facts: { limit },
      })
    }
    exchange.place = this.#waiting.push(waiting)
    this.#waitingBytes = bytes
  }

  /** It is not wanted any more, and was never sent. */
  #leave(exchange: Exchange): void {
    const { place } = exchange
    const bytes = place?.item?.first.payload.length ?? 0
    if (place === undefined || !this.#waiting.leave(place)) return
    this.#waitingBytes -= bytes
    exchange.place = undefined
    this.#host.settled()
  }

  /** Places have become free for those that wait. */
  #startWaiting(): void {
    while (this.#ours.size < this.#oursMax) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#waitingBytes -= next.first.payload.length
      next.exchange.place = undefined
      this.#start(next.exchange, next.first, next.deadlineAt)
    }
  }

  #asked(
    { kind, initiator, number, content, encoding }: MessageHeader,
    id: number,
    payload: Uint8Array,
    deadlineMs: number,
  ): void {
    if (!initiator || number <= this.#lastTheirs)
      throw new PlaitError('PROTOCOL', `the other side began exchange ${number}, which is not its to begin now`)
    this.#lastTheirs = number
    const { counters, limits, now } = this.#host
    const exchange = new Exchange(false, id, kind === kinds.open)
    exchange.number = number
    const limit = limits.requestsInFlight
    if (this.#theirs.size >= limit) {
      // Nothing is kept of it: else a sender that never says its last word could begin any number.
      const error = new PlaitError('BUSY', `${limit} exchanges live already`, { facts: { limit } })
      counters.refused += 1
      this.#say(exchange, kinds.reset, encodeError(error, limits))
      return
    }
    if (exchange.isStream) counters.streamsOpened += 1
    else {
      exchange.heardLast = true
      counters.requestsReceived += 1
    }
    this.#theirs.set(number, exchange)
    if (deadlineMs !== Infinity) this.#wheel.set(exchange, now + deadlineMs)
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
    this.#settle(exchange)
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
      this.#say(exchange, kinds.end, no)
    }
    this.#settle(exchange)
    if (!isOver) handler?.ended()
  }

  #hasReset(exchange: Exchange, payload: Uint8Array): void {
    const { handler, isOver, heardLast } = exchange
    const error = said(payload, this.#host.limits)
    exchange.heardLast = true
    exchange.isOver = true
    exchange.drop()
    if (exchange.ours) this.#host.counters.errorsReceived += 1
    else this.#host.counters.cancelled += 1
    this.#wheel.clear(exchange)
    if (isOver) this.#host.probe.sometimes('resets crossed')
    if (!exchange.sentLast) {
      // Its last word was wanted, whatever it says: the other side's place is free with it.
      exchange.sentLast = true
      if (exchange.isStream && heardLast) this.#host.probe.sometimes('reset after the end')
      if (exchange.isStream) this.#say(exchange, kinds.end, no)
      else {
        this.#host.counters.errorsSent += 1
        this.#say(exchange, kinds.reset, payload.slice())
      }
    }
    this.#settle(exchange)
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
    if (exchange.outgoing !== undefined || exchange.ending) this.#schedule(exchange)
  }

  #schedule(exchange: Exchange): void {
    if (exchange.scheduled || exchange.number === 0) return
    if (this.#host.roomy && this.#sending.length === 0) {
      this.#drain(exchange)
      return
    }
    exchange.scheduled = true
    this.#sending.push(exchange)
  }

  /** Sends of a stream what its credit and the room in the circuit allow. */
  #drain(exchange: Exchange): void {
    const { flow, outgoing } = exchange
    if (flow === undefined || exchange.sentLast) return
    const hadMore = outgoing !== undefined && outgoing.length > 0
    while (outgoing !== undefined && outgoing.length > 0 && flow.creditBytes > 0) {
      if (!this.#host.roomy) {
        exchange.scheduled = true
        this.#sending.push(exchange)
        break
      }
      const { content, encoding, payload } = outgoing.shift() as Packed
      exchange.outgoingBytes -= costOf(payload.length)
      flow.creditBytes -= costOf(payload.length)
      this.#host.counters.itemsSent += 1
      this.#host.send(0, packHeader(kinds.data, exchange.ours, exchange.number, content, encoding), payload)
    }
    if (outgoing === undefined || outgoing.length === 0) {
      exchange.outgoing = undefined
      if (exchange.ending) {
        exchange.sentLast = true
        this.#host.send(exchange.isDeaf ? deaf : 0, packHeader(kinds.end, exchange.ours, exchange.number, 0), no)
        this.#settle(exchange)
      }
      if (hadMore || exchange.sentLast) exchange.handler?.drained()
    }
  }

  #say(exchange: Exchange, kind: Kind, payload: Uint8Array | undefined): void {
    this.#host.send(0, packHeader(kind, exchange.ours, exchange.number, 0), payload)
  }

  #misused(exchange: Exchange, what: string): void {
    const { handler, isOver } = exchange
    const error = new PlaitError('PROTOCOL', `the other side sent ${what}`)
    exchange.heardLast = true
    if (isOver) this.#settle(exchange)
    else this.reset(exchange, error)
    if (!isOver) handler?.failed(error)
  }

  #settle(exchange: Exchange): void {
    if (!exchange.done) return
    this.#wheel.clear(exchange)
    if (!(exchange.ours ? this.#ours : this.#theirs).delete(exchange.number)) return
    this.#count(exchange)
    if (exchange.ours) this.#startWaiting()
    this.#host.settled()
  }

  #count(exchange: Exchange): void {
    if (exchange.isStream && exchange.number !== 0) this.#host.counters.streamsClosed += 1
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
