import { PlaitError, wireErrorNumbers } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { MessageContext } from './messenger-api.ts'

/** Who asks, for a handler. The signal is made when somebody asks for it: most handlers do not. */
export class Context implements MessageContext {
  readonly circuit: Circuit
  #controller: AbortController | undefined
  #reason: unknown
  #isOver = false

  constructor(circuit: Circuit) {
    this.circuit = circuit
  }

  get from(): string {
    return this.circuit.context.remoteId
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#isOver) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  /** Nobody waits for the handler any more. */
  abort(reason: PlaitError): void {
    this.#isOver = true
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}

/** What the other side is told of what a handler threw: errors that are meant to cross, and of all others only that they were. */
export function failureOf(error: unknown, name: string): PlaitError {
  const crosses = PlaitError.is(error) && (error.code === 'REMOTE' || Object.hasOwn(wireErrorNumbers, error.code))
  return crosses ? error : new PlaitError('HANDLER_FAILED', `the handler of ${name} has failed`)
}

/** Why a caller's signal has fired, for the other side. */
export function cancelled(): PlaitError {
  return new PlaitError('CANCELLED', 'the answer is not wanted any more')
}
