import { PlaitError } from '../base/error.ts'
import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { Circuit, WaitOptions } from '../circuit/circuit-api.ts'
import type { Codec } from './codec.ts'
import { cancelled } from './context.ts'
import type { Exchange, ExchangeHandler } from './exchange.ts'
import type { Exchanges } from './exchanges.ts'
import { costOf } from './flow.ts'
import type { Encoding } from './frame.ts'
import type { MessageStream } from './messenger-api.ts'
import type { Packer } from './packer.ts'

export interface StreamParts<Outgoing, Incoming> {
  readonly circuit: Circuit
  readonly exchanges: Exchanges
  readonly packer: Packer
  readonly outgoing: Codec<Outgoing>
  readonly incoming: Codec<Incoming>
  /** Before anything is done with the exchange. */
  readonly enter: () => void
  /** What the callback has thrown. */
  readonly failed: (error: unknown) => void
}

interface Unread<Incoming> {
  readonly value: Incoming
  /** What it takes of the credit, and of the session's account. */
  readonly costBytes: number
  readonly heldBytes: number
}

/** One end of a stream of messages. */
export class StreamEnd<Outgoing, Incoming> implements MessageStream<Outgoing, Incoming>, ExchangeHandler {
  /** Set as soon as it has begun. */
  exchange: Exchange | undefined
  /** Called once, when it is over. */
  settled: (() => void) | undefined
  readonly #parts: StreamParts<Outgoing, Incoming>
  readonly #isOurs: boolean
  readonly #unread: Queue<Unread<Incoming>> = new Queue()
  readonly #readers: Waiters<IteratorResult<Incoming, undefined>> = new Waiters()
  readonly #writers: Waiters = new Waiters()
  readonly #closers: Waiters = new Waiters()
  #handler: ((message: Incoming) => void) | undefined
  #controller: AbortController | undefined
  #remoteEnded = false
  /** It is read by `for await`. */
  #isIterated = false
  #isOver = false
  #error: PlaitError | undefined

