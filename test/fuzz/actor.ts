import { plainContext } from '../../src/testing/plain-context.ts'
import { PlaitError } from '../../src/base/error.ts'
import type { ChannelCircuit, CircuitOwner } from '../../src/circuit/circuit.ts'
import { Offer, openCircuit } from '../../src/circuit/offer.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import type { Channel } from '../../src/session/channel.ts'
import type { Successor } from '../../src/session/handshake.ts'
import type { Agreement } from '../../src/session/resumption.ts'
import { SessionEnd } from '../../src/testing/session-pair.ts'
import type { FrameDecoder } from '../../src/wire/decoder.ts'
import { limits } from './limits.ts'
import { Watch } from './watch.ts'

/** What an end of a conversation does of its own accord. Circuits are known by the name that their opener gave them. */
export type Action =
  | { readonly do: 'open'; readonly name: string; readonly service: Service; readonly bytes?: number }
  | { readonly do: 'send'; readonly name: string; readonly bytes: number; readonly error?: boolean }
  | { readonly do: 'accept' | 'read' | 'end' | 'close' | 'abort'; readonly name: string }
  /** The session ends here, and nobody is told. */
  | { readonly do: 'forget' }
  | { readonly do: 'leave' }

/** What becomes of a circuit that is asked for: read at once, taken and not read, left alone, refused, taken and closed. */
export type Service = 'read' | 'hold' | 'wait' | 'refuse' | 'shut'

const payload = new Uint8Array(64 * 1024).map((_, index) => index * 7)

const owner: CircuitOwner = {
  context: plainContext(),
  local: 'local',
  remoteUrl: (service, peerId) => `${service}/${peerId}`,
  another: () => Promise.reject(new Error('there are no peers here')),
  ended: () => {},
}

/** One end of a session, with its circuits and a small application: in honest conversations, and under attack. */
export class Actor extends SessionEnd {
  now = 0
  readonly watch: Watch = new Watch()
  /** Takes apart what comes over the present link. */
  decoder: FrameDecoder | undefined
  readonly isDialler: boolean
  #hasSession = false
  readonly #circuitsByName = new Map<string, ChannelCircuit>()
  readonly #offersByName = new Map<string, Offer>()

  constructor(localId: string, remoteId: string) {
    super(localId as NodeId, remoteId as NodeId, { limits })
    this.isDialler = localId < remoteId
    this.onOffer = (channel, body) => this.#offered(channel, body)
  }

  /** A new link, the `count`th. */
  connect(count: number): void {
    const binding = new Uint8Array(32).fill(count + 6)
    const epoch = new Uint8Array(16).fill(this.isDialler ? 1 : 2)
    this.link({ binding, dialled: this.isDialler, epoch }, this.now)
    if (this.handshake === undefined) return
    this.decoder = this.handshake.decoder
    this.watch.handshake(this.handshake)
  }

  override agreed(agreement: Agreement): Successor | undefined {
    // As the table of connections does: there is one session at a time.
    if (agreement.kind === 'new' && this.#hasSession) this.#forget()
    const successor = super.agreed(agreement)
    if (successor !== undefined) {
      this.#hasSession = true
      this.watch.session(this.session)
    }
    return successor
  }

  /** There has been an agreement on some link. */
  get hasSession(): boolean {
    return this.#hasSession
  }

  /** It has ended, before or after it was ready. */
  get isOver(): boolean {
    return this.error !== undefined || this.handshake?.error !== undefined
  }

  /** What comes is not looked at. */
  get isDeaf(): boolean {
    return this.isOver || (this.handshake === undefined && this.#hasSession && this.session.stopped)
  }

  /** What cannot be done any more is not done; throws only what is no `PlaitError`. */
  perform(action: Action): void {
    try {
      this.#perform(action)
    } catch (error) {
      if (!PlaitError.is(error)) throw error
    }
  }

  #perform(action: Action): void {
    if (action.do === 'leave') return this.session.fail(new PlaitError('GOING_AWAY', 'that is all'))
    if (action.do === 'forget') return this.#forget()
    if (action.do === 'open') return this.#open(action.name, action.service, action.bytes)
    if (action.do === 'accept') return void this.#accept(action.name)
    const circuit = this.#circuitsByName.get(action.name)
    if (circuit === undefined) return
    if (action.do === 'send') {
      if (action.error === true) circuit.send({ error: { code: 5_000, message: 'no', facts: { limit: 3 } } })
      else circuit.send({ op: 3, subject: 'chunk', args: { path: 'a/b' }, payload: payload.subarray(0, action.bytes) })
    } else if (action.do === 'read') circuit.receive(() => {})
    else if (action.do === 'end') circuit.end()
    else if (action.do === 'close') void circuit.close({ code: 28, message: 'disk full' })
    else circuit.abort(new Error('changed its mind'))
  }

  #open(name: string, service: Service, bytes: number | undefined): void {
    const request = { kind: 0, service, peerId: '', version: 0, sourceService: 'test', sourcePeerId: name }
    const first = bytes === undefined ? undefined : { payload: payload.subarray(0, bytes) }
    const circuit = openCircuit(this.session, owner, request, first)
    this.#circuitsByName.set(name, circuit)
    // Like everybody who opens a circuit, it waits for the answer, and for the end.
    circuit.opened().catch(ignore)
  }

  #offered(channel: Channel, body: Uint8Array): void {
    let offer: Offer
    try {
      offer = new Offer(channel, body, () => owner)
    } catch (error) {
      channel.refuse(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    const { service, sourcePeerId } = offer.request
    this.#offersByName.set(sourcePeerId, offer)
    if (service === 'wait') return
    if (service === 'refuse') return offer.refuse(new PlaitError('FORBIDDEN', 'not you', { facts: { service } }))
    const circuit = this.#accept(sourcePeerId)
    if (service === 'shut') void circuit?.close({ code: 1, message: 'shut' })
    if (service === 'read') circuit?.receive(() => {})
  }

  #accept(name: string): ChannelCircuit | undefined {
    const offer = this.#offersByName.get(name)
    if (offer?.pending !== true) return undefined
    const circuit = offer.accept({ service: offer.request.service, peerId: '2' })
    this.#circuitsByName.set(name, circuit)
    return circuit
  }

  #forget(): void {
    this.session.detach(undefined, this.now)
    this.session.fail(new PlaitError('LINK_LOST', 'forgotten'))
    this.error = undefined
  }
}

function ignore(): void {}
