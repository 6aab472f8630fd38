/** What is wrong with bytes that do not keep to PROTOCOL.md. */
export class Malformed extends Error {}

/** Reads the numbers and texts of PROTOCOL.md, "Numbers and texts". */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get remaining(): number {
    return this.#bytes.length - this.#at
  }

  take(length: number): Uint8Array {
    if (length > this.remaining) throw new Malformed(`${length} bytes are wanted, ${this.remaining} are there`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  rest(): Uint8Array {
    return this.take(this.remaining)
  }

  /** Nothing may stand behind the last field. */
  end(): void {
    if (this.remaining > 0) throw new Malformed(`${this.remaining} bytes behind the last field`)
  }

  u8(): number {
    return this.#view.getUint8(this.#skip(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#skip(2), true)
  }

  u32(): number {
    return this.#view.getUint32(this.#skip(4), true)
  }

  u64(): number {
    return safe(this.#view.getBigUint64(this.#skip(8), true))
  }

  i64(): number {
    return safe(this.#view.getBigInt64(this.#skip(8), true))
  }

  leb128(): number {
    return safe(this.#leb128())
  }

  zigzag(): number {
    const value = this.#leb128()
    return safe((value & 1n) === 0n ? value >> 1n : -((value + 1n) >> 1n))
  }

  bool(): boolean {
    const byte = this.u8()
    if (byte > 1) throw new Malformed(`a bool of ${byte}`)
    return byte === 1
  }

  text(bytesMax: number): string {
    return decodeUtf8(this.take(this.count(bytesMax)))
  }

  bytes(bytesMax: number): Uint8Array {
    return this.take(this.count(bytesMax))
  }

  count(max: number): number {
    const count = this.leb128()
    if (count > max) throw new Malformed(`${count} where ${max} is the bound`)
    return count
  }

  #leb128(): bigint {
    let value = 0n
    for (let index = 0n; ; index += 1n) {
      const byte = this.u8()
      value |= BigInt(byte & 0x7f) << (7n * index)
      if (byte >= 0x80) {
        if (index === 7n) throw new Malformed('a LEB128 of more than 8 bytes')
        continue
      }
      if (byte === 0 && index > 0n) throw new Malformed('a LEB128 that is not in its shortest form')
      return value
    }
  }

  #skip(length: number): number {
    this.take(length)
    return this.#at - length
  }
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw new Malformed('a text that is not UTF-8')
  }
}

function safe(value: bigint): number {
  if (value > 2n ** 53n - 1n || value < -(2n ** 53n - 1n)) throw new Malformed(`${value} is beyond 2^53 - 1`)
  return Number(value)
}
