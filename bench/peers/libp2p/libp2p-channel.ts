import type { Stream } from 'libp2p'
import { guarded } from '../guarded.ts'
import { type Channel, type Handler, keptBytes } from '../peer.ts'
import { headerBytes, writeHeader } from '../raw/frame.ts'
import { FrameReader } from '../raw/frame-reader.ts'

/** A stream of libp2p is one of bytes: messages are framed as in the raw rows. */
export class Libp2pChannel implements Channel {
  readonly #stream: Stream

  constructor(stream: Stream) {
    this.#stream = stream
  }

  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    const body = bytes.subarray(start, end)
    const copied = body.length < keptBytes
    const frame = new Uint8Array(headerBytes + (copied ? body.length : 0))
    writeHeader(frame, 0, body.length, 0)
    if (copied) frame.set(body, headerBytes)
    const below = this.#stream.send(frame)
    return copied ? below : this.#stream.send(body)
  }

  ready(): Promise<void> {
    return this.#stream.onDrain()
  }

  receive(handler: Handler): void {
    const take = guarded(handler)
    const reader = new FrameReader((_stream, bytes, start, end) => take(bytes, start, end))
    this.#stream.addEventListener('message', ({ data }) => {
      if (data instanceof Uint8Array) reader.take(data)
      else for (const piece of data) reader.take(piece)
    })
  }
}
