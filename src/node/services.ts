import { PlaitError } from '../base/error.ts'
import { encodeBase32 } from '../base/bytes.ts'
import type { Random } from '../runtime/random.ts'
import { copyAdmission } from './admission.ts'
import type { Arrival } from './arrival.ts'
import { Instance } from './instance.ts'
import type { Admission, PeerOptions, Service, ServiceOptions } from './node-api.ts'
import { LocalPeer } from './peer.ts'
import type { PeerHost } from './peer.ts'
import { Peers } from './peers.ts'
import { checkName } from './url.ts'

/** A registered service. */
export interface Registration {
  readonly name: string
  readonly open: Admission | undefined
  readonly start: Admission | undefined
  readonly limit: number
  readonly version: number | undefined
  readonly service: Service
  readonly instances: Set<Instance>
}

export interface ServicesOptions {
  readonly random: Random
  readonly open: PeerHost['open']
  /** URL of a peer of this node. */
  readonly url: (name: string, id: string) => string
  /** To be routed anew. */
  readonly again: (arrival: Arrival) => void
  readonly failed: (name: string, peerId: string, error: unknown) => void
}

const peerIdBytes = 16

/** What is registered on a node, and what runs. */
export class Services {
  readonly peers: Peers = new Peers()
  readonly #options: ServicesOptions
  readonly #registrationsByName = new Map<string, Registration>()
  readonly #instancesByPeer = new Map<LocalPeer, Instance>()
  readonly #peerHost: PeerHost

  constructor(options: ServicesOptions) {
    this.#options = options
    this.#peerHost = { open: options.open, idle: (peer) => this.#idle(peer) }
  }

  /** Throws `INVALID_ARGUMENT`. */
  register(name: string, options: ServiceOptions, service: Service): void {
    checkName(name, 'the name of a service')
    if (this.#registrationsByName.has(name)) {
      throw new PlaitError(
        'INVALID_ARGUMENT',
        `a service ${JSON.stringify(name)} is registered already: unregister it first`,
      )
    }
    const { open, start, limit = Infinity, version } = options
    if (!(limit >= 1)) throw new PlaitError('INVALID_ARGUMENT', `limit is ${limit}; it must be at least 1`)
    if (version !== undefined && !(Number.isSafeInteger(version) && version > 0)) {
      throw new PlaitError('INVALID_ARGUMENT', `version is ${version}; it must be a whole number above 0`)
    }
    this.#registrationsByName.set(name, {
      name,
      open: open === undefined ? undefined : copyAdmission(open, 'open'),
      start: start === undefined ? undefined : copyAdmission(start, 'start'),
      limit,
      version,
      service,
      instances: new Set(),
    })
  }

  unregister(name: string): void {
    this.#registrationsByName.delete(name)
  }

  find(name: string): Registration | undefined {
    return this.#registrationsByName.get(name)
  }

  /** Why no instance more is started, or undefined. */
  full({ name, instances, limit }: Registration): PlaitError | undefined {
    if (instances.size < limit) return undefined
    const what = `the service ${name} runs ${instances.size} times already: try again later`
    return new PlaitError('BUSY', what, { facts: { limit }, traced: false })
  }

  /** A new instance, for `first` if there is one. Throws `BUSY`. */
  start(registration: Registration, first: Arrival | undefined): LocalPeer {
    const { name, open, instances, service } = registration
    const full = this.full(registration)
    if (full !== undefined) throw full
    const peer = this.#create(name, encodeBase32(this.#options.random.bytes(peerIdBytes)), open ?? [])
    const instance = new Instance(peer, first, {
      again: (arrival) => this.#options.again(arrival),
      failed: (failed, error) => this.#options.failed(name, failed.peer.id, error),
      gone: (gone) => {
        instances.delete(gone)
        this.#remove(gone.peer)
      },
    })
    instances.add(instance)
    this.#instancesByPeer.set(peer, instance)
    void instance.run(service)
    return peer
  }

  /** A peer without a function. Throws `INVALID_ARGUMENT`. */
  createPeer(name: string, options: PeerOptions): LocalPeer {
    checkName(name, 'the name of a peer')
    const { id = encodeBase32(this.#options.random.bytes(peerIdBytes)), open } = options
    checkName(id, 'the id of a peer')
    // One that is closed gives its place up, though the last of its circuits may still be about to end.
    if (this.peers.find(name, id)?.signal.aborted === false) {
      throw new PlaitError(
        'INVALID_ARGUMENT',
        `there is a peer ${JSON.stringify(name)} with the id ${JSON.stringify(id)} already`,
      )
    }
    return this.#create(name, id, open === undefined ? undefined : copyAdmission(open, 'open'))
  }

  #create(name: string, id: string, open: Admission | undefined): LocalPeer {
    const peer = new LocalPeer({ name, id, open, url: this.#options.url(name, id) }, this.#peerHost)
    this.peers.add(peer)
    return peer
  }

  /** A peer has no open circuit any more. */
  #idle(peer: LocalPeer): void {
    const instance = this.#instancesByPeer.get(peer)
    if (instance !== undefined) instance.idle()
    else if (peer.signal.aborted && peer.circuits.size === 0) this.#remove(peer)
  }

  #remove(peer: LocalPeer): void {
    this.#instancesByPeer.delete(peer)
    this.peers.remove(peer)
  }
}
