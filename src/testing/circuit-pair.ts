import type { Circuit, CircuitContext } from '../circuit/circuit-api.ts'
import type { ChannelCircuit, CircuitOwner } from '../circuit/circuit.ts'
import { Offer, openCircuit } from '../circuit/offer.ts'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import type { FragmentFields } from '../wire/fragment.ts'
import { plainContext } from './plain-context.ts'
import { SessionPair } from './session-pair.ts'
import type { SessionEnd, SessionPairOptions } from './session-pair.ts'

/** What the layer above a circuit would do, reduced to names. */
class PlainOwner implements CircuitOwner {
  readonly local: string
  readonly context: CircuitContext
  readonly endedCircuits: Circuit[] = []

  constructor(local: string, context: CircuitContext) {
    this.local = local
    this.context = context
  }

  remoteUrl(service: string, peerId: string): string {
    return `${service}/${peerId}`
  }

  another(): Promise<Circuit> {
    return Promise.reject(new Error('a pair has no peers'))
  }

  ended(circuit: Circuit): void {
    this.endedCircuits.push(circuit)
  }
}

/** Circuits over a pair of sessions, without nodes: what is opened at one end is offered at the other. */
export class CircuitPair extends SessionPair {
  readonly offers: Offer[] = []
  readonly scheduler: Scheduler = new Scheduler()
  readonly #nearOwner: PlainOwner
  readonly #farOwner: PlainOwner

  constructor(options: SessionPairOptions = {}) {
    super(options)
    const runtime = simulatedRuntime({ scheduler: this.scheduler })
    const { limits = {} } = options
    const near = plainContext({ runtime, limits })
    this.#nearOwner = new PlainOwner('local', near)
    const far = plainContext({ runtime, limits, localId: near.remoteId, remoteId: near.localId })
    this.#farOwner = new PlainOwner('local', far)
    for (const end of [this.left, this.right]) {
      end.onOffer = (channel, body) => {
        this.offers.push(new Offer(channel, body, () => this.#ownerAt(end)))
      }
    }
    this.settle()
  }

  /** Timers of what runs on the circuits, and deadlines of the sessions, in their order. */
  override jump(endMs: number): boolean {
    if (this.scheduler.step(Math.min(endMs, this.left.deadline, this.right.deadline))) {
      this.now = this.scheduler.now
      return true
    }
    return super.jump(endMs)
  }

  /** Asks for a circuit from `end`; the other end has it as its last offer after `settle`. */
  open(end: SessionEnd = this.left, first?: FragmentFields): ChannelCircuit {
    const request = { kind: 0, service: 'echo', peerId: '', version: 0, sourceService: 'test', sourcePeerId: '1' }
    return openCircuit(end.session, this.#ownerAt(end), request, first)
  }

  /** Opens and accepts: both ends of one circuit. */
  connect(end: SessionEnd = this.left, first?: FragmentFields): readonly [ChannelCircuit, ChannelCircuit] {
    const opener = this.open(end, first)
    this.settle()
    const offer = this.offers.at(-1) as Offer
    const acceptor = offer.accept({ service: 'echo', peerId: '2' })
    this.settle()
    return [opener, acceptor]
  }

  #ownerAt(end: SessionEnd): PlainOwner {
    return end === this.left ? this.#nearOwner : this.#farOwner
  }
}
