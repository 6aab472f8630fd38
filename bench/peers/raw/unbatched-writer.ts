import type { Socket } from 'node:net'
import { keptBytes } from '../peer.ts'
import type { FrameWriter } from './frame-writer.ts'
import { headerBytes, writeHeader } from './frame.ts'

/** A write for each frame, and the socket's own word for when to wait: what one writes first. */
export class UnbatchedWriter implements FrameWriter {
  readonly #socket: Socket

  constructor(socket: Socket) {
    this.#socket = socket
  }

  send(stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const body = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    const copied = body.length < keptBytes
    const frame = Buffer.allocUnsafe(headerBytes + (copied ? body.length : 0))
    writeHeader(frame, 0, body.length, stream)
    if (copied) {
      frame.set(body, headerBytes)
      return this.#socket.write(frame)
    }
    this.#socket.cork()
    this.#socket.write(frame)
    const below = this.#socket.write(body)
    this.#socket.uncork()
    return below
  }

  ready(): Promise<void> {
    if (!this.#socket.writableNeedDrain) return Promise.resolve()
    return new Promise((resolve) => this.#socket.once('drain', resolve))
  }
}
