import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { Probe } from '../runtime/probe.ts'
import type { Exchange, Waiting } from './exchange.ts'
import { Line } from './line.ts'

/** Exchanges for which the other side has no room yet, with their first messages, in order. */
export class Backlog {
  readonly #limits: Limits
  readonly #probe: Probe
  readonly #line: Line<Waiting> = new Line()
  #bytes = 0

  constructor(limits: Limits, probe: Probe) {
    this.#limits = limits
    this.#probe = probe
  }

  get length(): number {
    return this.#line.length
  }

  /** Throws `BUFFER_FULL`. */
  push(waiting: Waiting): void {
    const { requestsWaiting, sendBufferBytes } = this.#limits
    const { exchange, first } = waiting
    const bytes = this.#bytes + first.payload.length
    if (this.#line.length >= requestsWaiting || (this.#line.length > 0 && bytes > sendBufferBytes)) {
      this.#probe.sometimes('requests waiting at their limit')
      const limit = this.#line.length >= requestsWaiting ? requestsWaiting : sendBufferBytes
      throw new PlaitError('BUFFER_FULL', 'too many requests wait to be sent: wait for some answers first', {
        facts: { limit },
      })
    }
    exchange.place = this.#line.push(waiting)
    this.#bytes = bytes
  }

  shift(): Waiting | undefined {
    const next = this.#line.shift()
    if (next === undefined) return undefined
    this.#bytes -= next.first.payload.length
    next.exchange.place = undefined
    return next
  }

  /** It is not wanted any more, and was never sent. False when it does not wait here. */
  leave(exchange: Exchange): boolean {
    const { place } = exchange
    const bytes = place?.item?.first.payload.length ?? 0
    if (place === undefined || !this.#line.leave(place)) return false
    this.#bytes -= bytes
    exchange.place = undefined
    return true
  }

  /** Empties it; gives who waited. */
  clear(): readonly Waiting[] {
    this.#bytes = 0
    return this.#line.clear()
  }
}
