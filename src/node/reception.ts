import { PlaitError } from '../base/error.ts'
import { openKinds } from '../circuit/open.ts'
import type { OpenRequest } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import { isAdmitted } from './admission.ts'
import type { Arrival } from './arrival.ts'
import { LocalPeer } from './peer.ts'
import type { Registration, Services } from './services.ts'

/** The other side asked for what it does not get, as often as it likes. */
const untraced = { traced: false } as const

/** Decides what becomes of a circuit that another node asks for. */
export class Reception {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  /** Why a node does not get what it asks for, or undefined. Nothing has been made for it yet, and nothing is. */
  refusal(remoteId: NodeId, request: OpenRequest): PlaitError | undefined {
    const found = this.#find(remoteId, request)
    return PlaitError.is(found) ? found : undefined
  }

  /** Hands it to a peer, answers it, or refuses it. Never throws. */
  receive(arrival: Arrival): void {
    const { request, remoteId } = arrival
    try {
      const found = this.#find(remoteId, request)
      if (PlaitError.is(found)) arrival.refuse(found)
      else if (found instanceof LocalPeer) found.offer(arrival)
      else if (request.kind === openKinds.circuit) this.#services.start(found, arrival).offer(arrival)
      else this.#start(found, arrival)
    } catch (error) {
      arrival.refuse(PlaitError.from(error, 'SERVICE_FAILED'))
    }
  }

  /** The peer that takes it, or the service of which an instance has to be started. */
  #find(remoteId: NodeId, request: OpenRequest): LocalPeer | Registration | PlaitError {
    const { kind, service, peerId } = request
    const registration = this.#services.find(service)
    if (kind === openKinds.start) return this.#startable(remoteId, request, registration)
    if (kind !== openKinds.circuit) return unknownKind(kind)
    const running = this.#services.peers.named(service)
    if (registration === undefined && running.length === 0) return unknownService(service)
    const mismatch = versionMismatch(request, registration)
    if (mismatch !== undefined) return mismatch
    if (peerId !== '') return this.#peerById(request, remoteId)
    for (const peer of running) if (peer.taking && peer.admits(remoteId)) return peer
    if (registration === undefined || !isAdmitted(remoteId, registration.open)) return forbidden(service)
    return this.#startable(remoteId, request, registration)
  }

  #peerById(request: OpenRequest, remoteId: NodeId): LocalPeer | PlaitError {
    const peer = this.#services.peers.find(request.service, request.peerId)
    if (peer === undefined || !peer.taking) {
      return new PlaitError(
        'UNKNOWN_PEER',
        `no instance of the service ${request.service} with this id runs: open by the service's name`,
        untraced,
      )
    }
    if (!peer.admits(remoteId)) return forbidden(request.service)
    return peer
  }

  #startable(
    remoteId: NodeId,
    request: OpenRequest,
    registration: Registration | undefined,
  ): Registration | PlaitError {
    if (registration === undefined) return unknownService(request.service)
    const mismatch = versionMismatch(request, registration)
    if (mismatch !== undefined) return mismatch
    if (!isAdmitted(remoteId, registration.start)) return forbidden(request.service)
    return this.#services.full(registration) ?? registration
  }

  /** Starts an instance, says which, and ends the circuit that was only a question. */
  #start(registration: Registration, arrival: Arrival): void {
    const peer = this.#services.start(registration, undefined)
    void arrival.accept(peer.name, peer.id).close()
  }
}

function versionMismatch(request: OpenRequest, registration: Registration | undefined): PlaitError | undefined {
  const offered = registration?.version
  if (request.version === 0 || request.version === offered) return undefined
  const facts = { asked: request.version, ...(offered === undefined ? {} : { offered }) }
  const has = offered === undefined ? 'has no version' : `has version ${offered}`
  const what = `the service ${request.service} ${has}, and version ${request.version} was asked for`
  return new PlaitError('VERSION_MISMATCH', what, { facts, traced: false })
}

function unknownKind(kind: number): PlaitError {
  return new PlaitError('PROTOCOL', `a request of kind ${kind}, which this node does not know`, untraced)
}

const unknownService = remember((service) => {
  const what = `no service is called ${JSON.stringify(service)} at the other node`
  return new PlaitError('UNKNOWN_SERVICE', what, untraced)
})

const forbidden = remember((service) => {
  const what = `the other node does not let this one in to the service ${JSON.stringify(service)}`
  return new PlaitError('FORBIDDEN', what, untraced)
})

/** Who does not get what it asks for asks for the same again: the last answer is kept. */
function remember(create: (service: string) => PlaitError): (service: string) => PlaitError {
  let lastService: string | undefined
  let last: PlaitError | undefined
  return (service) => {
    if (last === undefined || service !== lastService) last = create((lastService = service))
    return last
  }
}
