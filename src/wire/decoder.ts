import { assert } from '../base/assert.ts'
import { headerBytes, readBodyLength, readChannel } from './frame.ts'

/** Who takes the frames out of a `FrameDecoder`. What it throws leaves `feed`; the decoder is of no use after that. */
export interface FrameSink {
  /** True when no further frame is wanted; the rest of the chunk is dropped. Asked before each frame. */
  readonly stopped: boolean
  /**
   * Called once for each frame, as soon as its header is complete and before anything is allocated for its body. Throws a
   * `PlaitError` for a length that is not allowed in the present state.
   */
  check(type: number, channel: number, bodyLength: number): void
  /**
   * Only for a body that does not stand whole in one chunk, after `check`: where it is to be put together, exactly `bodyLength`
   * bytes, or undefined for a buffer of its own.
   */
  place(type: number, channel: number, bodyLength: number): Uint8Array | undefined
  /**
   * A complete frame with its body at `start` .. `end` of `bytes`. Without `owned` the bytes are lent until the call returns. With
   * `owned` they are the sink's: what it returned from `place`, or a buffer of exactly the body's length.
   */
  frame(type: number, channel: number, bytes: Uint8Array, start: number, end: number, owned: boolean): void
}

/**
 * Finds the frames in a stream of bytes that comes in any split. What stands whole in a chunk is handed on in place, without an
 * allocation; only a body that crosses chunks is copied, once.
 */
export class FrameDecoder {
  readonly #header = new Uint8Array(headerBytes)
  #headerFilled = 0
  #body: Uint8Array | undefined
  #bodyFilled = 0
  /** The body is put together where the sink has said. */
  #placed = false

  /** Bytes held here for a frame that is not complete, to be charged to whoever began it; not those in a place of the sink's. */
  get heldBytes(): number {
    return this.#body === undefined || this.#placed ? 0 : this.#body.length
  }

  /** What has begun and is not complete. */
  get partial(): 'nothing' | 'header' | 'body' {
    if (this.#headerFilled === 0) return 'nothing'
    return this.#body === undefined ? 'header' : 'body'
  }

  /** Forgets a frame that is not complete: its link is gone. */
  reset(): void {
    this.#headerFilled = 0
    this.#body = undefined
    this.#bodyFilled = 0
  }

  /** Hands every frame that `bytes` completes to `sink`, in order. `bytes` is lent until the call returns. */
  feed(bytes: Uint8Array, sink: FrameSink): void {
    let at = this.#headerFilled === 0 ? 0 : this.#finish(bytes, sink)
    const { length } = bytes
    while (length - at >= headerBytes && !sink.stopped) {
      const type = bytes[at] as number
      const bodyLength = readBodyLength(bytes, at)
      const channel = readChannel(bytes, at)
      sink.check(type, channel, bodyLength)
      const start = at + headerBytes
      const end = start + bodyLength
      if (end > length) {
        this.#keepHeader(bytes, at, start)
        this.#begin(sink)
        this.#keepBody(bytes, start, length)
        return
      }
      sink.frame(type, channel, bytes, start, end, false)
      at = end
    }
    if (at < length && !sink.stopped) this.#keepHeader(bytes, at, length)
  }

  /** Goes on with the frame that an earlier chunk began; returns where the next one starts. */
  #finish(bytes: Uint8Array, sink: FrameSink): number {
    const { length } = bytes
    if (sink.stopped) return length
    let at = 0
    if (this.#headerFilled < headerBytes) {
      at = Math.min(headerBytes - this.#headerFilled, length)
      this.#keepHeader(bytes, 0, at)
      if (this.#headerFilled < headerBytes) return length
      sink.check(this.#header[0] as number, readChannel(this.#header, 0), readBodyLength(this.#header, 0))
      const end = at + readBodyLength(this.#header, 0)
      if (end <= length) {
        this.#headerFilled = 0
        sink.frame(this.#header[0] as number, readChannel(this.#header, 0), bytes, at, end, false)
        return end
      }
      this.#begin(sink)
    }
    const body = this.#body
    assert(body !== undefined, 'a frame that has begun has a body')
    const end = Math.min(at + body.length - this.#bodyFilled, length)
    this.#keepBody(bytes, at, end)
    if (this.#bodyFilled < body.length) return length
    this.reset()
    sink.frame(this.#header[0] as number, readChannel(this.#header, 0), body, 0, body.length, true)
    return end
  }

  #begin(sink: FrameSink): void {
    const bodyLength = readBodyLength(this.#header, 0)
    const place = sink.place(this.#header[0] as number, readChannel(this.#header, 0), bodyLength)
    assert(place === undefined || place.length === bodyLength, 'a place has exactly the length of the body')
    this.#placed = place !== undefined
    this.#body = place ?? new Uint8Array(bodyLength)
    this.#bodyFilled = 0
  }

  #keepHeader(bytes: Uint8Array, start: number, end: number): void {
    for (let index = start; index < end; index += 1) {
      this.#header[this.#headerFilled] = bytes[index] as number
      this.#headerFilled += 1
    }
  }

  #keepBody(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return
    // What is in one piece needs no view of its own.
    this.#body?.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end), this.#bodyFilled)
    this.#bodyFilled += end - start
  }
}
