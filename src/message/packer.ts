import { PlaitError } from '../base/error.ts'
import type { Codec } from './codec.ts'
import { compress, decompress, nameOfEncoding, packedBytesMax } from './compression/zlib.ts'
import type { Packed } from './exchange.ts'
import { encodings } from './frame.ts'
import type { Encoding, EncodingName } from './frame.ts'

export interface PackerOptions {
  readonly accept: readonly EncodingName[]
  readonly compressFromBytes: number
  readonly inflatedBytes: number
  /** The longest payload that the other side takes. */
  readonly payloadBytesMax: () => number
}

/** Values to payloads and back: codec, then compression. */
export class Packer {
  /** What the other side reads; undefined until it has said so. */
  compression: EncodingName | undefined
  /** What was unpacked last, unpacked: what a reader keeps of it is charged by this, not by what has crossed. */
  plainBytes = 0
  readonly #options: PackerOptions

  constructor(options: PackerOptions) {
    this.#options = options
  }

  /** Throws what the codec throws, and `FRAGMENT_TOO_LARGE`. */
  pack<Value>(codec: Codec<Value>, value: Value): Packed {
    const plain: unknown = codec.encode(value)
    if (!(plain instanceof Uint8Array))
      throw new PlaitError('INVALID_ARGUMENT', `codec ${codec.content} gives ${typeof plain} instead of bytes`)
    const { compression } = this
    if (
      compression !== undefined &&
      plain.length >= this.#options.compressFromBytes &&
      plain.length <= packedBytesMax
    ) {
      const packed = compress(compression, plain)
      if (packed !== undefined) return { content: codec.content, encoding: encodings[compression], payload: packed }
    }
    const limit = this.#options.payloadBytesMax()
    if (plain.length > limit) {
      throw new PlaitError(
        'FRAGMENT_TOO_LARGE',
        `a message of ${plain.length} bytes exceeds the limit of ${limit}: use a stream`,
        {
          facts: { limit },
        },
      )
    }
    return { content: codec.content, encoding: encodings.identity, payload: plain }
  }

  /** Throws `UNKNOWN_CODEC`, `INVALID_MESSAGE`, `LIMIT`. `payload` is lent. */
  unpack<Value>(codec: Codec<Value>, content: number, encoding: Encoding, payload: Uint8Array): Value {
    if (content !== codec.content) {
      const facts = { content, expected: codec.content }
      throw new PlaitError('UNKNOWN_CODEC', `a message by codec ${content}, where ${codec.content} is read`, { facts })
    }
    const plain = this.inflate(encoding, payload)
    try {
      return codec.decode(plain)
    } catch (error) {
      throw PlaitError.is(error)
        ? error
        : new PlaitError('INVALID_MESSAGE', 'a message that its codec cannot read', { cause: error })
    }
  }

  inflate(encoding: Encoding, payload: Uint8Array): Uint8Array {
    const plain = this.#inflate(encoding, payload)
    this.plainBytes = plain.length
    return plain
  }

  #inflate(encoding: Encoding, payload: Uint8Array): Uint8Array {
    if (encoding === encodings.identity) return payload
    const name = nameOfEncoding(encoding)
    if (name === undefined || !this.#options.accept.includes(name)) {
      throw new PlaitError('UNKNOWN_CODEC', `a message packed as ${name ?? encoding}, which is not read here`)
    }
    return decompress(name, payload, this.#options.inflatedBytes)
  }
}
