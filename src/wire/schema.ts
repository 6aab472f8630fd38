import { assert } from '../base/assert.ts'
import { utf8Length, utf8Write } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { ErrorCode } from '../base/error.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { fieldOf, inField, refuse } from './field-path.ts'
import { beyond, malformed, Reader } from './reader.ts'
import type { Schema } from './schema-type.ts'

export type { FieldDescription, Infer, Schema, SchemaDescription } from './schema-type.ts'
export { struct } from './struct-schema.ts'
export { tlv } from './tlv-schema.ts'

/** The bytes of `value`, in one exact buffer that is the caller's. Throws `INVALID_ARGUMENT` with the `field` that breaks its bound. */
export function encode<Value>(schema: Schema<Value>, value: Value): Uint8Array {
  const out = new Uint8Array(attempt('INVALID_ARGUMENT', 'written', () => schema.measure(value)))
  const end = schema.write(value, out, 0)
  assert(end === out.length, 'a schema writes as many bytes as it measured')
  return out
}

/**
 * The value whose encoding stands at `start` .. `end` of `bytes`, all of it. Throws `PROTOCOL`, or `LIMIT` for what is too long,
 * with the `field` at which it stopped.
 * Fields of bytes are copies.
 */
export function decode<Value>(schema: Schema<Value>, bytes: Uint8Array, start = 0, end: number = bytes.length): Value {
  return attempt('PROTOCOL', 'read', () => {
    const reader = new Reader(bytes, start, end)
    const value = schema.read(reader)
    reader.finish()
    return value
  })
}

export const u8: Schema<number> = wholeNumber('u8', 0xff, 1, (reader) => reader.u8())
export const u16: Schema<number> = wholeNumber('u16', 0xffff, 2, (reader) => reader.u16())
export const u32: Schema<number> = wholeNumber('u32', 0xffff_ffff, 4, (reader) => reader.u32())
/** Eight bytes, values up to 2^53 - 1. */
export const u64: Schema<number> = wholeNumber('u64', Number.MAX_SAFE_INTEGER, 8, (reader) => reader.u64())

/** LEB128, 0 .. 2^53 - 1. */
export const varint: Schema<number> = {
  bytesMin: 1,
  openEnded: false,
  measure(value) {
    if (!Number.isSafeInteger(value) || value < 0) refuse(`${value} is not in 0 .. 2^53 - 1`)
    return varintLength(value)
  },
  write: (value, out, offset) => writeVarint(out, offset, value),
  read: (reader) => reader.varint(),
  describe: () => ({ type: 'LEB128', bound: '' }),
}

/** LEB128, 0 .. `max`; what is above is refused with `LIMIT`. */
export function upTo(max: number): Schema<number> {
  return {
    ...varint,
    measure(value) {
      if (value > max) refuse(`${value} is more than ${max}`)
      return varint.measure(value)
    },
    read(reader) {
      const value = reader.varint()
      if (value > max) throw beyond(value, max)
      return value
    },
    describe: () => ({ type: 'LEB128', bound: `at most ${max}` }),
  }
}

/** One byte, 0 or 1. */
export const bool: Schema<boolean> = {
  bytesMin: 1,
  openEnded: false,
  measure(value) {
    if (typeof value !== 'boolean') refuse(`${String(value)} is neither true nor false`)
    return 1
  },
  write(value, out, offset) {
    out[offset] = value ? 1 : 0
    return offset + 1
  },
  read: (reader) => readFlag(reader),
  describe: () => ({ type: 'bool', bound: '' }),
}

/** A SHA-256 hash. */
export const hash: Schema<Uint8Array> = { ...fixed(32), describe: () => ({ type: 'hash', bound: '32 bytes' }) }

/** UTF-8 of at most `max` bytes behind its LEB128 length. */
export function text(options: { readonly max: number }): Schema<string> {
  const { max } = options
  return {
    bytesMin: 1,
    openEnded: false,
    measure(value) {
      if (typeof value !== 'string') refuse(`${String(value)} is not a text`)
      const length = utf8Length(value)
      if (length > max) refuse(`${length} bytes are more than ${max}`)
      return varintLength(length) + length
    },
    write: (value, out, offset) => utf8Write(value, out, writeVarint(out, offset, utf8Length(value))),
    read: (reader) => reader.text(max),
    describe: () => ({ type: 'text', bound: `at most ${max} bytes` }),
  }
}

