import { Queue } from '../base/queue.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Arrival } from './arrival.ts'

type Result = IteratorResult<Circuit, undefined>

const done: Result = Object.freeze({ value: undefined, done: true })

/** Circuits that others open to a peer, in the order in which they came; each is accepted when somebody takes it. */
export class Incoming implements AsyncIterable<Circuit> {
  readonly #accept: (arrival: Arrival) => Circuit
  readonly #waitingByCircuit = new Map<Circuit, Arrival>()
  readonly #takers = new Queue<(result: Result) => void>()
  #ended = false

  constructor(accept: (arrival: Arrival) => Circuit) {
    this.#accept = accept
  }

  /** How many wait to be taken. */
  get waiting(): number {
    return this.#waitingByCircuit.size
  }

  push(arrival: Arrival): void {
    const taker = this.#takers.shift()
    if (taker === undefined) this.#waitingByCircuit.set(arrival.circuit, arrival)
    else taker({ value: this.#accept(arrival), done: false })
  }

  /** Forgets one that waits: it has ended by itself. */
  remove(circuit: Circuit): void {
    this.#waitingByCircuit.delete(circuit)
  }

  /** Nothing more is taken; gives back what waits. */
  end(): readonly Arrival[] {
    this.#ended = true
    for (let taker = this.#takers.shift(); taker !== undefined; taker = this.#takers.shift()) taker(done)
    const waiting = [...this.#waitingByCircuit.values()]
    this.#waitingByCircuit.clear()
    return waiting
  }

  /** Several iterators share what comes. Leaving a loop ends nothing: another one may go on. */
  [Symbol.asyncIterator](): AsyncIterator<Circuit, undefined> {
    return {
      next: () => this.#next(),
      return: () => Promise.resolve(done),
    }
  }

  #next(): Promise<Result> {
    for (const [circuit, arrival] of this.#waitingByCircuit) {
      this.#waitingByCircuit.delete(circuit)
      return Promise.resolve({ value: this.#accept(arrival), done: false })
    }
    if (this.#ended) return Promise.resolve(done)
    return new Promise((resolve) => this.#takers.push(resolve))
  }
}
