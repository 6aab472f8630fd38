import { once } from 'node:events'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { createIdentity, parseUrl } from 'plait'
import type { Identity, PlaitError } from 'plait'
import { defaultLimits } from '../../src/base/limits.ts'
import { decodeHello, encodeHello } from '../../src/session/hello.ts'
import { FrameDecoder } from '../../src/wire/decoder.ts'
import { decodeError } from '../../src/wire/error.ts'
import { frameTypes, headerBytes, writeHeader } from '../../src/wire/frame.ts'

/** A frame as it came. */
export interface RawFrame {
  readonly type: number
  readonly channel: number
  readonly body: Uint8Array
}

export interface StrangerOptions {
  /** A new one when absent. */
  readonly identity?: Identity
  /** Which run of its program it claims to be: 16 bytes. */
  readonly epoch?: Uint8Array
  /** The address that it comes from. */
  readonly localAddress?: string
  /** A TLS session to go on with, if the node takes it. */
  readonly session?: NonNullable<ReturnType<TLSSocket['getSession']>>
  /** Each frame that comes, before anything else is done with it. Bodies are lent. */
  readonly heard?: (frame: RawFrame) => void
}

/** The bytes of a frame. */
export function frame(type: number, channel: number, body: Uint8Array = new Uint8Array(0)): Uint8Array {
  const bytes = new Uint8Array(headerBytes + body.length)
  writeHeader(bytes, 0, type, body.length, channel)
  bytes.set(body, headerBytes)
  return bytes
}

/** A u64, little-endian. */
export function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value), true)
  return bytes
}

/** An identity that chairs over the node with this id, or that does not. */
export function identityThat(chairs: boolean, over: string): Identity {
  for (;;) {
    const identity = createIdentity()
    if (identity.id < over === chairs) return identity
  }
}

/**
 * What a node has at the other end when that is no plait: an honest TLS handshake, and then exactly the frames that somebody tells
 * it to send. It acknowledges nothing, grants nothing and answers no PING by itself.
 */
export class Stranger {
  readonly socket: TLSSocket
  readonly identity: Identity
  readonly nodeId: string
  readonly epoch: Uint8Array
  /** Frames that came by type. */
  readonly counts: Map<number, number> = new Map()
  /** Which run of its program the node is, by its HELLO. */
  remoteEpoch: Uint8Array | undefined
  /** Errors with which the node has reset or refused circuits, by code. */
  readonly resets: Map<string, number> = new Map()
  /** What the node has said at the end. */
  goodbye: PlaitError | undefined
  /** Resolves when the connection is over, with when. */
  readonly closed: Promise<number>
  readonly #heard: ((frame: RawFrame) => void) | undefined
  readonly #decoder = new FrameDecoder()
  #waiting: (() => void)[] = []

  private constructor(socket: TLSSocket, identity: Identity, nodeId: string, options: StrangerOptions) {
    this.socket = socket
    this.identity = identity
    this.nodeId = nodeId
    this.epoch = options.epoch ?? crypto.getRandomValues(new Uint8Array(16))
    this.#heard = options.heard
    socket.on('data', (bytes: Uint8Array) => this.#decoder.feed(bytes, this))
    socket.on('error', () => {})
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        resolve(performance.now())
        this.#changed()
      })
    })
  }

  /** Connects to `plait://NODEID@HOST:PORT`; nothing has been said yet. Rejects when the connection fails. */
  static async connect(address: string, options: StrangerOptions = {}): Promise<Stranger> {
    const { nodeId, addresses } = parseUrl(address)
    const [at] = addresses
    if (at === undefined) throw new Error(`${address} says no place`)
    const identity = options.identity ?? createIdentity()
    const { key, certificate: cert } = identity.tls()
    const { localAddress, session } = options
    const socket = connect({
      ...at,
      key,
      cert,
      rejectUnauthorized: false,
      ALPNProtocols: ['plait/1'],
      ...(localAddress === undefined ? {} : { localAddress }),
      ...(session === undefined ? {} : { session }),
    })
    const stranger = new Stranger(socket, identity, nodeId, options)
    await once(socket, 'secureConnect')
    return stranger
  }

  /** The same, and both have said HELLO and READY. */
  static async greet(address: string, options: StrangerOptions = {}): Promise<Stranger> {
    const stranger = await Stranger.connect(address, options)
    stranger.send(stranger.hello())
    await stranger.hears(frameTypes.HELLO)
    stranger.send(stranger.ready())
    await stranger.hears(frameTypes.READY)
    return stranger
  }

  /** 32 bytes that only the two ends of this connection have. */
  get binding(): Uint8Array {
    return this.socket.exportKeyingMaterial(32, 'EXPORTER-plait', Buffer.alloc(0))
  }

  /** What the dialler says to prove that it means this very channel. */
  get proof(): Uint8Array {
    return Uint8Array.of(1, ...this.binding)
  }

  /** The number of the first circuit that it may open; the next ones follow by twos. */
  get firstCircuit(): number {
    return this.identity.id < this.nodeId ? 2 : 1
  }

  hello(): Uint8Array {
    const local = { epoch: this.epoch, agent: 'stranger', addresses: [] }
    return frame(frameTypes.HELLO, 0, encodeHello(local, defaultLimits))
  }

  ready(): Uint8Array {
    return frame(frameTypes.READY, 0, this.proof)
  }

  /** Writes it; false when it is kept in this process, and `drained` should be awaited. */
  send(...chunks: readonly Uint8Array[]): boolean {
    if (this.over) return true
    this.socket.cork()
    for (const chunk of chunks) this.socket.write(chunk)
    this.socket.uncork()
    return !this.socket.writableNeedDrain
  }

  /** Resolves when the other end has taken what was written, or the connection is over. */
  async drained(): Promise<void> {
    if (!this.socket.writableNeedDrain) return
    await Promise.race([new Promise((resolve) => this.socket.once('drain', resolve)), this.closed])
  }

  /** Until such a frame has come, or `count` of them. Rejects when the connection ends without. */
  async hears(type: number, count = 1): Promise<void> {
    while ((this.counts.get(type) ?? 0) < count) {
      if (this.over) throw new Error(`the node has ended it: ${this.goodbye?.message ?? 'without a word'}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  get over(): boolean {
    return this.socket.destroyed
  }

  /** Ends it at once. */
  leave(): void {
    this.socket.destroy()
  }

  // What follows is for the decoder.

  get stopped(): boolean {
    return false
  }

  check(): void {}

  place(): undefined {
    return undefined
  }

  frame(type: number, channel: number, bytes: Uint8Array, start: number, end: number): void {
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1)
    this.#heard?.({ type, channel, body: bytes.subarray(start, end) })
    if (type === frameTypes.HELLO) this.remoteEpoch = decodeHello(bytes.slice(start, end)).epoch
    if (type === frameTypes.GOAWAY) this.goodbye = decodeError(bytes, start, end)
    if (type === frameTypes.RESET || type === frameTypes.REFUSE) {
      const { code } = decodeError(bytes, start, end)
      this.resets.set(code, (this.resets.get(code) ?? 0) + 1)
    }
    this.#changed()
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
