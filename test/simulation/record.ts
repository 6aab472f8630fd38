import { PlaitError, type ErrorCode } from '../../src/base/error.ts'
import type { Circuit, CloseReason, ErrorFragment, Fragment } from '../../src/circuit/circuit-api.ts'
import type { Process } from '../../src/testing/index.ts'
import { difference, type Sent } from './pattern.ts'

/** One direction of a circuit, as a model outside of the nodes. */
export class Flow {
  /** Without those that have been received. */
  readonly sent: (Sent | undefined)[] = []
  received = 0
  errorsSent = 0
  errorsReceived = 0
  /** Number of the error that came last. */
  lastError = -1
  readonly #serials: number[] = []
  #serial = 0

  send(sent: Sent): void {
    this.sent.push(sent)
    this.#serials.push(this.#serial)
    this.#serial += 1
  }

  sendError(): void {
    this.errorsSent += 1
    this.#serial += 1
  }

  /** Position of a fragment among all that were sent, error fragments included. */
  serial(index: number): number | undefined {
    return this.#serials[index]
  }
}

/** One end of a circuit: the process that holds it, what its application did, and how it ended. */
export class End {
  readonly name: string
  process: Process | undefined
  circuit: Circuit | undefined
  /** The application here called `end`, `close` or `abort`. */
  ended = false
  closing: CloseReason | undefined
  aborted = false
  /** The reader here has slept for longer than the other end waits when it closes. */
  overslept = false
  /** Its node was closed meanwhile, and with it this end, in good order. */
  left = false
  reason: CloseReason | undefined
  finishedAtMs: number = Number.POSITIVE_INFINITY
  /** All that the application wanted to do here is done. */
  isDone = false
  /** The reader saw the regular end of what the other side sent. */
  sawEnd = false

  constructor(name: string) {
    this.name = name
  }

  /** The process was crashed, and with it this end. */
  get isDead(): boolean {
    return this.process?.scope.ended === true
  }
}

/** What a record asks of the world. */
export interface Judge {
  readonly now: () => number
  /** May a circuit end with this code although neither of its applications wanted that? */
  readonly excuses: (code: ErrorCode) => boolean
  readonly violation: (text: string) => void
}

/** One circuit from the request to open it to its end, as seen from outside of both nodes. */
export class CircuitRecord {
  readonly key: string
  readonly opener: End
  readonly acceptor: End
  /** From the opener, and back. */
  readonly flows: readonly [Flow, Flow] = [new Flow(), new Flow()]
  readonly #judge: Judge
  /** The open has been accepted, refused or ended. */
  isSettled = false
  refusal: unknown

  constructor(key: string, opener: string, acceptor: string, judge: Judge) {
    this.key = key
    this.opener = new End(opener)
    this.acceptor = new End(acceptor)
    this.#judge = judge
  }

  /** Both ends have ended, or are in processes that have. */
  get isOver(): boolean {
    const isOver = (end: End): boolean =>
      end.isDead || end.circuit === undefined || (end.reason !== undefined && end.isDone)
    return (this.isSettled || this.opener.isDead) && isOver(this.opener) && isOver(this.acceptor)
  }

  other(end: End): End {
    return end === this.opener ? this.acceptor : this.opener
  }

  outgoing(end: End): Flow {
    return this.flows[end === this.opener ? 0 : 1]
  }

  incoming(end: End): Flow {
    return this.flows[end === this.opener ? 1 : 0]
  }

