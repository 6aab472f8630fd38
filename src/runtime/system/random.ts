import { randomFillSync } from 'node:crypto'
import { assert } from '../../base/assert.ts'
import type { Random } from '../random.ts'

/** How much is drawn from the operating system at a time: a call costs some microseconds whatever its size. */
const poolBytes = 8 * 1024

/** Longer requests go past the pool, so that one of them does not use up many small ones. */
const pooledBytesMax = 1024

/** Unpredictable bytes of the operating system. What has been given out is erased from the pool. */
export function systemRandom(): Random {
  return new SystemRandom()
}

class SystemRandom implements Random {
  readonly #pool = new Uint8Array(poolBytes)
  readonly #view = new DataView(this.#pool.buffer)
  #used = poolBytes

  bytes(length: number): Uint8Array {
    assert(Number.isSafeInteger(length) && length >= 0, `a length is a whole number from 0 up, not ${length}`)
    const bytes = new Uint8Array(length)
    if (length > pooledBytesMax) return randomFillSync(bytes)
    const start = this.#take(length)
    bytes.set(this.#pool.subarray(start, start + length))
    this.#pool.fill(0, start, start + length)
    return bytes
  }

  uint32(): number {
    const start = this.#take(4)
    const value = this.#view.getUint32(start, true)
    this.#view.setUint32(start, 0)
    return value
  }

  real(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53
  }

  /** The offset of `length` fresh bytes of the pool. */
  #take(length: number): number {
    if (this.#used + length > poolBytes) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    const start = this.#used
    this.#used += length
    return start
  }
}