  constructor(parts: StreamParts<Outgoing, Incoming>, isOurs: boolean) {
    this.#parts = parts
    this.#isOurs = isOurs
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isOver) this.#controller.abort(this.#error)
    }
    return this.#controller.signal
  }

  get closed(): Promise<void> {
    return this.#isOver ? Promise.resolve() : this.#closers.wait()
  }

  send(message: Outgoing): boolean {
    const { exchange } = this
    const { packer, outgoing, exchanges, enter } = this.#parts
    if (exchange === undefined || this.#isOver) throw this.#error ?? overError()
    enter()
    return exchanges.push(exchange, packer.pack(outgoing, message))
  }

  async ready(options: WaitOptions = {}): Promise<void> {
    while (!this.#isOver && (this.exchange?.outgoing?.length ?? 0) > 0) await this.#writers.wait(options.signal)
    if (this.#failure !== undefined) throw this.#failure
  }

  async read(options: WaitOptions = {}): Promise<Incoming | undefined> {
    return (await this.#next(options.signal)).value
  }

  receive(handler: (message: Incoming) => void): void {
    this.#handler = handler
    while (this.#unread.length > 0) this.#hand(this.#shift(), handler)
  }

  end(): void {
    if (this.exchange === undefined || this.#isOver) return
    this.#parts.enter()
    this.#parts.exchanges.end(this.exchange)
    this.#settle()
  }

  close(): void {
    if (this.#isOver) this.#drop()
    else if (this.#remoteEnded && (this.exchange?.outgoing?.length ?? 0) === 0) {
      this.#drop()
      this.end()
    } else this.#giveUp(cancelled(), undefined)
  }

  abort(error: unknown): void {
    const reason = PlaitError.from(error, 'ABORTED')
    this.#giveUp(reason, reason)
  }

  /** Its caller wants no more of it; the exchange is over. */
  cancel(reason: PlaitError): void {
    this.#drop()
    this.#finish(reason)
  }

  /** Who serves it is through: what was sent still leaves, and the other side learns that nobody reads any more. */
  finish(): void {
    const { exchange } = this
    this.#drop()
    if (exchange === undefined || this.#isOver) return
    const { enter, exchanges } = this.#parts
    enter()
    if (exchange.sentLast && !exchange.heardLast) {
      exchanges.reset(exchange, cancelled())
      this.#finish(undefined)
      return
    }
    exchanges.end(exchange, true)
    this.#settle()
  }

  [Symbol.asyncIterator](): AsyncIterator<Incoming, undefined> {
    return {
      next: () => {
        this.#isIterated = true
        return this.#next(undefined)
      },
      return: () => {
        this.close()
        return Promise.resolve({ value: undefined, done: true })
      },
    }
  }

  item(content: number, encoding: Encoding, payload: Uint8Array): void {
    const { packer, incoming, circuit } = this.#parts
    let value: Incoming
    try {
      value = packer.unpack(incoming, content, encoding, payload)
    } catch (error) {
      this.abort(error)
      return
    }
    // A small packed message may be a large one.
    const heldBytes = costOf(packer.plainBytes)
    const costBytes = costOf(payload.length)
    if (this.#handler !== undefined) {
      this.#hand(value, this.#handler)
      this.#consumed(costBytes)
      return
    }
    circuit.hold(heldBytes)
    this.#unread.push({ value, costBytes, heldBytes })
    if (this.#readers.any) this.#readers.wakeFirst({ value: this.#shift(), done: false })
  }

  ended(): void {
    this.#remoteEnded = true
    if (this.#unread.length === 0) this.#reachEnd()
    this.#readers.wake(end)
    this.#writers.wake()
    this.#settle()
  }

  failed(error: PlaitError): void {
    // Whoever has asked reads what came before the error; whoever serves it has nobody to serve any more.
    if (!this.#isOurs) this.#drop()
    // After its end in order the other side can only say that it does not read any more.
    this.#finish(this.#remoteEnded && error.code === 'CANCELLED' ? undefined : error)
  }

  drained(): void {
    this.#writers.wake()
    this.#settle()
  }

  answered(): void {}

  #next(signal: AbortSignal | undefined): Promise<IteratorResult<Incoming, undefined>> {
    if (this.#unread.length > 0) return Promise.resolve({ value: this.#shift(), done: false })
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#remoteEnded || this.#isOver) {
      this.#reachEnd()
      return Promise.resolve(end)
    }
    return this.#readers.wait(signal)
  }

  /** Read through this after a wait: what has happened meanwhile is not seen otherwise. */
  get #failure(): PlaitError | undefined {
    return this.#error
  }

  /** The exchange is over in order when both have ended. */
  #settle(): void {
    if (this.exchange?.done === true) this.#finish(undefined)
  }

  /** All has been read: a loop of who has asked has nothing more to say either. */
  #reachEnd(): void {
    if (this.#isIterated && this.#isOurs) this.end()
  }

  #giveUp(said: PlaitError, error: PlaitError | undefined): void {
    if (this.exchange === undefined || this.#isOver) return
    this.#parts.enter()
    this.#parts.exchanges.reset(this.exchange, said)
    this.#drop()
    this.#finish(error)
  }

  /** Nobody reads any more. What has come before the other side's error is still read. */
  #drop(): void {
    const { circuit } = this.#parts
    for (const { heldBytes } of this.#unread) circuit.release(heldBytes)
    this.#unread.clear()
  }

  #finish(error: PlaitError | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#error = error
    this.settled?.()
    if (error === undefined) this.#readers.wake(end)
    else this.#readers.fail(error)
    this.#writers.wake()
    this.#closers.wake()
    this.#controller?.abort(error)
  }

  #shift(): Incoming {
    const { value, costBytes, heldBytes } = this.#unread.shift() as Unread<Incoming>
    this.#parts.circuit.release(heldBytes)
    this.#consumed(costBytes)
    return value
  }

  #consumed(costBytes: number): void {
    if (this.exchange === undefined) return
    this.#parts.enter()
    this.#parts.exchanges.consumed(this.exchange, costBytes, this.#unread.length === 0)
  }

  #hand(value: Incoming, handler: (message: Incoming) => void): void {
    try {
      handler(value)
    } catch (error) {
      this.#parts.failed(error)
      this.abort(new PlaitError('HANDLER_FAILED', 'the reader of a stream has failed', { cause: error }))
    }
  }
}

const end = { value: undefined, done: true } as const

function overError(): PlaitError {
  return new PlaitError('CIRCUIT_CLOSED', 'nothing can be sent on this stream any more: it is over')
}
