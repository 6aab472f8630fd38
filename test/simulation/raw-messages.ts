import { PlaitError } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import {
  kinds,
  packHeader,
  unpackHeader,
  type Encoding,
  type Kind,
  type MessageHeader,
} from '../../src/message/frame.ts'
import { ping } from '../../src/message/system.ts'
import type { Process } from '../../src/testing/index.ts'
import { decodeError } from '../../src/wire/error.ts'
import type { FragmentFields } from '../../src/wire/fragment.ts'

/** How something is said. */
export interface Saying {
  readonly op?: number
  readonly payload?: Uint8Array
  readonly content?: number
  readonly encoding?: Encoding
  /** Of an exchange that the other end has begun. */
  readonly isTheirs?: boolean
  readonly deadline?: string
}

/** What has come from the other end. */
export interface Heard extends MessageHeader {
  readonly op: number
  readonly payload: Uint8Array
}

const nothing = new Uint8Array(0)

/** One end of a circuit of messages that says whatever it likes, and takes note of what it is told. */
export class RawMessages {
  readonly circuit: Circuit
  readonly heard: Heard[] = []
  isClosed = false
  /** Why the circuit has ended, unless that was in order. */
  error: PlaitError | undefined
  /** Is told of all that comes. */
  onHeard: ((heard: Heard) => void) | undefined
  #lastNumber = 0
  readonly #waiting = new Set<() => void>()

  constructor(circuit: Circuit) {
    this.circuit = circuit
    void circuit.closed.then(({ error }) => {
      this.isClosed = true
      this.error = error
      this.#look()
    })
    circuit.receive(({ op, part, payload }) => {
      const heard = { ...unpackHeader(part), op, payload: payload.slice() }
      this.heard.push(heard)
      this.onHeard?.(heard)
      this.#look()
    })
  }

  /** The number of an exchange that this end has not begun yet. */
  number(): number {
    this.#lastNumber += 1
    return this.#lastNumber
  }

  /** Says something of an exchange. */
  say(kind: Kind, number: number, saying: Saying = {}): void {
    const { op = 0, payload = nothing, content = 0, encoding = 0, isTheirs = false, deadline } = saying
    const part = packHeader(kind, !isTheirs, number, content, encoding)
    this.send({ op, part, payload, ...(deadline === undefined ? {} : { args: { deadline } }) })
  }

  /** What an ended circuit does not take is not said. */
  send(fragment: FragmentFields): void {
    try {
      this.circuit.send(fragment)
    } catch (error) {
      if (!PlaitError.is(error)) throw error
    }
  }

  /** Asks as one should; gives whether the answer has come. */
  ping(): () => boolean {
    const number = this.number()
    const payload = Uint8Array.of(number)
    this.say(kinds.request, number, { op: ping.id, payload })
    return () => this.of(number).some((heard) => heard.kind === kinds.response && heard.payload[0] === payload[0])
  }

  /** What was heard of an exchange that was begun here. */
  of(number: number): readonly Heard[] {
    return this.heard.filter((heard) => heard.number === number && !heard.initiator && heard.kind !== kinds.post)
  }

  /** Whether the other end has ended it with one of these errors. */
  isReset(number: number, ...codes: readonly string[]): boolean {
    return this.of(number).some(
      ({ kind, payload }) => kind === kinds.reset && codes.includes(decodeError(payload, 0, payload.length).code),
    )
  }

  /** Resolves when `isDone`, when the circuit has ended, or after `limitMs`. */
  until(isDone: () => boolean, process: Process, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (isDone() || this.isClosed) finish()
      }
      const finish = (): void => {
        timer.cancel()
        this.#waiting.delete(look)
        resolve()
      }
      const timer = process.runtime.timers.after(limitMs, finish)
      this.#waiting.add(look)
      look()
    })
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}
