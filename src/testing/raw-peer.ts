import { frameTypes, headerBytes, writeHeader } from '../wire/frame.ts'
import { FrameDecoder } from '../wire/decoder.ts'
import { defaultLimits } from '../base/limits.ts'
import { encodeHello } from '../session/hello.ts'
import { SessionEnd } from './session-pair.ts'
import type { SessionPairOptions } from './session-pair.ts'
import type { NodeId } from '../identity/node-id.ts'

/** A frame as it went over the wire; its body is a copy. */
export interface RawFrame {
  /** One of `frameTypes`, or what nobody knows. */
  readonly type: number
  readonly channel: number
  readonly body: Uint8Array
}

/** The bytes of one frame, right or wrong: nothing is checked. `channel` is the number of a circuit, 0 for the session. */
export function rawFrame(type: number, channel: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(headerBytes + body.length)
  writeHeader(bytes, 0, type, body.length, channel)
  bytes.set(body, headerBytes)
  return bytes
}

/**
 * A remote that says exactly what a test tells it to say, frame by frame, against one real session on virtual time. The session
 * under test has the smaller id: it chairs, and the raw peer opens odd circuits.
 */
export class RawPeer {
  /** Virtual milliseconds since the beginning. */
  now = 0
  /** The end under test; `end.error` says how the session has ended. */
  readonly end: SessionEnd
  /** Everything the session has sent, in order. */
  readonly received: RawFrame[] = []
  readonly #binding = new Uint8Array(32).fill(9)
  #decoder = new FrameDecoder()

  constructor(options: SessionPairOptions = {}) {
    this.end = new SessionEnd('a' as NodeId, 'b' as NodeId, options)
    this.#link()
  }

  /** Says hello and then `word` (ready when absent) like an honest node. */
  greet(word?: Uint8Array): this {
    const hello = encodeHello({ epoch: new Uint8Array(16), agent: 'raw', addresses: [] }, defaultLimits)
    const proof = Uint8Array.of(2, ...this.#binding)
    this.send(rawFrame(frameTypes.HELLO, 0, hello), word ?? rawFrame(frameTypes.READY, 0, proof))
    return this
  }

  /** The link is lost, and a new one has come, on which nothing has been said. */
  relink(): void {
    this.end.unlink(this.now)
    this.received.length = 0
    this.#decoder = new FrameDecoder()
    this.#link()
  }

  /** Hands bytes to the session and takes what it answers. */
  send(...chunks: readonly Uint8Array[]): void {
    for (const chunk of chunks) this.end.receive(chunk, this.now)
    this.drain()
  }

  /** Takes what the session wants to say now. */
  drain(roomBytes: number = 256 * 1024): void {
    const chunks = this.end.transmit(roomBytes, this.now)
    const sink = {
      stopped: false,
      check: () => {},
      place: () => undefined,
      frame: (type: number, channel: number, bytes: Uint8Array, start: number, end: number) => {
        this.received.push({ type, channel, body: bytes.slice(start, end) })
      },
    }
    for (const chunk of chunks) this.#decoder.feed(chunk, sink)
  }

  /** Lets time pass for the session, without a word from here. */
  run(elapsedMs: number): void {
    const end = this.now + elapsedMs
    for (let next = this.end.deadline; next <= end; next = this.end.deadline) {
      this.now = Math.max(this.now, next)
      this.end.tick(this.now)
      this.drain()
    }
    this.now = end
  }

  /** Frames of one type that the session has sent. */
  framesOf(type: number): readonly RawFrame[] {
    return this.received.filter((frame) => frame.type === type)
  }

  #link(): void {
    this.end.link({ binding: this.#binding, dialled: true, epoch: new Uint8Array(16).fill(1) }, this.now)
  }
}
