import { PlaitError } from '../base/error.ts'
import type { Circuit } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { isAdmitted } from './admission.ts'
import type { Arrival } from './arrival.ts'
import { Incoming } from './incoming.ts'
import type { Admission, OpenOptions, Peer, PeerSnapshot } from './node-api.ts'
import type { Source } from './opener.ts'

/** What a peer needs of its node. */
export interface PeerHost {
  open(source: Source, url: string, first: FragmentFields | undefined, options: OpenOptions): Promise<Circuit>
  /** The peer is at its end: it has been closed, or has lost its last circuit. May come more than once. */
  idle(peer: LocalPeer): void
}

export interface PeerDefinition {
  readonly name: string
  readonly id: string
  readonly url: string
  /** Who may open circuits. Undefined: see `PeerOptions`. */
  readonly open: Admission | undefined
}

/** A peer of this node: its circuits, and those that wait to be taken. */
export class LocalPeer implements Peer, Source {
  readonly name: string
  readonly id: string
  readonly url: string
  readonly incoming: Incoming
  readonly circuits: Set<Circuit> = new Set()
  /** Whether new circuits are let in. */
  taking = true
  readonly #host: PeerHost
  readonly #open: Admission | undefined
  readonly #opening = new Set<Circuit>()
  /** Whom the peer itself has opened circuits to; kept where that decides who may open to it. */
  readonly #remoteIdByCircuit = new Map<Circuit, NodeId>()
  readonly #controller = new AbortController()

  constructor(definition: PeerDefinition, host: PeerHost) {
    this.name = definition.name
    this.id = definition.id
    this.url = definition.url
    this.#open = definition.open
    this.#host = host
    this.incoming = new Incoming((arrival) => this.#take(arrival))
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  open(url: string, first?: FragmentFields, options: OpenOptions = {}): Promise<Circuit> {
    return this.#host.open(this, url, first, options)
  }

  async close(): Promise<void> {
    this.end(new PlaitError('UNKNOWN_PEER', `the peer ${this.url} has been closed`))
    await Promise.all([...this.circuits].map((circuit) => circuit.close()))
    this.#host.idle(this)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** Whether a node may open a circuit to this peer. */
  admits(remoteId: NodeId): boolean {
    if (this.#open !== undefined) return isAdmitted(remoteId, this.#open)
    for (const openedTo of this.#remoteIdByCircuit.values()) if (openedTo === remoteId) return true
    return false
  }

  offer(arrival: Arrival): void {
    arrival.seatAt(this)
    this.incoming.push(arrival)
  }

  /** Takes no more circuits; gives back those that wait. */
  stop(): readonly Arrival[] {
    this.taking = false
    return this.incoming.end()
  }

  /** Takes no more circuits, refuses those that wait, and tells the peer's own code. Circuits that are open live on. */
  end(error: PlaitError): void {
    for (const arrival of this.stop()) arrival.refuse(error)
    this.#controller.abort(error)
    for (const circuit of [...this.#opening]) circuit.abort(error)
  }

  opening(circuit: Circuit, remoteId: NodeId): void {
    this.#opening.add(circuit)
    if (this.#open === undefined) this.#remoteIdByCircuit.set(circuit, remoteId)
    if (this.signal.aborted) circuit.abort(this.signal.reason)
  }

  opened(circuit: Circuit): void {
    if (this.#opening.delete(circuit)) this.circuits.add(circuit)
  }

  ended(circuit: Circuit): void {
    this.incoming.remove(circuit)
    this.#opening.delete(circuit)
    this.#remoteIdByCircuit.delete(circuit)
    this.circuits.delete(circuit)
    if (this.circuits.size === 0) this.#host.idle(this)
  }

  snapshot(): PeerSnapshot {
    return { id: this.id, name: this.name, url: this.url, circuits: this.circuits.size, waiting: this.incoming.waiting }
  }

  #take(arrival: Arrival): Circuit {
    const circuit = arrival.accept(this.name, this.id)
    this.circuits.add(circuit)
    return circuit
  }
}
