import { emptyBytes } from '../base/bytes.ts'
import type { Channel } from './channel.ts'

/** A buffer that nobody kept is used again when it is not larger than this. */
const spareBytesMax = 1024 * 1024

/** Memory set aside for large fragments on their way in. Channels that find no room wait in turn, with their window as the bound. */
export class Reservations {
  readonly limitBytes: number
  reservedBytes = 0
  /** In the order in which they came. */
  readonly #waiting = new Set<Channel>()
  #spare: Uint8Array = emptyBytes
  readonly active: Set<Channel> = new Set()
  readonly #allocate: (bytes: number) => Uint8Array

  constructor(limitBytes: number, allocate = (bytes: number): Uint8Array => new Uint8Array(bytes)) {
    this.limitBytes = limitBytes
    this.#allocate = allocate
  }

  /** A channel has begun to receive a large fragment; returns whether memory is reserved for it already. */
  begin(channel: Channel): boolean {
    this.active.add(channel)
    if (this.#waiting.size === 0 && this.#reserve(channel)) return true
    this.#waiting.add(channel)
    return false
  }

  /** Ends the reservation of a fragment that is complete, or of a channel that is gone. */
  end(channel: Channel): void {
    const reassembly = channel.reassembly
    if (reassembly === undefined) return
    channel.reassembly = undefined
    this.active.delete(channel)
    if (reassembly.reserved) this.reservedBytes -= reassembly.totalBytes
    else this.#waiting.delete(channel)
  }

  /** The session is over. */
  clear(): void {
    this.active.clear()
    this.#waiting.clear()
    this.reservedBytes = 0
    this.rest()
  }

  /** Lets go of the buffer that is kept for the next fragment. */
  rest(): void {
    this.#spare = emptyBytes
  }

  /** Memory for a fragment that has been reserved, with any content; to be asked for once it has been charged. */
  readonly allocate = (bytes: number): Uint8Array => {
    const spare = this.#spare
    if (spare.length < bytes) return this.#allocate(bytes)
    this.#spare = emptyBytes
    return spare.length === bytes ? spare : spare.subarray(0, bytes)
  }

  /** Takes a buffer back that was lent and not kept. */
  recycle(buffer: Uint8Array): void {
    if (buffer.buffer.byteLength > spareBytesMax || buffer.buffer.byteLength <= this.#spare.length) return
    this.#spare = new Uint8Array(buffer.buffer)
  }

  /** The next channel whose turn has come, now that there may be room. */
  next(): Channel | undefined {
    for (const channel of this.#waiting) {
      if (mustWait(channel)) continue
      if (!this.#reserve(channel)) return undefined
      this.#waiting.delete(channel)
      return channel
    }
    return undefined
  }

  #reserve(channel: Channel): boolean {
    const reassembly = channel.reassembly
    if (reassembly === undefined || mustWait(channel)) return false
    const { totalBytes } = reassembly
    if (this.reservedBytes > 0 && this.reservedBytes + totalBytes > this.limitBytes) return false
    this.reservedBytes += totalBytes
    reassembly.reserved = true
    return true
  }
}

/**
 * Who does not read what has come gets no memory for more: its circuit stalls, and no other. For a circuit that nobody has taken the
 * smallest window is all that there is.
 */
function mustWait(channel: Channel): boolean {
  return channel.heldBytes > channel.window.windowBytes || !(channel.opener || channel.accepted)
}
