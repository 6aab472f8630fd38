import { PlaitError } from '../base/error.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import { hashBytes } from './hash.ts'

/** At most `max` hashes behind their LEB128 count, as one buffer of 32 bytes for each. */
export function hashes(options: { readonly max: number }): Schema<Uint8Array> {
  const { max } = options
  return {
    bytesMin: 1,
    openEnded: false,
    measure(value) {
      if (!(value instanceof Uint8Array) || value.length % hashBytes !== 0) throw invalid('not hashes of 32 bytes each')
      const count = value.length / hashBytes
      if (count > max) throw invalid(`${count} hashes are more than ${max}`)
      return varintLength(count) + value.length
    },
    write(value, out, offset) {
      const at = writeVarint(out, offset, value.length / hashBytes)
      out.set(value, at)
      return at + value.length
    },
    read(reader) {
      const count = reader.varint()
      if (count > max) throw beyond(count, max)
      return reader.bytes(count * hashBytes).slice()
    },
    describe: () => ({ type: 'array of hash', bound: `at most ${max} items` }),
  }
}

/**
 * Blocks: their LEB128 count, the LEB128 length of each, then their bytes one behind the other, up to the end of the message. Blocks
 * that are read are views of what they came in.
 */
export function blocks(options: { readonly max: number; readonly bytesMax: number }): Schema<readonly Uint8Array[]> {
  const { max, bytesMax } = options
  return {
    bytesMin: 1,
    openEnded: true,
    measure(value) {
      if (!Array.isArray(value) || value.length > max) throw invalid(`not an array of at most ${max} blocks`)
      let length = varintLength(value.length)
      for (const block of value as readonly Uint8Array[]) {
        if (block.length > bytesMax) throw invalid(`a block of ${block.length} bytes is larger than ${bytesMax}`)
        length += varintLength(block.length) + block.length
      }
      return length
    },
    write(value, out, offset) {
      let at = writeVarint(out, offset, value.length)
      for (const block of value) at = writeVarint(out, at, block.length)
      for (const block of value) {
        out.set(block, at)
        at += block.length
      }
      return at
    },
    read(reader) {
      const count = reader.varint()
      if (count > max) throw beyond(count, max)
      if (count > reader.remaining) throw malformed(`${count} blocks in ${reader.remaining} bytes`)
      const lengths: number[] = []
      for (let index = 0; index < count; index += 1) {
        const length = reader.varint()
        if (length > bytesMax) throw beyond(length, bytesMax)
        lengths.push(length)
      }
      return lengths.map((length) => reader.bytes(length))
    },
    describe: () => ({
      type: 'LEB128 count; the LEB128 length of each; their bytes',
      bound: `at most ${max} blocks, each at most ${bytesMax} bytes`,
    }),
  }
}

function invalid(what: string): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', what)
}
