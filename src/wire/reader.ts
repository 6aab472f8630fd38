import { utf8Read } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'

/**
 * Reads numbers and texts out of `bytes`, which stay the caller's, from `start` up to `end`. What is malformed or cut short throws
 * `PROTOCOL`, what exceeds a limit throws `LIMIT`; nothing is allocated for a length that was only claimed.
 */
export class Reader {
  readonly source: Uint8Array
  /** Of the next byte, in `source`. */
  position: number
  /** Behind the last byte that may be read, in `source`. */
  end: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.source = bytes
    this.position = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.position
  }

  u8(): number {
    return this.source[this.#take(1)] as number
  }

  u16(): number {
    const at = this.#take(2)
    const { source } = this
    return (source[at] as number) | ((source[at + 1] as number) << 8)
  }

  u32(): number {
    return uint32(this.source, this.#take(4))
  }

  /** Up to 2^53 - 1; larger ones are refused. */
  u64(): number {
    const at = this.#take(8)
    return safe(uint32(this.source, at + 4) * 0x1_0000_0000 + uint32(this.source, at))
  }

  /** A safe integer in two's complement; larger ones are refused. */
  i64(): number {
    const at = this.#take(8)
    return safe((uint32(this.source, at + 4) | 0) * 0x1_0000_0000 + uint32(this.source, at))
  }

  /** LEB128, 0 .. 2^53 - 1, shortest form. */
  varint(): number {
    const first = this.u8()
    return first < 128 ? first : this.#rest(first & 127, 128)
  }

  /** A safe integer as `writeZigzag` writes it. */
  zigzag(): number {
    const first = this.u8()
    const low = (first & 127) >>> 1
    const size = first < 128 ? low : this.#rest(low, 64)
    if ((first & 1) === 0) return size
    return safe(-size - 1)
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length)
    return this.source.subarray(at, at + length)
  }

  /** A LEB128 length up to `bytesMax`, and that many bytes of well-formed UTF-8. */
  text(bytesMax: number): string {
    return this.utf8(this.length(bytesMax))
  }

  /** The next `length` bytes, which have to be well-formed UTF-8. */
  utf8(length: number): string {
    const at = this.#take(length)
    const text = utf8Read(this.source, at, at + length)
    if (text === undefined) throw malformed('text that is not UTF-8')
    return text
  }

  /** A LEB128 length, checked against `bytesMax` and against what is there. */
  length(bytesMax: number): number {
    const length = this.varint()
    if (length > bytesMax) throw beyond(length, bytesMax)
    if (length > this.end - this.position) throw cutShort()
    return length
  }

  /** Refuses what stands behind the last field. */
  finish(): void {
    if (this.position !== this.end) throw malformed(`${this.end - this.position} bytes too many`)
  }

  /** The bytes of a LEB128 after the first; `scale` is the weight of the next one. */
  #rest(low: number, scale: number): number {
    let value = low
    for (let weight = scale; ; weight *= 128) {
      const byte = this.u8()
      if (weight > lastWeight) throw malformed('a number of too many bytes')
      value += (byte & 127) * weight
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('a number above 2^53 - 1')
      if (byte >= 128) continue
      if (byte === 0) throw malformed('a number that is not in its shortest form')
      return value
    }
  }

  #take(length: number): number {
    const at = this.position
    if (length > this.end - at) throw cutShort()
    this.position = at + length
    return at
  }
}

/** What other code throws for input that is not what the format says. */
export function malformed(what: string): PlaitError {
  return new PlaitError('PROTOCOL', `the other side sent ${what}`, { traced: false })
}

/** What other code throws for a length or a count that exceeds a limit. */
export function beyond(claimed: number, limit: number): PlaitError {
  return new PlaitError('LIMIT', `the other side sent a length of ${claimed} where ${limit} is the limit`, {
    facts: { limit, claimed },
    traced: false,
  })
}

/** Of the eighth byte of a LEB128: no number that is allowed has a ninth. */
const lastWeight = 2 ** 49

function cutShort(): PlaitError {
  return malformed('less than was announced')
}

function uint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

function safe(value: number): number {
  if (!Number.isSafeInteger(value)) throw malformed('a number beyond 2^53 - 1')
  return value
}
