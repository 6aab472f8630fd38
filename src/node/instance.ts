import { PlaitError } from '../base/error.ts'
import type { Arrival } from './arrival.ts'
import type { Service } from './node-api.ts'
import type { LocalPeer } from './peer.ts'

/** What an instance tells the services. */
export interface InstanceHost {
  /** The service's function is through without having taken this one: somebody else may. */
  again(arrival: Arrival): void
  failed(instance: Instance, error: unknown): void
  /** The function has settled, and all circuits are closed. */
  gone(instance: Instance): void
}

/** One run of a service: it takes circuits while its function runs, and is gone when that has settled and they are closed. */
export class Instance {
  readonly peer: LocalPeer
  readonly #host: InstanceHost
  /** The one for which it was started. */
  readonly #first: Arrival | undefined
  #settled = false
  #gone = false

  constructor(peer: LocalPeer, first: Arrival | undefined, host: InstanceHost) {
    this.peer = peer
    this.#first = first
    this.#host = host
  }

  /** Never rejects. */
  async run(service: Service): Promise<void> {
    // The application's code does not run inside the state machine that has received the request.
    await Promise.resolve()
    try {
      await service(this.peer)
      this.#settle()
    } catch (error) {
      this.#fail(error)
    }
    this.#settled = true
    this.idle()
  }

  /** A circuit has closed. */
  idle(): void {
    if (!this.#settled || this.#gone || this.peer.circuits.size > 0) return
    this.#gone = true
    this.#host.gone(this)
    this.peer.end(new PlaitError('UNKNOWN_PEER', `the service ${this.peer.name} has ended`))
  }

  #settle(): void {
    this.#passOn(new PlaitError('NOT_ACCEPTED', `the service ${this.peer.name} has ended without taking the circuit`))
  }

  #fail(cause: unknown): void {
    const error = new PlaitError('SERVICE_FAILED', `the service ${this.peer.name} has failed at the other end`, {
      cause,
    })
    for (const circuit of [...this.peer.circuits]) {
      // Leaving a `for await` by throwing closes its circuit: the other side should not take that for an end in order.
      if (circuit.state !== 'closing' || circuit.bufferedBytes > 0) circuit.abort(error)
    }
    if (!this.peer.signal.aborted || cause !== this.peer.signal.reason) this.#host.failed(this, cause)
    this.#passOn(error)
  }

  /** What nobody has taken goes to another instance, if it asked for none in particular; but not the one that this was started for. */
  #passOn(error: PlaitError): void {
    for (const arrival of this.peer.stop()) {
      if (arrival.request.peerId === '' && arrival !== this.#first) this.#host.again(arrival)
      else arrival.refuse(error)
    }
  }
}
