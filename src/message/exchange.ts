import type { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { costOf, Flow } from './flow.ts'
import type { Encoding } from './frame.ts'
import type { Place } from './line.ts'
import type { WheelEntry } from './wheel.ts'

/** A payload with what its header says of it. */
export interface Packed {
  readonly content: number
  readonly encoding: Encoding
  readonly payload: Uint8Array
}

/** What an exchange tells the layer above; nothing after `failed`, nothing but `drained` after `ended`. Payloads are lent. */
export interface ExchangeHandler {
  /** The answer to a request. */
  answered(content: number, encoding: Encoding, payload: Uint8Array): void
  /** One more message of a stream. */
  item(content: number, encoding: Encoding, payload: Uint8Array): void
  /** The other side says no more, in order. */
  ended(): void
  /** The exchange is over: the other side's error, the deadline, the end of the circuit. */
  failed(error: PlaitError): void
  /** There is room for more of a stream. */
  drained(): void
}

/** An exchange for which the other side has no room yet, with its first message. */
export interface Waiting {
  readonly exchange: Exchange
  readonly first: Packed
  readonly deadlineAt: number
}

/** A request or a stream, at one of its ends. Both ends count it as live until each has said its last word. */
export class Exchange implements WheelEntry {
  /** 0 as long as it waits for the other side to have room for it. */
  number = 0
  /** Where it waits meanwhile. */
  place: Place<Waiting> | undefined
  /** Begun here. */
  readonly ours: boolean
  readonly id: number
  readonly isStream: boolean
  /** This end has said its last word; the other one has. */
  sentLast = false
  heardLast = false
  /** Nothing more is wanted here: what still comes is dropped. */
  isOver = false
  dueAt: number = Infinity
  handler: ExchangeHandler | undefined
  /** Of a stream; undefined for a request. */
  readonly flow: Flow | undefined
  /** What of a stream waits for credit, and for room in the circuit. */
  outgoing: Queue<Packed> | undefined
  /** What that costs, so that also empty messages are bounded. */
  outgoingBytes = 0
  /** `end` comes when all that waits has left. */
  ending = false
  /** Nobody here reads any more: `end` says so, and what still comes is dropped. */
  isDeaf = false
  /** Stands in the queue of those that have something to send. */
  scheduled = false

  constructor(ours: boolean, id: number, isStream: boolean) {
    this.ours = ours
    this.id = id
    this.isStream = isStream
    this.flow = isStream ? new Flow() : undefined
  }

  /** Both have said their last word. */
  get done(): boolean {
    return this.sentLast && this.heardLast
  }

  keep(item: Packed): void {
    this.outgoing ??= new Queue()
    this.outgoing.push(item)
    this.outgoingBytes += costOf(item.payload.length)
  }

  /** Forgets what has not been sent. */
  drop(): void {
    this.outgoing = undefined
    this.outgoingBytes = 0
    this.ending = false
  }
}
