import { Queue } from '../base/queue.ts'
import { Waiters } from '../base/waiters.ts'
import type { ReceivedFragment } from '../wire/fragment.ts'
import type { CircuitErrors, ErrorFragment, WaitOptions } from './circuit-api.ts'

/** An error fragment with what it costs until it is read. */
export type ReceivedError = ReceivedFragment & ErrorFragment

/** The error fragments of a circuit: the newest `limit` unread ones are kept, so that unread errors stall nobody. */
export class ErrorInbox implements CircuitErrors {
  dropped = 0
  readonly #limit: number
  readonly #released: (error: ReceivedError) => void
  readonly #errors = new Queue<ReceivedError>()
  readonly #waiters = new Waiters()
  #ended = false

  /** `released` is told of each error that is no longer kept here. */
  constructor(limit: number, released: (error: ReceivedError) => void) {
    this.#limit = limit
    this.#released = released
  }

  get unread(): number {
    return this.#errors.length
  }

  push(error: ReceivedError): void {
    this.#errors.push(error)
    if (this.#errors.length > this.#limit) {
      this.#shift()
      this.dropped += 1
    }
    this.#waiters.wake()
  }

  /** The circuit has ended; what is unread can still be read. */
  end(): void {
    this.#ended = true
    this.#waiters.wake()
  }

  async read(options: WaitOptions = {}): Promise<ErrorFragment | undefined> {
    while (this.#errors.length === 0 && !this.#ended) await this.#waiters.wait(options.signal)
    return this.#shift()
  }

  [Symbol.asyncIterator](): AsyncIterator<ErrorFragment> {
    return {
      next: async () => {
        const value = await this.read()
        return value === undefined ? { value, done: true } : { value, done: false }
      },
    }
  }

  #shift(): ReceivedError | undefined {
    const error = this.#errors.shift()
    if (error !== undefined) this.#released(error)
    return error
  }
}
