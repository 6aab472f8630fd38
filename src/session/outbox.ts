import { varintLength, writeVarint } from '../base/varint.ts'
import { frameTypes, headerBytes, writeHeader } from '../wire/frame.ts'
import type { Batch } from './batch.ts'
import type { Slab } from './slab.ts'

/** Fragments up to this size (header included) are copied into a slab; it must fit into half of the smallest window. */
export const inlineBytes = 8192

/** No piece of a large fragment is smaller than this but the last, so that the largest one has fewer pieces than 4,096. */
const pieceBytesMin = 5 * 1024

/** Whole frames that stand one behind the other in a slab. */
interface Run {
  readonly slab: Uint8Array
  start: number
  end: number
  frames: number
  creditBytes: number
  next: Entry | undefined
  readonly payload: undefined
}

/** A fragment too large to be copied: its metadata, and a reference to its payload. */
interface Bulk {
  readonly metadata: Uint8Array
  readonly payload: Uint8Array
  sentBytes: number
  begun: boolean
  next: Entry | undefined
}

type Entry = Run | Bulk

/** What one turn of the scheduler lets a channel take. */
export interface Turn {
  readonly batch: Batch
  readonly slab: Slab
  /** Bytes that may still be taken in this turn; a frame that begins within them is taken whole. */
  budgetBytes: number
  /** Largest body of a frame. */
  readonly pieceBytes: number
}

/** The queue of one channel: frames that have been taken from the application and have not left. */
export class Outbox {
  #first: Entry | undefined
  #last: Entry | undefined
  bufferedBytes = 0
  /** Absolute count of frame bytes that may leave, and that have left. */
  creditBytes: number
  sentBytes = 0
  readonly channel: number

  constructor(channel: number, creditBytes: number) {
    this.channel = channel
    this.creditBytes = creditBytes
  }

  get empty(): boolean {
    return this.#first === undefined
  }

