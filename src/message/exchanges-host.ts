import type { Limits } from '../base/limits.ts'
import type { Probe } from '../runtime/probe.ts'
import type { MessageCounters } from './counters.ts'
import type { Exchange } from './exchange.ts'
import { packHeader } from './frame.ts'
import type { Encoding, Kind } from './frame.ts'

/** What the exchanges of a circuit need of the messenger. */
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

/** Says something of an exchange that is no message of its own type. */
export function say(host: ExchangesHost, exchange: Exchange, kind: Kind, payload?: Uint8Array, op: number = 0): void {
  host.send(op, packHeader(kind, exchange.ours, exchange.number, 0), payload)
}
