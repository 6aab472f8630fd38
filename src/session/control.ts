import { frameTypes, headerBytes, writeHeader } from '../wire/frame.ts'
import type { Batch } from './batch.ts'
import type { Channel } from './channel.ts'
import type { Slab } from './slab.ts'

/** Bytes taken after which an acknowledgement is due at once, and how long a smaller one may wait. */
const acknowledgeBytes = 64 * 1024
const acknowledgeMs = 25
const bodyBytes = 8

/** The frames without a number: absolute values that may be said again, never held back. */
export class Control {
  /** Numbered frames taken from the other side. */
  receivedFrames = 0
  #acknowledgedFrames = 0
  #unacknowledgedBytes = 0
  #acknowledgeAt = Infinity
  readonly #grants = new Set<Channel>()
  /** Only the last PING is answered that came while there was no room to answer. */
  #echo: Uint8Array | undefined
  #ping = -1

  get deadline(): number {
    return this.#acknowledgeAt
  }

  /** Something was taken that the other side has had no acknowledgement for. */
  get owing(): boolean {
    return this.receivedFrames > this.#acknowledgedFrames
  }

  /** A numbered frame was taken. */
  received(frameBytes: number, now: number): void {
    this.receivedFrames += 1
    this.#unacknowledgedBytes += frameBytes
    if (this.#acknowledgeAt === Infinity) this.#acknowledgeAt = now + acknowledgeMs
  }

  /**
   * A new link, on which this end has said that it has taken `saidFrames`: what was taken since is acknowledged at once, and every
   * grant that may have been lost is said again. Of a circuit that is opened from here the other side may not know yet.
   */
  restate(channels: Iterable<Channel>, saidFrames: number): void {
    this.#echo = undefined
    this.#ping = -1
    this.#acknowledgedFrames = saidFrames
    this.#acknowledgeAt = Infinity
    this.#unacknowledgedBytes = this.receivedFrames > saidFrames ? acknowledgeBytes : 0
    for (const channel of channels) {
      if (!channel.granting && !channel.remoteEnded && (!channel.opener || channel.accepted)) this.grant(channel)
    }
  }

  grant(channel: Channel): void {
    channel.granting = true
    this.#grants.add(channel)
  }

  /** A channel is gone: nothing more is granted. */
  forget(channel: Channel): void {
    if (channel.granting) this.#grants.delete(channel)
  }

  /** Nothing is said any more. */
  clear(): void {
    this.#grants.clear()
    this.#echo = undefined
    this.#ping = -1
    this.#acknowledgeAt = Infinity
  }

  ping(token: number): void {
    this.#ping = token
  }

  /** Answers a PING with its own eight bytes, which are lent. */
  pong(body: Uint8Array): void {
    this.#echo = body.slice()
  }

  /** Whether something should leave in this turn. */
  due(now: number): boolean {
    return (
      this.#grants.size > 0 ||
      this.#echo !== undefined ||
      this.#ping >= 0 ||
      this.#unacknowledgedBytes >= acknowledgeBytes ||
      now >= this.#acknowledgeAt
    )
  }

  write(batch: Batch, slab: Slab, now: number): void {
    if (this.#unacknowledgedBytes >= acknowledgeBytes >> 2 || now >= this.#acknowledgeAt) this.#acknowledge(batch, slab)
    for (const channel of this.#grants) {
      channel.granting = false
      append(batch, slab, frameTypes.CREDIT, channel.number, channel.window.grant())
    }
    this.#grants.clear()
    if (this.#echo !== undefined) appendBytes(batch, slab, frameTypes.PONG, this.#echo)
    this.#echo = undefined
    if (this.#ping >= 0) append(batch, slab, frameTypes.PING, 0, this.#ping)
    this.#ping = -1
  }

  #acknowledge(batch: Batch, slab: Slab): void {
    this.#acknowledgeAt = Infinity
    this.#unacknowledgedBytes = 0
    if (this.#acknowledgedFrames === this.receivedFrames) return
    this.#acknowledgedFrames = this.receivedFrames
    append(batch, slab, frameTypes.ACK, 0, this.receivedFrames)
  }
}

function append(batch: Batch, slab: Slab, type: number, channel: number, value: number): void {
  slab.reserve(headerBytes + bodyBytes)
  const { bytes, used } = slab
  writeHeader(bytes, used, type, bodyBytes, channel)
  writeUint64(bytes, used + headerBytes, value)
  slab.used = used + headerBytes + bodyBytes
  batch.addSlab(bytes, used, slab.used)
}

function appendBytes(batch: Batch, slab: Slab, type: number, body: Uint8Array): void {
  slab.reserve(headerBytes + body.length)
  const { bytes, used } = slab
  writeHeader(bytes, used, type, body.length, 0)
  bytes.set(body, used + headerBytes)
  slab.used = used + headerBytes + body.length
  batch.addSlab(bytes, used, slab.used)
}

/** A safe integer as u64, little-endian. */
export function writeUint64(out: Uint8Array, at: number, value: number): void {
  let low = value % 0x1_0000_0000
  let high = Math.floor(value / 0x1_0000_0000)
  for (let index = 0; index < 4; index += 1) {
    out[at + index] = low & 0xff
    out[at + 4 + index] = high & 0xff
    low = Math.floor(low / 256)
    high = Math.floor(high / 256)
  }
}

/** A u64, little-endian; not a safe integer when it is above 2^53 - 1. */
export function readUint64(bytes: Uint8Array, at: number): number {
  let value = 0
  for (let index = 7; index >= 0; index -= 1) value = value * 256 + (bytes[at + index] as number)
  return value
}
