import type { PlaitError } from '../base/error.ts'
import type { Codec } from './codec.ts'
import type { ExchangeHandler } from './exchange.ts'
import type { Encoding } from './frame.ts'
import type { Histogram } from './histogram.ts'
import type { Packer } from './packer.ts'

/** Who asks: what all requests of a messenger share. */
export interface Asker {
  readonly packer: Packer
  readonly latency: Histogram
  /** The time of the call that is being handled. */
  readonly now: number
}

/** A request of this end that waits for its answer: the two halves of one promise. */
export class Question<Response> implements ExchangeHandler {
  readonly #codec: Codec<Response>
  readonly #resolve: (value: Response) => void
  readonly #reject: (error: unknown) => void
  readonly #asker: Asker
  readonly #begunAt: number
  /** Takes the listener off the caller's signal. */
  unlisten: (() => void) | undefined

  constructor(
    asker: Asker,
    codec: Codec<Response>,
    resolve: (value: Response) => void,
    reject: (error: unknown) => void,
  ) {
    this.#asker = asker
    this.#begunAt = asker.now
    this.#codec = codec
    this.#resolve = resolve
    this.#reject = reject
  }

  answered(content: number, encoding: Encoding, payload: Uint8Array): void {
    this.#settle(true)
    let value: Response
    try {
      value = this.#asker.packer.unpack(this.#codec, content, encoding, payload)
    } catch (error) {
      this.#reject(error)
      return
    }
    this.#resolve(value)
  }

  failed(error: PlaitError): void {
    this.reject(error)
  }

  reject(error: unknown): void {
    this.#settle(false)
    this.#reject(error)
  }

  item(): void {}
  ended(): void {}
  drained(): void {}

  #settle(isAnswered: boolean): void {
    this.unlisten?.()
    if (isAnswered) this.#asker.latency.record(this.#asker.now - this.#begunAt)
  }
}
