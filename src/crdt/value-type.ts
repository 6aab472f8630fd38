import { encodeHex } from '../base/bytes.ts'
import { writeZigzag, zigzagLength } from '../base/varint.ts'
import { refuse } from '../wire/field-path.ts'
import { bytes, encode, text } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'

/** What an element of a set, a key of a map or the value of a register is. */
export interface ValueType<Value> {
  /** For messages. */
  readonly name: string
  /** There is one encoding of equal values. */
  readonly schema: Schema<Value>
  /** The same for equal values, and for no others. */
  key(value: Value): string | number
}

/** Texts. Ones with half a surrogate pair are refused: they could not be told from others once they are written. */
export function textValue(options: { readonly max?: number } = {}): ValueType<string> {
  return { name: 'text', schema: wholeText(options.max ?? bounds.valueBytes), key: (value) => value }
}

/** Bytes, which are copied when they are read, and otherwise belong to the state once they are in an operation. */
export function bytesValue(options: { readonly max?: number } = {}): ValueType<Uint8Array> {
  return { name: 'bytes', schema: bytes({ max: options.max ?? bounds.valueBytes }), key: encodeHex }
}

/** Safe integers, negative ones too. */
export const integerValue: ValueType<number> = {
  name: 'integer',
  schema: {
    bytesMin: 1,
    openEnded: false,
    measure(value) {
      if (!Number.isSafeInteger(value)) refuse(`${String(value)} is not a safe integer`)
      return zigzagLength(value)
    },
    write: (value, out, offset) => writeZigzag(out, offset, value),
    read: (reader) => reader.zigzag(),
    describe: () => ({ type: 'zigzag', bound: '' }),
  },
  // -0 and 0 are written the same.
  key: (value) => value + 0,
}

/** Values of a schema of one's own. */
export function schemaValue<Value>(name: string, schema: Schema<Value>): ValueType<Value> {
  return { name, schema, key: (value) => encodeHex(encode(schema, value)) }
}

/** UTF-8 of at most `max` bytes, of a text that is well-formed. */
export function wholeText(max: number): Schema<string> {
  const schema = text({ max })
  return {
    ...schema,
    measure(value) {
      if (typeof value === 'string' && value.length > max)
        refuse(`${value.length} characters are more than ${max} bytes`)
      if (typeof value === 'string' && /\p{Surrogate}/u.test(value)) refuse('a text with half a surrogate pair')
      return schema.measure(value)
    },
  }
}

/** Throws `INVALID_ARGUMENT` for a value beyond the bounds of the schema, when an operation is prepared. */
export function checkValue<Value>(schema: Schema<Value>, value: Value): void {
  schema.measure(value)
}
