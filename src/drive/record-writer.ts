import { assert } from '../base/assert.ts'
import { utf8Length, utf8Write } from '../base/bytes.ts'
import { varintLength, writeVarint, writeZigzag, zigzagLength } from '../base/varint.ts'
import { malformed, type Reader } from '../wire/reader.ts'
import { permissionBits, type VersionFacts } from './entry.ts'

/** Lays records into one buffer of fixed capacity, for `Reader`. Numbers are little-endian, lengths LEB128. */
export class RecordWriter {
  readonly #bytes: Uint8Array
  #length = 0

  /** `bytes` belongs to the writer, and then to whoever takes `written`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get length(): number {
    return this.#length
  }

  /** Bytes that still fit. */
  get room(): number {
    return this.#bytes.length - this.#length
  }

  /** A view of what has been written. */
  get written(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }

  /** Forgets what was written from `length` on. */
  rewind(length: number): void {
    assert(length <= this.#length, 'a writer rewinds only backwards')
    this.#length = length
  }

  u8(value: number): void {
    this.#bytes[this.#take(1)] = value
  }

  u16(value: number): void {
    const at = this.#take(2)
    this.#bytes[at] = value
    this.#bytes[at + 1] = value >>> 8
  }

  u32(value: number): void {
    this.u16(value)
    this.u16(value >>> 16)
  }

  /** A safe integer from 0 up. */
  varint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, 'a varint is a safe integer from 0 up')
    writeVarint(this.#bytes, this.#take(varintLength(value)), value)
  }

  /** A safe integer. */
  zigzag(value: number): void {
    assert(Number.isSafeInteger(value), 'a zigzag number is a safe integer')
    writeZigzag(this.#bytes, this.#take(zigzagLength(value)), value)
  }

  raw(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.#take(bytes.length))
  }

  /** Length and UTF-8. */
  text(text: string): void {
    const length = utf8Length(text)
    this.varint(length)
    utf8Write(text, this.#bytes, this.#take(length))
  }

  /** `length` bytes for the caller to fill, now part of what is written. */
  reserve(length: number): Uint8Array {
    const start = this.#take(length)
    return this.#bytes.subarray(start, start + length)
  }

  /** Mode (u16), seconds (zigzag) and nanoseconds (u32). */
  facts(facts: VersionFacts): void {
    const nanoseconds = BigInt.asUintN(64, ((facts.mtimeNs % second) + second) % second)
    this.u16(facts.mode & permissionBits)
    this.zigzag(Number((facts.mtimeNs - nanoseconds) / second))
    this.u32(Number(nanoseconds))
  }

  #take(length: number): number {
    assert(length <= this.room, 'the record fits its buffer')
    const start = this.#length
    this.#length += length
    return start
  }
}

/** Reads what `RecordWriter.facts` writes. Throws `PROTOCOL`. */
export function readFacts(reader: Reader): VersionFacts {
  const mode = reader.u16() & permissionBits
  const seconds = reader.zigzag()
  const nanoseconds = reader.u32()
  if (nanoseconds >= Number(second)) throw malformed('a time with too many nanoseconds')
  return { mode, mtimeNs: BigInt(seconds) * second + BigInt(nanoseconds) }
}

const second = 1_000_000_000n
