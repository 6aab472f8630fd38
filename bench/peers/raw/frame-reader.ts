import { readNumber } from '../number.ts'
import { headerBytes } from './frame.ts'

export type FrameHandler = (stream: number, bytes: Uint8Array, start: number, end: number) => void

/** Finds frames in what arrives and hands them over where they lie; only one that crosses chunks is put together first. */
export class FrameReader {
  readonly #deliver: FrameHandler
  readonly #header = new Uint8Array(headerBytes)
  #headerHeld = 0
  /** The body that crosses chunks. The same memory each time: what is handed over is lent. */
  #body = new Uint8Array(128 * 1024)
  #bodyHeld = 0

  constructor(deliver: FrameHandler) {
    this.#deliver = deliver
  }

  take(chunk: Uint8Array): void {
    const deliver = this.#deliver
    const end = chunk.length
    let at = this.#headerHeld === 0 ? 0 : this.#resume(chunk)
    while (end - at >= headerBytes) {
      const bodyAt = at + headerBytes
      const bodyEnd = bodyAt + readNumber(chunk, at)
      if (bodyEnd > end) break
      deliver(readNumber(chunk, at + 4), chunk, bodyAt, bodyEnd)
      at = bodyEnd
    }
    if (at < end) this.#keep(chunk, at)
  }

  #keep(chunk: Uint8Array, at: number): void {
    this.#headerHeld = Math.min(headerBytes, chunk.length - at)
    this.#header.set(chunk.subarray(at, at + this.#headerHeld))
    this.#bodyHeld = 0
    if (this.#headerHeld === headerBytes) this.#fill(chunk, at + headerBytes)
  }

  /** Goes on with a frame whose beginning is held. Returns how much of the chunk it took. */
  #resume(chunk: Uint8Array): number {
    let at = 0
    if (this.#headerHeld < headerBytes) {
      at = Math.min(headerBytes - this.#headerHeld, chunk.length)
      this.#header.set(chunk.subarray(0, at), this.#headerHeld)
      this.#headerHeld += at
      if (this.#headerHeld < headerBytes) return at
    }
    at = this.#fill(chunk, at)
    const length = readNumber(this.#header, 0)
    if (this.#bodyHeld < length) return at
    this.#headerHeld = 0
    this.#deliver(readNumber(this.#header, 4), this.#body, 0, length)
    return at
  }

  #fill(chunk: Uint8Array, at: number): number {
    const length = readNumber(this.#header, 0)
    if (this.#body.length < length) this.#body = new Uint8Array(length)
    const taken = Math.min(length - this.#bodyHeld, chunk.length - at)
    this.#body.set(chunk.subarray(at, at + taken), this.#bodyHeld)
    this.#bodyHeld += taken
    return at + taken
  }
}
