import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import type { Exchange, Packed } from './exchange.ts'
import { say } from './exchanges-host.ts'
import type { ExchangesHost } from './exchanges-host.ts'
import { costOf } from './flow.ts'
import { kinds, packHeader } from './frame.ts'

/** `op` of an `end` whose sender reads no more either. */
export const deaf = 1

/** What leaves on the streams of a circuit: as their credit and the room in the circuit allow, in turn. */
export class StreamSender {
  readonly #host: ExchangesHost
  /** A stream has said its last word. */
  readonly #ended: (exchange: Exchange) => void
  /** Streams with something to send, in turn. */
  readonly #sending: Queue<Exchange> = new Queue()

  constructor(host: ExchangesHost, ended: (exchange: Exchange) => void) {
    this.#host = host
    this.#ended = ended
  }

  /** One more message; returns whether all has left. Throws `CIRCUIT_CLOSED` after the last word, `BUFFER_FULL`. */
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
    this.schedule(exchange)
    return exchange.outgoing === undefined || exchange.outgoing.length === 0
  }

  /** A stream may have something to send. */
  schedule(exchange: Exchange): void {
    if (exchange.scheduled || exchange.number === 0) return
    if (exchange.outgoing === undefined && !exchange.ending) return
    if (this.#host.roomy && this.#sending.length === 0) {
      this.#drain(exchange)
      return
    }
    exchange.scheduled = true
    this.#sending.push(exchange)
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

  clear(): void {
    this.#sending.clear()
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
        say(this.#host, exchange, kinds.end, undefined, exchange.isDeaf ? deaf : 0)
        this.#ended(exchange)
      }
      if (hadMore || exchange.sentLast) exchange.handler?.drained()
    }
  }
}
