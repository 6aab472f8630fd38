import type { Limits } from '../base/limits.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Probe } from '../runtime/probe.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import type { MessageCounters } from './counters.ts'
import { deadlineArgs } from './deadline.ts'
import type { MessageType } from './define-message.ts'
import type { Exchange } from './exchange.ts'
import type { ExchangesHost } from './exchanges-host.ts'
import { kinds, packHeader } from './frame.ts'
import type { Encoding } from './frame.ts'
import type { Histogram } from './histogram.ts'
import { MessageSection } from './message-stats.ts'
import type { MessengerSettings } from './messenger-settings.ts'
import { Outbox } from './outbox.ts'
import { Packer } from './packer.ts'
import type { Asker } from './question.ts'
import { heartbeat, noBytes } from './system.ts'

export interface MessengerEvents {
  /** The other side begins an exchange; `payload` is lent. */
  asked(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void
  /** There is one exchange less. */
  settled(): void
  /** There is room again, after there was none. */
  drained(): void
}

/** What the parts of a messenger share: the time, the counters, and the way out. */
export class MessengerHost implements ExchangesHost, Asker {
  readonly limits: Limits
  readonly probe: Probe
  readonly counters: MessageCounters
  readonly latency: Histogram
  readonly packer: Packer
  readonly outbox: Outbox
  /** The time of the call that is being handled. */
  now = 0
  readonly #clock: Clock
  readonly #events: MessengerEvents
  readonly #onError: MessengerSettings['onError']

  constructor(circuit: Circuit, settings: MessengerSettings, events: MessengerEvents) {
    const { runtime, limits } = circuit.context
    const { counters, latency } = MessageSection.of(circuit.context)
    this.limits = limits
    this.probe = runtime.probe
    this.counters = counters
    this.latency = latency
    this.#clock = runtime.clock
    this.#events = events
    this.#onError = settings.onError
    this.packer = new Packer({ ...settings, payloadBytesMax: () => circuit.payloadBytesMax })
    this.outbox = new Outbox({
      circuit,
      flushMs: settings.flushMs,
      batchBytes: settings.batchBytes,
      drained: () => events.drained(),
      flushed: () => (counters.flushes += 1),
    })
    this.enter()
  }

  get roomy(): boolean {
    return this.outbox.roomy
  }

  get choked(): boolean {
    return this.outbox.choked
  }

  /** Before anything is done with exchanges. */
  enter(): void {
    this.now = this.#clock.now()
  }

  send(op: number, part: number, payload: Uint8Array | undefined, deadlineMs?: number): boolean {
    if (payload !== undefined) this.counters.bytesSent += payload.length
    this.outbox.send(fragmentOf(op, part, payload, deadlineMs))
    return this.outbox.roomy
  }

  /** A message that wants no answer. Throws what the codec throws, `FRAGMENT_TOO_LARGE`, `BUFFER_FULL`, `CIRCUIT_CLOSED`. */
  post<Request>(type: MessageType<Request, never> | MessageType<Request>, message: Request): boolean {
    const { content, encoding, payload } = this.packer.pack(type.request, message)
    this.outbox.check(payload.length)
    this.outbox.send({ op: type.id, part: packHeader(kinds.post, false, 0, content, encoding), payload })
    this.counters.postsSent += 1
    this.counters.bytesSent += payload.length
    if (type.id === heartbeat.id) this.counters.heartbeatsSent += 1
    return this.outbox.roomy
  }

  /** Tells the application what a handler has thrown. What that throws is its own affair, and goes nowhere. */
  report(error: unknown, type: string): void {
    try {
      this.#onError?.(error, type)
    } catch {
      // There is nobody left to tell.
    }
  }

  asked(exchange: Exchange, content: number, encoding: Encoding, payload: Uint8Array): void {
    this.#events.asked(exchange, content, encoding, payload)
  }

  settled(): void {
    this.#events.settled()
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
    : { op, part, payload: body, args: deadlineArgs(deadlineMs) }
}