  /** A fragment has come: the next one of what was sent, with the same contents. Returns what was sent. */
  deliver(end: End, fragment: Fragment): Sent | undefined {
    const flow = this.incoming(end)
    const index = flow.received
    const sent = flow.sent[index]
    if (sent !== undefined) flow.sent[index] = undefined
    const where = (): string => `fragment ${index} of ${this.key} at ${end.name}`
    const serial = flow.serial(index)
    if (fragment.serial !== serial) this.violation(`${where()} has serial ${fragment.serial} instead of ${serial}`)
    flow.received += 1
    // The end is known as soon as the last fragment has been taken, in the same turn as that.
    if (this.#judge.now() > end.finishedAtMs) this.violation(`${where()} came after the end`)
    if (sent === undefined) {
      this.violation(`${where()} was never sent; only ${flow.sent.length} were`)
      return undefined
    }
    const unlike = difference(sent, fragment)
    if (unlike !== undefined) this.violation(`${where()} has ${unlike}`)
    return sent
  }

  /** Error fragments come in order and once; some may have been dropped. */
  deliverError(end: End, fragment: ErrorFragment): void {
    const flow = this.incoming(end)
    const number = fragment.error.code - firstErrorCode
    if (number <= flow.lastError || number >= flow.errorsSent) {
      this.violation(
        `error ${number} of ${this.key} at ${end.name} came after ${flow.lastError}; ${flow.errorsSent} were sent`,
      )
    }
    if (fragment.error.message !== errorText(this.key, number))
      this.violation(`error ${number} of ${this.key} says ${fragment.error.message}`)
    flow.lastError = number
    flow.errorsReceived += 1
  }

  /** The reader has reached the end of what the other side sent. */
  reachEnd(end: End): void {
    end.sawEnd = true
    if (end.closing !== undefined || end.aborted || end.left) return
    const other = this.other(end)
    const flow = this.incoming(end)
    if (!other.ended && !other.left)
      this.violation(`${this.key} ended at ${end.name} although ${other.name} has not ended it`)
    if (flow.received !== flow.sent.length)
      this.violation(`${this.key} ended at ${end.name} after ${flow.received} of ${flow.sent.length} fragments`)
  }

  /** The circuit is over at this end. */
  finish(end: End, reason: CloseReason): void {
    if (end.reason !== undefined) this.violation(`${this.key} ended twice at ${end.name}`)
    end.reason = reason
    end.finishedAtMs = this.#judge.now()
    if (reason.error === undefined) this.#finishInOrder(end, reason)
    else this.fail(end, reason.error)
  }

  /** Something failed at `end`: is there a reason for it? */
  fail(end: End, error: unknown): void {
    if (!PlaitError.is(error))
      return this.violation(
        `${this.key} at ${end.name} failed untyped: ${error instanceof Error ? error.stack : String(error)}`,
      )
    const other = this.other(end)
    if (isExplained(error.code, end, other) || this.#judge.excuses(error.code)) return
    this.violation(`${this.key} at ${end.name} failed without a cause: ${error.code} ${error.message}`)
  }

  violation(text: string): void {
    this.#judge.violation(text)
  }

  #finishInOrder(end: End, reason: CloseReason): void {
    const other = this.other(end)
    if (end.left || other.left) return
    const expected = [end.closing, other.closing].filter((closing) => closing !== undefined)
    const rightOnes = end.closing === undefined ? expected : [end.closing]
    const isRight =
      expected.length === 0
        ? reason.code === 0 && reason.message === ''
        : rightOnes.some(({ code, message }) => code === reason.code && message === reason.message)
    if (!isRight)
      this.violation(
        `${this.key} at ${end.name} reports the reason ${JSON.stringify(reason)}, not ${JSON.stringify(rightOnes)}`,
      )
    if (expected.length === 0 && !(end.ended && other.ended))
      this.violation(`${this.key} ended at ${end.name} although nobody closed it`)
  }
}

/** Error fragment number n of a circuit has this code plus n. */
export const firstErrorCode = 5_000

export function errorText(key: string, number: number): string {
  return `error ${number} of ${key}`
}

/** What an end of a circuit may be told when one of the two applications did something. */
function isExplained(code: ErrorCode, end: End, other: End): boolean {
  switch (code) {
    case 'ABORTED':
      return end.aborted || other.aborted
    case 'CLOSE_TIMEOUT':
      return (end.overslept && other.closing !== undefined) || (other.overslept && end.closing !== undefined)
    case 'CIRCUIT_CLOSED':
      return end.circuit?.state === 'closing' || end.circuit?.state === 'closed'
    default:
      return false
  }
}
