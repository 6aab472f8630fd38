import type { Circuit, CircuitContext, WaitOptions } from '../circuit/circuit-api.ts'
import type { CircuitOwner } from '../circuit/circuit.ts'
import type { FragmentFields } from '../wire/fragment.ts'

/** The peer that a circuit belongs to at this end. */
export interface SeatPeer {
  readonly url: string
  open(url: string, first?: FragmentFields, options?: WaitOptions): Promise<Circuit>
  /** A circuit of this peer, or one that waited for it, has ended. */
  ended(circuit: Circuit): void
}

/** Who knows the other node, and can name its peers. */
export interface SeatHost {
  readonly context: CircuitContext
  remoteUrl(service: string, peerId: string): string
}

/** Where a circuit sits: between a peer of this node and another node. A circuit that comes in has no peer until one is found for it. */
export class Seat implements CircuitOwner {
  peer: SeatPeer | undefined
  readonly #host: SeatHost

  constructor(host: SeatHost, peer?: SeatPeer) {
    this.#host = host
    this.peer = peer
  }

  get context(): CircuitContext {
    return this.#host.context
  }

  get local(): string {
    return this.peer?.url ?? ''
  }

  remoteUrl(service: string, peerId: string): string {
    return this.#host.remoteUrl(service, peerId)
  }

  another(circuit: Circuit, first: FragmentFields | undefined, options: WaitOptions): Promise<Circuit> {
    if (this.peer === undefined) return Promise.reject(new Error('a circuit without a peer is never handed out'))
    return this.peer.open(circuit.remote, first, options)
  }

  ended(circuit: Circuit): void {
    this.peer?.ended(circuit)
  }
}
