import type { Socket } from 'node:net'
import { keptBytes } from '../peer.ts'
import type { FrameWriter } from './frame-writer.ts'
import { headerBytes, writeHeader } from './frame.ts'

const slabBytes = 64 * 1024
/** Bytes in flight at which a sender is asked to wait. The stream's own mark of 16 KiB would stop it a dozen times as often. */
const markBytes = 1024 * 1024
/** Slabs kept for use again: as many as can be in flight. */
const spareSlabs = markBytes / slabBytes

/**
 * Copies short messages into a slab that is written once a turn or when full; a long one goes with its header in one write. Counts the
 * bytes in flight by the callbacks of its writes: a socket whose writes succeed at once never says that it is full.
 */
export class BatchedWriter implements FrameWriter {
  readonly #socket: Socket
  readonly #spares: Uint8Array[] = []
  #slab: Uint8Array = Buffer.allocUnsafeSlow(slabBytes)
  /** What of the slab has been given to the socket, and what has been filled. */
  #written = 0
  #filled = 0
  #inFlightBytes = 0
  #scheduled = false
  /** Copied in this turn; and whether it was one in the turn before. */
  #frames = 0
  #wasLone = false
  #waiting: (() => void)[] = []
  readonly #endTurn = (): void => {
    this.#scheduled = false
    this.#wasLone = this.#frames === 1
    this.#frames = 0
    if (this.#filled > this.#written) this.#write(this.#takeUnwritten())
  }

  constructor(socket: Socket) {
    this.#socket = socket
  }

  send(stream: number, bytes: Uint8Array, start: number, end: number): boolean {
    const body = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    const length = end - start
    const copied = length < keptBytes
    if (this.#filled + headerBytes + (copied ? length : 0) > slabBytes) this.#turnSlab()
    writeHeader(this.#slab, this.#filled, length, stream)
    this.#filled += headerBytes
    if (copied) {
      this.#slab.set(body, this.#filled)
      this.#filled += length
      this.#schedule()
    } else this.#writeWith(body)
    return this.#inFlightBytes < markBytes
  }

  ready(): Promise<void> {
    if (this.#inFlightBytes < markBytes) return Promise.resolve()
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /**
   * At the end of the turn: of the event loop, so that the answers to several chunks share a write; or, when the write before carried
   * one frame only, of the handler that is running, because then nobody else is to be expected and 3 us are saved.
   */
  #schedule(): void {
    this.#frames += 1
    if (this.#scheduled) return
    this.#scheduled = true
    if (this.#wasLone) process.nextTick(this.#endTurn)
    else setImmediate(this.#endTurn)
  }

  #takeUnwritten(): Uint8Array {
    const part = this.#slab.subarray(this.#written, this.#filled)
    this.#written = this.#filled
    return part
  }

  #write(bytes: Uint8Array, emptied?: Uint8Array): void {
    this.#inFlightBytes += bytes.length
    this.#socket.write(bytes, () => this.#left(bytes.length, emptied))
  }

  /** Header and body in one write, without a copy of the body. */
  #writeWith(body: Uint8Array): void {
    this.#socket.cork()
    this.#write(this.#takeUnwritten())
    this.#write(body)
    this.#socket.uncork()
  }

  /** Begins a fresh slab; this one is spare when its last bytes have left. */
  #turnSlab(): void {
    // Never an empty write: on TLS it makes the socket emit 'data' before it returns, inside the handler of the data before.
    if (this.#filled > this.#written) this.#write(this.#takeUnwritten(), this.#slab)
    else if (this.#inFlightBytes === 0) this.#spares.push(this.#slab)
    this.#slab = this.#spares.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
    this.#written = 0
    this.#filled = 0
  }

  #left(bytes: number, emptied: Uint8Array | undefined): void {
    this.#inFlightBytes -= bytes
    if (emptied !== undefined && this.#spares.length < spareSlabs) this.#spares.push(emptied)
    if (this.#waiting.length === 0 || this.#inFlightBytes >= markBytes) return
    const woken = this.#waiting
    this.#waiting = []
    for (const resume of woken) resume()
  }
}
