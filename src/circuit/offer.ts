import type { PlaitError } from '../base/error.ts'
import type { Channel } from '../session/channel.ts'
import type { Session } from '../session/session.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { ChannelCircuit } from './circuit.ts'
import type { CircuitOwner } from './circuit.ts'
import { decodeOpen, encodeAcceptance, encodeOpen } from './open.ts'
import type { Acceptance, OpenRequest } from './open.ts'

/** Opens a circuit; `first` travels with the request. The circuit can be used at once; `opened()` tells whether it was accepted. */
export function openCircuit(
  session: Session,
  owner: CircuitOwner,
  request: OpenRequest,
  first?: FragmentFields,
): ChannelCircuit {
  const channel = session.openChannel(encodeOpen(request))
  const circuit = new ChannelCircuit(owner, channel, { service: request.service, peerId: request.peerId })
  channel.handler = circuit
  try {
    if (first !== undefined) circuit.send(first)
  } catch (error) {
    circuit.abort(error)
    throw error
  }
  return circuit
}

/**
 * A circuit that the other side asks for. What it sends meanwhile waits, within the smallest window. It is settled once: by
 * `accept`, by `refuse`, or by itself when nobody does so in time, when the opener gives up, or with the session.
 */
export class Offer {
  readonly request: OpenRequest
  readonly circuit: ChannelCircuit
  readonly #channel: Channel

  /** Throws `PROTOCOL` when `body` is no request. */
  constructor(channel: Channel, body: Uint8Array, createOwner: (request: OpenRequest) => CircuitOwner) {
    this.request = decodeOpen(body)
    this.#channel = channel
    const { sourceService: service, sourcePeerId: peerId } = this.request
    this.circuit = new ChannelCircuit(createOwner(this.request), channel, { service, peerId })
    channel.handler = this.circuit
  }

  /** Whether it can still be accepted. */
  get pending(): boolean {
    return !this.#channel.removed && !this.#channel.accepted
  }

  /** Takes the circuit, for the peer that is named. */
  accept(acceptance: Acceptance): ChannelCircuit {
    this.#channel.accept(encodeAcceptance(acceptance))
    return this.circuit
  }

  refuse(error: PlaitError): void {
    if (this.#channel.removed) return
    this.#channel.refuse(error)
    this.circuit.handleReset(error)
  }
}
