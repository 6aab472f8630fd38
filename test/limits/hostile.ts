import { plainContext } from '../../src/testing/plain-context.ts'
import { assert } from '../../src/base/assert.ts'
import type { Limits } from '../../src/base/limits.ts'
import type { ChannelCircuit, CircuitOwner } from '../../src/circuit/circuit.ts'
import { Offer, openCircuit } from '../../src/circuit/offer.ts'
import type { Channel } from '../../src/session/channel.ts'
import type { Session } from '../../src/session/session.ts'
import { PlaitError } from '../../src/base/error.ts'
import { RawPeer, rawFrame } from '../../src/testing/raw-peer.ts'
import type { SessionPairOptions } from '../../src/testing/session-pair.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes, isNumbered } from '../../src/wire/frame.ts'
import { concat, KiB, openBody, rawFragment, u64, varint } from './bytes.ts'
import type { Outcome } from './row.ts'

const pieceBytes = 60 * KiB

export interface HostileOptions extends Omit<SessionPairOptions, 'limits'> {
  /** Offers are accepted at once. True when absent. */
  readonly takes?: boolean
}

/**
 * A remote that does what it likes to one real session, whose application takes every circuit and reads from none but the
 * neighbour: the circuit that has no part in anything and must not notice.
 */
export class Hostile {
  readonly peer: RawPeer
  readonly circuits: Map<number, ChannelCircuit> = new Map()
  takes: boolean
  /** What the account is charged with for one circuit. */
  readonly openBytes: number
  readonly #neighbour: number
  #echoes = 0
  #nextNumber = 1

  constructor(limits: Partial<Limits> = {}, options: HostileOptions = {}) {
    this.peer = new RawPeer({ ...options, limits }).greet()
    this.peer.end.onOffer = (channel, body) => this.#offered(channel, body)
    this.takes = true
    this.#neighbour = this.open()
    this.openBytes = this.session.account.usedBytes
    this.circuit(this.#neighbour).receive(() => (this.#echoes += 1))
    this.takes = options.takes ?? true
  }

  get session(): Session {
    return this.peer.end.session
  }

  circuit(number: number): ChannelCircuit {
    const circuit = this.circuits.get(number)
    if (circuit === undefined) throw new Error(`circuit ${number} was never offered`)
    return circuit
  }

  /** Says OPEN for the next number. */
  open(body: Uint8Array = openBody('echo')): number {
    const number = this.#nextNumber
    this.#nextNumber += 2
    this.send(frameTypes.OPEN, number, body)
    return number
  }

  /** A circuit that the application here opens, and that the remote accepts with so much credit. */
  opened(creditBytes: number): ChannelCircuit {
    const request = { kind: 0, service: 'echo', peerId: '', version: 0, sourceService: 'test', sourcePeerId: '1' }
    const circuit = openCircuit(this.session, owner, request)
    this.peer.drain()
    this.send(frameTypes.ACCEPT, circuit.id, concat(u64(creditBytes), Uint8Array.of(0, 0)))
    return circuit
  }

  send(type: number, number: number, body?: Uint8Array): void {
    this.peer.send(rawFrame(type, number, body))
  }

  /** Sends an encoded fragment, whole or in pieces. */
  fragment(number: number, bytes: Uint8Array): void {
    if (bytes.length <= pieceBytes) {
      this.send(frameTypes.DATA, number, bytes)
      return
    }
    this.send(frameTypes.FIRST, number, varint(bytes.length))
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      this.send(frameTypes.MORE, number, bytes.subarray(at, at + pieceBytes))
    }
  }

  /** `frameBytes` of frames in all, headers included, each a fragment with nothing but a payload. */
  fill(number: number, frameBytes: number): void {
    let restBytes = frameBytes
    while (restBytes > 0) {
      const left = restBytes - pieceBytes
      const next = left > 0 && left < headerBytes + 1 ? pieceBytes / 2 : Math.min(restBytes, pieceBytes)
      this.send(frameTypes.DATA, number, new Uint8Array(next - headerBytes))
      restBytes -= next
    }
  }

  /** Acknowledges all that has come. */
  acknowledge(): void {
    this.send(frameTypes.ACK, 0, u64(this.session.framesSent))
  }

  /** Lets time pass, and stays alive meanwhile. */
  run(elapsedMs: number): void {
    for (let restMs = elapsedMs; restMs > 0; restMs -= 500) {
      this.peer.run(Math.min(restMs, 500))
      for (const { body } of this.peer.framesOf(frameTypes.PING).slice(-1)) this.send(frameTypes.PONG, 0, body)
    }
  }

  /** What has become of a circuit, and of the session; told at both ends alike, and to nobody else. */
  outcome(number?: number): Outcome {
    this.peer.drain()
    const { error } = this.peer.end
    if (error !== undefined) {
      const said = this.peer.framesOf(frameTypes.GOAWAY).map(({ body }) => decodeError(body).code)
      assert(said.join() === error.code, `it ended with ${error.code}, and said ${said.join()}`)
      for (const { state } of this.circuits.values()) assert(state === 'closed', 'a circuit outlives its session')
      return { closed: this.circuits.size === 0 ? 'link' : 'session', code: error.code }
    }
    this.#ask()
    const ends = this.peer.received.filter(
      ({ type, channel }) => channel === number && (type === frameTypes.RESET || type === frameTypes.REFUSE),
    )
    if (ends.length === 0) return { closed: 'nothing' }
    const codes = ends.map(({ body }) => decodeError(body).code)
    const here = this.circuits.get(number as number)?.reason?.error?.code
    assert(codes.join() === (here ?? codes[0]), `it ended with ${here}, and said ${codes.join()}`)
    return { closed: 'circuit', code: codes[0]! }
  }

  /** The neighbour still gets what is sent to it. */
  #ask(): void {
    const before = this.#echoes
    this.send(frameTypes.DATA, this.#neighbour, rawFragment({ op: 7 }))
    const { state } = this.circuit(this.#neighbour)
    assert(this.#echoes === before + 1 && state === 'open', 'the neighbour has noticed')
  }

  #offered(channel: Channel, body: Uint8Array): void {
    let offer: Offer
    try {
      offer = new Offer(channel, body, () => owner)
    } catch (error) {
      channel.refuse(PlaitError.from(error, 'PROTOCOL'))
      return
    }
    this.circuits.set(channel.number, offer.circuit)
    if (this.takes) offer.accept({ service: 'echo', peerId: '1' })
  }
}

/** How many numbered frames the remote has got. */
export function numberedFrames(peer: RawPeer): number {
  return peer.received.filter(({ type }) => isNumbered(type)).length
}

const owner: CircuitOwner = {
  context: plainContext(),
  local: 'local',
  remoteUrl: (service, peerId) => `${service}/${peerId}`,
  another: () => Promise.reject(new Error('nobody opens another one here')),
  ended() {},
}
