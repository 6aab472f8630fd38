import { emptyBytes } from '../base/bytes.ts'

const firstSlabBytes = 4 * 1024

/** Up to here a loop copies faster than a call into the engine with a view made for it: measured on Node.js 24. */
const loopBytes = 64

/**
 * Memory into which small frames are copied, one behind the other, so that what is sent in one turn is one buffer. Bytes once
 * written never change and no slab is used twice: links and retransmission may hold views for as long as they need.
 */
export class Slab {
  bytes: Uint8Array = emptyBytes
  /** Where the next frame begins. */
  used = 0
  readonly #largestBytes: number

  constructor(largestBytes: number) {
    this.#largestBytes = largestBytes
  }

  /** Makes sure that `length` bytes are free behind `used`. */
  reserve(length: number): void {
    if (this.used + length <= this.bytes.length) return
    const grown = Math.min(Math.max(this.bytes.length * 4, firstSlabBytes), this.#largestBytes)
    this.bytes = new Uint8Array(Math.max(grown, length))
    this.used = 0
  }

  /** Begins anew, small, when something is to be copied again. */
  clear(): void {
    this.bytes = emptyBytes
    this.used = 0
  }

  /** A copy of `start` .. `end` that shares its memory with other copies of the same time. */
  copy(bytes: Uint8Array, start: number, end: number): Uint8Array {
    const length = end - start
    this.reserve(length)
    const { used } = this
    this.used = used + length
    const copied = this.bytes.subarray(used, used + length)
    if (length > loopBytes) copied.set(bytes.subarray(start, end))
    else for (let index = 0; index < length; index += 1) copied[index] = bytes[start + index] as number
    return copied
  }
}
