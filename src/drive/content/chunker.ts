import { assert } from '../../base/assert.ts'
import { gear } from './gear.ts'
import { scanGear } from './gear-scan.ts'

/** Shortest chunk but for the last of a file, the length from which on cuts are easier to come by, and the longest chunk. */
export const chunkBytesMin: number = 16 * 1024
export const chunkBytesNormal: number = 64 * 1024
export const chunkBytesMax: number = 256 * 1024

/** How many bytes before a place say whether it may be one of a cut: each shifts the hash by one bit, so that 32 fill it. */
const gearBytes = 32
/** How far the hash is shifted before it has to be 0: 18 bits of it below the normal length, 14 from there on. */
const strictShift = 14
const laxShift = 18

/** A file up to this size is one chunk, whatever is in it: to send it again costs less than to find out which part of it has changed. */
export function isOneChunk(size: number): boolean {
  return size <= chunkBytesMax
}

/**
 * FastCDC with normalized chunking (Xia and others, 2016 and 2020): says where chunks end in a file that comes in pieces. The same bytes
 * give the same chunks however they are split. Keeps nothing of the pieces.
 *
 * The hash of a place is the sum of `gear[b] << i` over the 32 bytes before it, i from 0 for the nearest one, modulo 2^32. A chunk ends at
 * the first place that is at least 16 KiB behind its beginning and whose hash is below 2^14, from 64 KiB on below 2^18; at the latest at
 * 256 KiB, and at the end of the file.
 */
export class Chunker {
  /** Bytes of the present chunk so far. */
  #length = 0
  #hash = 0

  /** Bytes that belong to a chunk of which the end was not found yet: at the end of the file, those of its last chunk. */
  get pendingBytes(): number {
    return this.#length
  }

  /**
   * The offset behind the chunk that ends next, in `bytes` from `at` to `end`; from there one goes on. Undefined when none ends there: then
   * all of it belongs to a chunk that goes on in the next piece.
   */
  next(bytes: Uint8Array, at: number, end: number): number | undefined {
    assert(at >= 0 && at <= end && end <= bytes.length, 'a piece lies within its bytes')
    const start = at - this.#length
    // What stands further before the first possible cut than the hash sees is passed over unread.
    const warm = clamp(start + chunkBytesMin - gearBytes, at, end)
    const first = clamp(start + chunkBytesMin - 1, at, end)
    const normal = clamp(start + chunkBytesNormal - 1, at, end)
    const last = clamp(start + chunkBytesMax, at, end)
    this.#roll(bytes, warm, first)
    const cut = this.#scan(bytes, first, normal, strictShift) ?? this.#scan(bytes, normal, last, laxShift)
    if (cut !== undefined) return this.#finish(cut)
    if (last === start + chunkBytesMax) return this.#finish(last)
    this.#length = end - start
    return undefined
  }

  #finish(cut: number): number {
    this.#length = 0
    this.#hash = 0
    return cut
  }

  #roll(bytes: Uint8Array, at: number, end: number): void {
    for (let index = at; index < end; index += 1)
      this.#hash = ((this.#hash << 1) + (gear[bytes[index] as number] as number)) | 0
  }

  #scan(bytes: Uint8Array, at: number, end: number, shift: number): number | undefined {
    if (at === end) return undefined
    const { found, hash } = scanGear(bytes, at, end, this.#hash, shift)
    this.#hash = hash
    return found
  }
}

function clamp(value: number, low: number, high: number): number {
  return value < low ? low : value > high ? high : value
}
