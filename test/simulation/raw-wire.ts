import { defaultLimits } from '../../src/base/limits.ts'
import type { PlaitError } from '../../src/base/error.ts'
import { encodeOpen } from '../../src/circuit/open.ts'
import type { Link } from '../../src/link/link.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { withCredit } from '../../src/session/channel.ts'
import { readUint64, writeUint64 } from '../../src/session/control.ts'
import { decodeHello, encodeHello } from '../../src/session/hello.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import type { Process } from '../../src/testing/index.ts'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes } from '../../src/wire/frame.ts'

/** A circuit as the hostile end of a link sees it. */
export interface RawCircuit {
  readonly number: number
  isAccepted: boolean
  isClosed: boolean
  /** Why the honest node has refused or reset it. */
  error: PlaitError | undefined
  /** What may be sent and has been; what the honest node was granted and has sent; all in bytes of whole frames. */
  creditBytes: number
  sentBytes: number
  grantedBytes: number
  receivedBytes: number
  fragments: number
}

interface Waiting {
  readonly isDone: () => boolean
  readonly resolve: () => void
}

/** The hostile end of a link: says whatever it likes, frame by frame, and takes note of what the honest node answers. */
export class RawWire {
  readonly link: Link
  readonly circuits: Map<number, RawCircuit> = new Map()
  /** It has the last word of the two. */
  readonly isChair: boolean
  isReady = false
  /** The honest node wants to go on with the session that there was. */
  isResuming = false
  remoteEpoch: Uint8Array | undefined
  isClosed = false
  goAway: PlaitError | undefined
  /** PINGs are answered, so that the session lives. */
  answers = true
  /** What is said here has a meaning, so that what comes is held against it. */
  isMeant = true
  framesReceived = 0
  framesSent = 0
  readonly #process: Process
  readonly #violation: (text: string) => void
  readonly #decoder = new FrameDecoder()
  readonly #waiting = new Set<Waiting>()
  #nextNumber: number
  #isDeaf = false

  constructor(link: Link, localId: NodeId, process: Process, violation: (text: string) => void) {
    this.link = link
    this.#process = process
    this.#violation = violation
    this.isChair = localId < link.remoteId
    this.#nextNumber = this.isChair ? 2 : 1
    link.attach({
      data: (bytes) => this.#receive(bytes),
      drain: () => {},
      close: () => {
        this.isClosed = true
        this.#look()
      },
    })
  }

  /** The honest node has given this link up, in words or without. */
  get isOver(): boolean {
    return this.isClosed || this.goAway !== undefined
  }

  hello(epoch: Uint8Array): Uint8Array {
    return rawFrame(frameTypes.HELLO, 0, encodeHello({ epoch, agent: 'mallory', addresses: [] }, defaultLimits))
  }

  /** Bound to this link, or to another one. */
  proof(binding: Uint8Array = this.link.binding): Uint8Array {
    return Uint8Array.of(1, ...binding)
  }

  /** Takes over the session of another wire, on which nothing is heard any more. */
  goOn(former: RawWire): void {
    former.#isDeaf = true
    this.framesReceived = former.framesReceived
    for (const [number, circuit] of former.circuits) this.circuits.set(number, circuit)
  }

  say(...frames: readonly Uint8Array[]): void {
    if (this.isClosed) return
    for (const frame of frames) if ((frame[0] ?? 0) >= frameTypes.OPEN) this.framesSent += 1
    this.link.write(frames)
  }

  /** Asks for a circuit, with credit for what the honest node sends. */
  open(service: string, grantedBytes: number = 16 * 1024, isSaid = true): RawCircuit {
    const number = this.#nextNumber
    this.#nextNumber += 2
    const circuit = {
      number,
      isAccepted: false,
      isClosed: false,
      error: undefined,
      creditBytes: defaultLimits.windowBytesMin,
      sentBytes: 0,
      grantedBytes,
      receivedBytes: 0,
      fragments: 0,
    }
    this.circuits.set(number, circuit)
    if (isSaid) this.say(this.openFrame(number, service, grantedBytes))
    return circuit
  }

  openFrame(number: number, service: string, grantedBytes: number): Uint8Array {
    const request = { kind: 0, service, peerId: '', version: 0, sourceService: 'mallory', sourcePeerId: '1' }
    return rawFrame(frameTypes.OPEN, number, withCredit(grantedBytes, encodeOpen(request)))
  }

  /** A frame of data; returns false, and sends nothing, where it would go beyond the credit. */
  send(circuit: RawCircuit, type: number, body: Uint8Array): boolean {
    const frameBytes = headerBytes + body.length
    if (circuit.sentBytes + frameBytes > circuit.creditBytes) return false
    circuit.sentBytes += frameBytes
    this.say(rawFrame(type, circuit.number, body))
    return true
  }

  /** Resolves when `isDone`, when the honest node has given the link up, or after `limitMs`. */
  until(isDone: () => boolean, limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = {
        isDone,
        resolve: () => {
          timer.cancel()
          this.#waiting.delete(waiting)
          resolve()
        },
      }
      const timer = this.#process.runtime.timers.after(limitMs, waiting.resolve)
      this.#waiting.add(waiting)
      this.#look()
    })
  }

  #look(): void {
    for (const { isDone, resolve } of [...this.#waiting]) if (this.isOver || isDone()) resolve()
  }

  #receive(bytes: Uint8Array): void {
    if (this.#isDeaf) return
    this.#decoder.feed(bytes, {
      stopped: false,
      check: (type, channel, length) => {
        if (length > defaultLimits.framePayloadBytes)
          this.#violation(`mallory got a frame of type ${type} with ${length} bytes on ${channel}`)
      },
      place: () => undefined,
      frame: (type, number, body, start, end) => this.#frame(type, number, body.slice(start, end)),
    })
    this.#look()
  }

  #frame(type: number, number: number, body: Uint8Array): void {
    if (type >= frameTypes.OPEN) this.framesReceived += 1
    const circuit = this.circuits.get(number)
    switch (type) {
      case frameTypes.READY:
        this.isReady = true
        return
      case frameTypes.PING:
        if (this.answers) this.say(rawFrame(frameTypes.PONG, 0, body))
        return
      case frameTypes.GOAWAY:
        this.goAway = decodeError(body)
        return
      case frameTypes.HELLO:
        this.remoteEpoch = decodeHello(body).epoch
        return
      case frameTypes.RESUME:
        this.isResuming = true
        return
      case frameTypes.ACK:
      case frameTypes.PONG:
        return
      default:
        if (circuit !== undefined) this.#circuit(circuit, type, body)
        else if (this.isMeant) this.#violation(`mallory got a frame of type ${type} for circuit ${number}`)
    }
  }

  #circuit(circuit: RawCircuit, type: number, body: Uint8Array): void {
    switch (type) {
      case frameTypes.ACCEPT:
      case frameTypes.CREDIT:
        if (type === frameTypes.ACCEPT) circuit.isAccepted = true
        circuit.creditBytes = Math.max(circuit.creditBytes, readUint64(body, 0))
        return
      case frameTypes.REFUSE:
      case frameTypes.RESET:
        circuit.error = decodeError(body)
        return
      case frameTypes.END:
        return
      case frameTypes.CLOSE:
        circuit.isClosed = true
        return
      default:
        circuit.receivedBytes += headerBytes + body.length
        circuit.fragments += 1
        if (this.isMeant && circuit.receivedBytes > circuit.grantedBytes)
          this.#violation(
            `mallory got ${circuit.receivedBytes} bytes on a circuit that was granted ${circuit.grantedBytes}`,
          )
    }
  }
}

/** The body of a control frame. */
export function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}
