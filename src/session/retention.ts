import { Queue } from '../base/queue.ts'
import { headerBytes, isNumbered, readBodyLength } from '../wire/frame.ts'
import type { Batch } from './batch.ts'

interface Record {
  /** The write in which the frames have left; frames without a number may stand among them. */
  readonly chunks: readonly Uint8Array[]
  readonly bytes: number
  readonly frames: number
  /** Number of the last numbered frame in it, counted from 1. */
  readonly lastFrame: number
}

/** What a record costs besides the frames in it. */
const recordBytes = 256

/** What has left and has not been acknowledged: kept, and not to be changed, until it has; sent again over a new link. */
export class Retention {
  readonly #records = new Queue<Record>()
  /** What has to be sent again before anything else, whole frames at a time. */
  readonly #again = new Queue<readonly Piece[]>()
  /** Numbered frames that have left, and that the other side has acknowledged. */
  sentFrames = 0
  acknowledgedFrames = 0
  bytes = 0

  /** The memory that it takes: who acknowledges nothing must not make many small writes cost more than large ones. */
  get weightBytes(): number {
    return this.bytes + this.#records.length * recordBytes
  }

  keep(chunks: readonly Uint8Array[], bytes: number, frames: number): void {
    this.sentFrames += frames
    this.bytes += bytes
    this.#records.push({ chunks, bytes, frames, lastFrame: this.sentFrames })
  }

  /** Takes a cumulative acknowledgement. False when it speaks of frames that were never sent, or goes back. */
  acknowledge(frames: number): boolean {
    if (frames > this.sentFrames || frames < this.acknowledgedFrames) return false
    this.acknowledgedFrames = frames
    for (let record = this.#records.peek(); record !== undefined; record = this.#records.peek()) {
      if (record.lastFrame > frames) break
      this.bytes -= record.bytes
      this.#records.shift()
    }
    return true
  }

  /**
   * A new link: everything behind the first `receivedFrames`, which the other side says it has taken, is to be sent again. False
   * when that cannot be true.
   */
  rewind(receivedFrames: number): boolean {
    if (!this.acknowledge(receivedFrames)) return false
    this.#again.clear()
    for (const { chunks, frames, lastFrame } of this.#records) {
      const taken = Math.max(0, receivedFrames - (lastFrame - frames))
      for (const frame of numberedFrames(chunks, taken)) this.#again.push(frame)
    }
    return true
  }

  /** Something has to be sent again first. */
  get rewinding(): boolean {
    return this.#again.length > 0
  }

  /** Adds what has to be sent again, up to `roomBytes` (by one frame more at most). */
  resend(batch: Batch, roomBytes: number): void {
    const endBytes = batch.bytes + roomBytes
    while (batch.bytes < endBytes) {
      const frame = this.#again.shift()
      if (frame === undefined) return
      for (const { chunk, start, end } of frame) batch.addSlab(chunk, start, end)
    }
  }

  clear(): void {
    this.#records.clear()
    this.#again.clear()
    this.bytes = 0
  }
}

/** A part of a chunk. */
interface Piece {
  readonly chunk: Uint8Array
  readonly start: number
  readonly end: number
}

/** The numbered frames in the chunks of a write, without the first `skipped` of them. A header never crosses chunks. */
function numberedFrames(chunks: readonly Uint8Array[], skipped: number): (readonly Piece[])[] {
  const frames: (readonly Piece[])[] = []
  let unskipped = -skipped
  let index = 0
  let at = 0
  while (index < chunks.length) {
    const pieces: Piece[] = []
    const header = chunks[index] as Uint8Array
    const isWanted = isNumbered(header[at] as number) && (unskipped += 1) > 0
    for (let rest = headerBytes + readBodyLength(header, at); rest > 0;) {
      const chunk = chunks[index] as Uint8Array
      const end = Math.min(at + rest, chunk.length)
      pieces.push({ chunk, start: at, end })
      rest -= end - at
      at = end
      if (end < chunk.length) continue
      index += 1
      at = 0
    }
    if (isWanted) frames.push(pieces)
  }
  return frames
}