  /** A frame that stands at `start` .. `end` of a slab; `charged` when it needs credit. */
  appendFrame(slab: Uint8Array, start: number, end: number, charged: boolean): void {
    const length = end - start
    this.bufferedBytes += length
    const last = this.#last
    if (last !== undefined && last.payload === undefined && last.slab === slab && last.end === start) {
      last.end = end
      last.frames += 1
      if (charged) last.creditBytes += length
      return
    }
    this.#append({
      slab,
      start,
      end,
      frames: 1,
      creditBytes: charged ? length : 0,
      next: undefined,
      payload: undefined,
    })
  }

  appendBulk(metadata: Uint8Array, payload: Uint8Array): void {
    this.bufferedBytes += metadata.length + payload.length
    this.#append({ metadata, payload, sentBytes: 0, begun: false, next: undefined })
  }

  clear(): void {
    this.#first = undefined
    this.#last = undefined
    this.bufferedBytes = 0
  }

  /** Forgets all that has not left, but for the rest of a large fragment that has begun. */
  dropUnsent(): void {
    const first = this.#first
    this.clear()
    if (first === undefined || first.payload === undefined || !first.begun) return
    first.next = undefined
    this.#first = first
    this.#last = first
    this.bufferedBytes = first.metadata.length + first.payload.length - first.sentBytes
  }

  /** Moves frames into the batch. True when the turn's budget ended it; false when the queue is empty or waits for credit. */
  take(turn: Turn): boolean {
    for (let entry = this.#first; entry !== undefined; entry = this.#first) {
      if (turn.budgetBytes <= 0) return true
      const finished = entry.payload === undefined ? this.#takeRun(entry, turn) : this.#takeBulk(entry, turn)
      if (!finished) return turn.budgetBytes <= 0
      this.#first = entry.next
      // An old entry that is dead, and not yet collected, would keep all that came behind it.
      entry.next = undefined
      if (this.#first === undefined) this.#last = undefined
    }
    return false
  }

  #append(entry: Entry): void {
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
  }

  #takeRun(run: Run, turn: Turn): boolean {
    const length = run.end - run.start
    if (run.creditBytes <= this.creditBytes - this.sentBytes && length <= turn.budgetBytes) {
      this.#leave(run, run.end, run.frames, run.creditBytes, turn)
      return true
    }
    const { slab } = run
    const creditBytes = this.creditBytes - this.sentBytes
    let at = run.start
    let frames = 0
    let charged = 0
    while (at < run.end && at - run.start < turn.budgetBytes) {
      const bodyBytes = (slab[at + 1] as number) | ((slab[at + 2] as number) << 8) | ((slab[at + 3] as number) << 16)
      const frameBytes = headerBytes + bodyBytes
      if (slab[at] === frameTypes.DATA) {
        if (charged + frameBytes > creditBytes) break
        charged += frameBytes
      }
      at += frameBytes
      frames += 1
    }
    if (frames > 0) this.#leave(run, at, frames, charged, turn)
    return run.start === run.end
  }

  #leave(run: Run, end: number, frames: number, creditBytes: number, turn: Turn): void {
    const length = end - run.start
    turn.batch.addSlab(run.slab, run.start, end)
    turn.batch.frames += frames
    turn.budgetBytes -= length
    this.bufferedBytes -= length
    this.sentBytes += creditBytes
    run.start = end
    run.frames -= frames
    run.creditBytes -= creditBytes
  }

  #takeBulk(bulk: Bulk, turn: Turn): boolean {
    const totalBytes = bulk.metadata.length + bulk.payload.length
    if (!bulk.begun) {
      const creditBytes = this.creditBytes - this.sentBytes
      if (totalBytes <= turn.pieceBytes && headerBytes + totalBytes <= creditBytes) {
        this.#sendPiece(bulk, frameTypes.DATA, totalBytes, turn)
        return true
      }
      if (!this.#begin(bulk, totalBytes, turn)) return false
    }
    while (bulk.sentBytes < totalBytes) {
      if (turn.budgetBytes <= 0) return false
      const remainingBytes = totalBytes - bulk.sentBytes
      const creditBytes = this.creditBytes - this.sentBytes - headerBytes
      if (creditBytes < Math.min(remainingBytes, pieceBytesMin)) return false
      this.#sendPiece(bulk, frameTypes.MORE, Math.min(remainingBytes, creditBytes, turn.pieceBytes), turn)
    }
    return true
  }

  /** The first piece says how long the fragment is; the payload follows in pieces of its own, so that each lands in place. */
  #begin(bulk: Bulk, totalBytes: number, turn: Turn): boolean {
    const prefixBytes = varintLength(totalBytes)
    const creditBytes = this.creditBytes - this.sentBytes - headerBytes - prefixBytes
    const bodyBytes = Math.min(bulk.metadata.length, inlineBytes)
    if (creditBytes < bodyBytes) return false
    const frameBytes = headerBytes + prefixBytes + bodyBytes
    turn.slab.reserve(frameBytes)
    const { bytes, used } = turn.slab
    writeHeader(bytes, used, frameTypes.FIRST, prefixBytes + bodyBytes, this.channel)
    const at = writeVarint(bytes, used + headerBytes, totalBytes)
    bytes.set(bodyBytes === bulk.metadata.length ? bulk.metadata : bulk.metadata.subarray(0, bodyBytes), at)
    turn.slab.used = used + frameBytes
    turn.batch.addSlab(bytes, used, used + frameBytes)
    this.#charge(bulk, bodyBytes, frameBytes, turn)
    bulk.begun = true
    return true
  }

  /** One frame with the next `bodyBytes` of the encoded fragment: header and metadata copied, payload by reference. */
  #sendPiece(bulk: Bulk, type: number, bodyBytes: number, turn: Turn): void {
    const from = bulk.sentBytes
    const to = from + bodyBytes
    const split = bulk.metadata.length
    const copied = from < split ? bulk.metadata.subarray(from, Math.min(to, split)) : undefined
    const frontBytes = headerBytes + (copied?.length ?? 0)
    turn.slab.reserve(frontBytes)
    const { bytes, used } = turn.slab
    writeHeader(bytes, used, type, bodyBytes, this.channel)
    if (copied !== undefined) bytes.set(copied, used + headerBytes)
    turn.slab.used = used + frontBytes
    turn.batch.addSlab(bytes, used, used + frontBytes)
    if (to > split) turn.batch.add(bulk.payload.subarray(Math.max(from, split) - split, to - split))
    this.#charge(bulk, bodyBytes, headerBytes + bodyBytes, turn)
  }

  #charge(bulk: Bulk, bodyBytes: number, frameBytes: number, turn: Turn): void {
    bulk.sentBytes += bodyBytes
    turn.batch.frames += 1
    turn.budgetBytes -= frameBytes
    this.bufferedBytes -= bodyBytes
    this.sentBytes += frameBytes
  }
}
