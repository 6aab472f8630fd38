import { PlaitError } from '../base/error.ts'
import { openKinds } from '../circuit/open.ts'
import type { OpenRequest } from '../circuit/open.ts'
import type { NodeId } from '../identity/node-id.ts'
import { isAdmitted } from './admission.ts'
import type { Arrival } from './arrival.ts'
import type { LocalPeer } from './peer.ts'
import type { Registration, Services } from './services.ts'

/** The other side asked for what it does not get, as often as it likes. */
const untraced = { traced: false } as const

/** Decides what becomes of a circuit that another node asks for. */
export class Reception {
  readonly #services: Services

  constructor(services: Services) {
    this.#services = services
  }

  /** Hands it to a peer, answers it, or refuses it. Never throws. */
  receive(arrival: Arrival): void {
    try {
      if (arrival.request.kind === openKinds.circuit) {
        const peer = this.#peerFor(arrival)
        if (PlaitError.is(peer)) arrival.refuse(peer)
        else peer.offer(arrival)
      } else if (arrival.request.kind === openKinds.start) this.#start(arrival)
      else
        throw new PlaitError(
          'PROTOCOL',
          `a request of kind ${arrival.request.kind}, which this node does not know`,
          untraced,
        )
    } catch (error) {
      arrival.refuse(PlaitError.from(error, 'SERVICE_FAILED'))
    }
  }

  /** Or why there is none. It is told like this, and not thrown, where that happens again and again: to throw takes its time. */
  #peerFor(arrival: Arrival): LocalPeer | PlaitError {
    const { request, remoteId } = arrival
    const { service } = request
    const registration = this.#services.find(service)
    const running = this.#services.peers.named(service)
    if (registration === undefined && running.length === 0) return unknownService(service)
    checkVersion(request, registration)
    if (request.peerId !== '') return this.#peerById(request, remoteId)
    for (const peer of running) if (peer.taking && peer.admits(remoteId)) return peer
    if (
      registration === undefined ||
      !isAdmitted(remoteId, registration.open) ||
      !isAdmitted(remoteId, registration.start)
    ) {
      return forbidden(service)
    }
    return this.#services.start(registration, arrival)
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

  /** Starts an instance, says which, and ends the circuit that was only a question. */
  #start(arrival: Arrival): void {
    const { request, remoteId } = arrival
    const registration = this.#services.find(request.service)
    if (registration === undefined) throw unknownService(request.service)
    checkVersion(request, registration)
    if (!isAdmitted(remoteId, registration.start)) throw forbidden(request.service)
    const peer = this.#services.start(registration, undefined)
    void arrival.accept(peer.name, peer.id).close()
  }
}

function checkVersion(request: OpenRequest, registration: Registration | undefined): void {
  const offered = registration?.version
  if (request.version === 0 || request.version === offered) return
  const facts = { asked: request.version, ...(offered === undefined ? {} : { offered }) }
  const has = offered === undefined ? 'has no version' : `has version ${offered}`
  throw new PlaitError(
    'VERSION_MISMATCH',
    `the service ${request.service} ${has}, and version ${request.version} was asked for`,
    { facts, traced: false },
  )
}

function unknownService(service: string): PlaitError {
  const what = `no service is called ${JSON.stringify(service)} at the other node`
  return new PlaitError('UNKNOWN_SERVICE', what, untraced)
}

function forbidden(service: string): PlaitError {
  return new PlaitError(
    'FORBIDDEN',
    `the other node does not let this one in to the service ${JSON.stringify(service)}`,
    untraced,
  )
}
