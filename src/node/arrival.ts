import type { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { Offer } from '../circuit/offer.ts'
import type { OpenRequest } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Seat, SeatPeer } from './seat.ts'

/** A circuit that another node asks for, on its way to a peer of this node. */
export class Arrival {
  readonly remoteId: NodeId
  readonly #offer: Offer
  readonly #seat: Seat

  constructor(remoteId: NodeId, offer: Offer, seat: Seat) {
    this.remoteId = remoteId
    this.#offer = offer
    this.#seat = seat
  }

  get request(): OpenRequest {
    return this.#offer.request
  }

  get circuit(): Circuit {
    return this.#offer.circuit
  }

  /** Whether it can still be accepted. */
  get pending(): boolean {
    return this.#offer.pending
  }

  /** A peer has been found; it is told when the circuit ends, from now on. */
  seatAt(peer: SeatPeer | undefined): void {
    this.#seat.peer = peer
  }

  accept(service: string, peerId: string): Circuit {
    return this.#offer.accept({ service, peerId })
  }

  refuse(error: PlaitError): void {
    if (!this.#offer.pending) return
    this.#offer.circuit.channel.counters.circuitsRefused += 1
    this.#offer.refuse(error)
  }
}
