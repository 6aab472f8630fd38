import { encode as encodeSlowly } from 'cborg'
import { PlaitError } from '../../base/error.ts'
import { utf8Length, utf8Write } from '../../base/bytes.ts'
import { copySmallBytes } from '../../base/small-bytes.ts'
import { depthMax } from '../codec.ts'
import { isDeep } from './cbor-depth.ts'

const majors = { natural: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5 } as const
/** Bit patterns of major 7: RFC 8949, section 3.3. */
const simple = { false: 0xf4, true: 0xf5, null: 0xf6, undefined: 0xf7, float64: 0xfb } as const
/** A length and what follows it up to 64 bits. */
const headBytesMax = 9

/**
 * Writes CBOR (RFC 8949): integers and lengths in their shortest form, all other numbers as float64, maps in the order of their
 * entries. The library that reads them sorts the entries of each map before it writes them, which takes three times as long as all
 * the rest; what this writer does not know it leaves to the library.
 */
export class CborWriter {
  #bytes = new Uint8Array(4 * 1024)
  #view = new DataView(this.#bytes.buffer)
  #used = 0

  /** Bytes of the caller's own. Throws `INVALID_ARGUMENT` for what nests too deeply, itself among it, and what the library throws. */
  write(value: unknown): Uint8Array {
    this.#used = 0
    this.#value(value, 0)
    return copySmallBytes(this.#bytes.subarray(0, this.#used))
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        this.#text(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'boolean':
        this.#byte(value ? simple.true : simple.false)
        return
      case 'undefined':
        this.#byte(simple.undefined)
        return
      case 'object':
        if (value === null) this.#byte(simple.null)
        else this.#object(value, depth)
        return
      default:
        this.#raw(encodeSlowly(value))
    }
  }

  #object(value: object, depth: number): void {
    if (Array.isArray(value)) {
      checkLevel(depth)
      this.#head(majors.list, value.length)
      for (const item of value) this.#value(item, depth + 1)
      return
    }
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype === Object.prototype || prototype === null) {
      checkLevel(depth)
      const names = Object.keys(value)
      this.#head(majors.map, names.length)
      for (const name of names) {
        this.#text(name)
        this.#value((value as Record<string, unknown>)[name], depth + 1)
      }
    } else if (value instanceof Uint8Array) {
      this.#head(majors.bytes, value.length)
      this.#raw(value)
    } else if (value instanceof Map) {
      checkLevel(depth)
      this.#head(majors.map, value.size)
      for (const [key, item] of value as ReadonlyMap<unknown, unknown>) {
        this.#value(key, depth + 1)
        this.#value(item, depth + 1)
      }
    } else this.#foreign(value, depth)
  }

  /** What the library writes, and this writer does not see into. */
  #foreign(value: object, depth: number): void {
    const bytes = encodeSlowly(value)
    if (isDeep(bytes, depthMax - depth)) throw deepValue()
    this.#raw(bytes)
  }

  #text(text: string): void {
    const length = utf8Length(text)
    this.#head(majors.text, length)
    this.#reserve(length)
    this.#used = utf8Write(text, this.#bytes, this.#used)
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) {
      if (value >= 0) this.#head(majors.natural, value)
      else this.#head(majors.negative, -1 - value)
      return
    }
    this.#reserve(headBytesMax)
    this.#bytes[this.#used] = simple.float64
    this.#view.setFloat64(this.#used + 1, value)
    this.#used += 9
  }

  /** A major type and its number, in the shortest form. */
  #head(major: number, value: number): void {
    this.#reserve(headBytesMax)
    const first = major << 5
    if (value < 24) {
      this.#bytes[this.#used] = first | value
      this.#used += 1
    } else if (value < 0x100) {
      this.#bytes[this.#used] = first | 24
      this.#bytes[this.#used + 1] = value
      this.#used += 2
    } else if (value < 0x1_0000) {
      this.#bytes[this.#used] = first | 25
      this.#view.setUint16(this.#used + 1, value)
      this.#used += 3
    } else if (value < 0x1_0000_0000) {
      this.#bytes[this.#used] = first | 26
      this.#view.setUint32(this.#used + 1, value)
      this.#used += 5
    } else {
      this.#bytes[this.#used] = first | 27
      this.#view.setUint32(this.#used + 1, Math.floor(value / 0x1_0000_0000))
      this.#view.setUint32(this.#used + 5, value % 0x1_0000_0000)
      this.#used += 9
    }
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#used)
    this.#used += bytes.length
  }

  #byte(byte: number): void {
    this.#reserve(1)
    this.#bytes[this.#used] = byte
    this.#used += 1
  }

  #reserve(length: number): void {
    const needed = this.#used + length
    if (needed <= this.#bytes.length) return
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2))
    larger.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = larger
    this.#view = new DataView(larger.buffer)
  }
}

/** Throws when a list or a map in so many others is one too many. */
function checkLevel(depth: number): void {
  if (depth >= depthMax) throw deepValue()
}

function deepValue(): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', `a value with more than ${depthMax} levels cannot be sent`)
}