/** At most `max` bytes behind their LEB128 length. */
export function bytes(options: { readonly max: number }): Schema<Uint8Array> {
  const { max } = options
  return {
    bytesMin: 1,
    openEnded: false,
    measure(value) {
      if (!(value instanceof Uint8Array)) refuse('not a Uint8Array')
      if (value.length > max) refuse(`${value.length} bytes are more than ${max}`)
      return varintLength(value.length) + value.length
    },
    write: (value, out, offset) => writeBytes(value, out, writeVarint(out, offset, value.length)),
    read: (reader) => reader.bytes(reader.length(max)).slice(),
    describe: () => ({ type: 'bytes', bound: `at most ${max} bytes` }),
  }
}

/** Exactly `length` bytes. */
export function fixed(length: number): Schema<Uint8Array> {
  return {
    bytesMin: length,
    openEnded: false,
    measure(value) {
      if (!(value instanceof Uint8Array) || value.length !== length) refuse(`not a Uint8Array of ${length} bytes`)
      return length
    },
    write: writeBytes,
    read: (reader) => reader.bytes(length).slice(),
    describe: () => ({ type: 'bytes', bound: `${length} bytes` }),
  }
}

/** At most `max` items behind their LEB128 count, which is also held against what the remaining bytes could be. */
export function array<Item>(item: Schema<Item>, options: { readonly max: number }): Schema<readonly Item[]> {
  const { max } = options
  assert(item.bytesMin > 0 && !item.openEnded, 'an item of an array has at least one byte and an end of its own')
  return {
    bytesMin: 1,
    openEnded: false,
    measure(value) {
      if (!Array.isArray(value)) refuse('not an array')
      if (value.length > max) refuse(`${value.length} items are more than ${max}`)
      let length = varintLength(value.length)
      for (let index = 0; index < value.length; index += 1)
        length += inField(`[${index}]`, () => item.measure(value[index] as Item))
      return length
    },
    write(value, out, offset) {
      let end = writeVarint(out, offset, value.length)
      for (const one of value) end = item.write(one, out, end)
      return end
    },
    read(reader) {
      const count = reader.varint()
      if (count > max) throw beyond(count, max)
      if (count * item.bytesMin > reader.remaining) throw malformed(`${count} items in ${reader.remaining} bytes`)
      const items: Item[] = []
      for (let index = 0; index < count; index += 1) items.push(inField(`[${index}]`, () => item.read(reader)))
      return items
    },
    describe() {
      const { type, bound, ...rest } = item.describe()
      return {
        ...rest,
        type: `array of ${type}`,
        bound: [`at most ${max} items`, bound].filter((part) => part !== '').join(', each '),
      }
    },
  }
}

/** One byte, 0 or 1, and behind a 1 the value. */
export function optional<Value>(schema: Schema<Value>): Schema<Value | undefined> {
  return {
    bytesMin: 1,
    openEnded: schema.openEnded,
    measure: (value) => (value === undefined ? 1 : 1 + schema.measure(value)),
    write(value, out, offset) {
      out[offset] = value === undefined ? 0 : 1
      return value === undefined ? offset + 1 : schema.write(value, out, offset + 1)
    },
    read: (reader) => (readFlag(reader) ? schema.read(reader) : undefined),
    describe() {
      const description = schema.describe()
      return { ...description, type: `optional ${description.type}` }
    },
  }
}

/** Runs `step`; whatever it throws for the sake of `code` says which field it was. */
function attempt<Result>(code: ErrorCode, done: string, step: () => Result): Result {
  try {
    return step()
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    const field = fieldOf(error)
    const where = field === '' ? 'the message' : `field ${field}`
    const kept = error.code === 'LIMIT' ? error.code : code
    throw new PlaitError(kept, `${where} cannot be ${done}: ${error.message}`, {
      facts: { ...error.facts, field },
      traced: code !== 'PROTOCOL',
    })
  }
}

function wholeNumber(type: string, max: number, length: number, read: (reader: Reader) => number): Schema<number> {
  return {
    bytesMin: length,
    openEnded: false,
    measure(value) {
      if (!Number.isInteger(value) || value < 0 || value > max) refuse(`${value} is not in 0 .. ${max}`)
      return length
    },
    write(value, out, offset) {
      let rest = value
      for (let index = 0; index < length; index += 1) {
        out[offset + index] = rest % 256
        rest = Math.floor(rest / 256)
      }
      return offset + length
    },
    read,
    describe: () => ({ type, bound: '' }),
  }
}

function readFlag(reader: Reader): boolean {
  const byte = reader.u8()
  if (byte > 1) throw malformed(`${byte} where 0 or 1 is meant`)
  return byte === 1
}

function writeBytes(value: Uint8Array, out: Uint8Array, offset: number): number {
  out.set(value, offset)
  return offset + value.length
}
