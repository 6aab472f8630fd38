import fc from 'fast-check'
import { expect, expectTypeOf, test } from 'vitest'
import { decodeHex, encodeHex } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import {
  array,
  bool,
  bytes,
  decode,
  encode,
  fixed,
  hash,
  optional,
  struct,
  text,
  tlv,
  u16,
  u32,
  u64,
  u8,
  varint,
} from './schema.ts'
import type { Infer, Schema } from './schema.ts'

const everything = struct({
  small: u8,
  port: u16,
  count: u32,
  size: u64,
  length: varint,
  sure: bool,
  name: text({ max: 400 }),
  blob: bytes({ max: 5 }),
  epoch: fixed(3),
  root: hash,
  hashes: array(struct({ at: varint, name: text({ max: 9 }) }), { max: 4 }),
  next: optional(u8),
  more: tlv({
    late: { type: 300, schema: u8, optional: true },
    early: { type: 2, schema: array(u16, { max: 3 }) },
  }),
})

const value: fc.Arbitrary<Infer<typeof everything>> = fc.record(
  {
    small: fc.nat(0xff),
    port: fc.nat(0xffff),
    count: fc.nat(0xffff_ffff),
    size: fc.maxSafeNat(),
    length: fc.maxSafeNat(),
    sure: fc.boolean(),
    name: fc.string({ unit: 'grapheme', maxLength: 3 }),
    blob: fc.uint8Array({ maxLength: 5 }),
    epoch: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    root: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    hashes: fc.array(fc.record({ at: fc.maxSafeNat(), name: fc.constantFrom('', '__proto__', 'toString') }), {
      maxLength: 4,
    }),
    next: fc.nat(0xff),
    more: fc.record(
      { late: fc.nat(0xff), early: fc.array(fc.nat(0xffff), { maxLength: 3 }) },
      { requiredKeys: ['early'] },
    ),
  },
  {
    requiredKeys: [
      'small',
      'port',
      'count',
      'size',
      'length',
      'sure',
      'name',
      'blob',
      'epoch',
      'root',
      'hashes',
      'more',
    ],
  },
)

test('every value comes back', () => {
  fc.assert(
    fc.property(value, fc.nat(5), (sent, offset) => {
      const body = encode(everything, sent)
      const placed = new Uint8Array(offset + body.length + 1)
      placed.set(body, offset)
      expect(decode(everything, placed, offset, offset + body.length)).toEqual({
        ...sent,
        next: sent.next,
        more: { ...sent.more, late: sent.more.late },
      })
    }),
  )
})

test('types follow from the schema', () => {
  const schema = tlv({
    version: { type: 1, schema: struct({ min: u16, max: optional(u16) }) },
    names: { type: 2, schema: array(text({ max: 9 }), { max: 2 }), optional: true },
  })
  expectTypeOf<Infer<typeof schema>>().toEqualTypeOf<{
    readonly version: { readonly min: number; readonly max?: number | undefined }
    readonly names?: readonly string[] | undefined
  }>()
  expect(encodeHex(encode(schema, { version: { min: 258 } }))).toBe('0103020100')
})

test('fields of bytes are copies', () => {
  const body = Uint8Array.of(1, 7)
  const read = decode(bytes({ max: 1 }), body)
  body[1] = 0
  expect([...read]).toEqual([7])
  expect(read.buffer.byteLength).toBe(1)
})

test('unknown entries of a list are skipped', () => {
  const schema = tlv({ a: { type: 1, schema: u8 }, c: { type: 9, schema: u8, optional: true } })
  expect(decode(schema, unhex('0101050203ffffff090106'))).toEqual({ a: 5, c: 6 })
  expect(decode(schema, unhex('0101050200'))).toEqual({ a: 5, c: undefined })
})

const list = tlv({ a: { type: 1, schema: struct({ b: array(text({ max: 4 }), { max: 3 }) }) } })

test.each<[string, Schema<unknown>, string, string]>([
  ['a byte too many', u8, '0101', ''],
  ['a byte too few', u16, '01', ''],
  ['a u64 of 2^53', u64, '0000000000002000', ''],
  ['a bool of 2', bool, '02', ''],
  ['an optional of 2', optional(u8), '0201', ''],
  ['a text too long', list, '010701056162636465', 'a.b[0]'],
  ['a text that is not UTF-8', list, '010502016101ff', 'a.b[1]'],
  ['an item too many', list, '01050400000000', 'a.b'],
  ['a value that does not fill its length', list, '010200ff', 'a'],
  ['a value that is longer than its length', list, '01010100', 'a.b'],
  ['an entry that is missing', list, '', ''],
  ['an entry that is missing, an unknown one there', list, '0200', ''],
  ['an entry twice', list, '010100010100', ''],
  ['an unknown entry twice', list, '01010002000200', ''],
  ['entries out of order', list, '0200010100', ''],
  ['an entry longer than the list', list, '010500', ''],
  ['a field of a struct', struct({ x: u8, y: u32 }), '0101', 'y'],
])('not read: %s', (name, schema, hex, field) => {
  const error = thrownBy(() => decode(schema, unhex(hex)))
  const code = name === 'a text too long' || name === 'an item too many' ? 'LIMIT' : 'PROTOCOL'
  expect([error.code, error.facts['field']]).toEqual([code, field])
  if (field !== '') expect(error.message).toContain(field)
})

test.each<[string, () => unknown, string]>([
  ['a u8 of 256', () => encode(struct({ x: u8 }), { x: 256 }), 'x'],
  ['a u16 below 0', () => encode(struct({ x: u16 }), { x: -1 }), 'x'],
  ['a u64 beyond 2^53', () => encode(struct({ x: u64 }), { x: 2 ** 53 }), 'x'],
  ['a varint with a fraction', () => encode(struct({ x: varint }), { x: 0.5 }), 'x'],
  ['a text too long in bytes', () => encode(struct({ x: text({ max: 3 }) }), { x: 'üü' }), 'x'],
  ['bytes too long', () => encode(struct({ x: bytes({ max: 1 }) }), { x: new Uint8Array(2) }), 'x'],
  ['a hash too short', () => encode(struct({ x: hash }), { x: new Uint8Array(31) }), 'x'],
  ['an item out of range', () => encode(struct({ x: array(u8, { max: 9 }) }), { x: [1, 300] }), 'x[1]'],
  ['too many items', () => encode(tlv({ x: { type: 1, schema: array(u8, { max: 1 }) } }), { x: [1, 3] }), 'x'],
  ['no text', () => encode(struct({ x: text({ max: 1 }) }), { x: 1 as unknown as string }), 'x'],
  ['no list', () => encode(struct({ x: array(u8, { max: 1 }) }), { x: 1 as unknown as number[] }), 'x'],
  ['no record', () => encode(struct({ x: struct({}) }), { x: null as unknown as object }), 'x'],
])('not written: %s', (_, step, field) => {
  const error = thrownBy(step)
  expect([error.code, error.facts['field']]).toEqual(['INVALID_ARGUMENT', field])
  expect(error.message).toContain(`field ${field}`)
})

test('a schema that could not be read is refused when it is made', () => {
  const open = tlv({})
  expect(() => struct({ open, last: u8 })).toThrow('assertion')
  expect(() => array(open, { max: 1 })).toThrow('assertion')
  expect(() => array(struct({}), { max: 1 })).toThrow('assertion')
  expect(() => tlv({ a: { type: 1, schema: u8 }, b: { type: 1, schema: u8 } })).toThrow('assertion')
})

test('a schema describes itself for the tables of the specification', () => {
  expect(list.describe()).toEqual({
    type: 'type-length-value list',
    bound: '',
    fields: [
      {
        name: 'a',
        number: 1,
        optional: false,
        type: 'record',
        bound: '',
        fields: [{ name: 'b', optional: false, type: 'array of text', bound: 'at most 3 items, each at most 4 bytes' }],
      },
    ],
  })
  const fields = everything.describe().fields ?? []
  expect(fields.filter(({ type }) => type === 'u64' || type === 'hash').map(({ name }) => name)).toEqual([
    'size',
    'root',
  ])
  expect(fields.find(({ name }) => name === 'next')).toMatchObject({ type: 'optional u8' })
})

test('each cut and each changed byte gives a legal value or a typed error', () => {
  const sample = fc.sample(value, { numRuns: 3, seed: 7 })
  const counts = { legal: 0, refused: 0 }
  for (const body of sample.map((one) => encode(everything, one))) {
    for (let length = 0; length < body.length; length += 1) attempt(body.subarray(0, length), counts)
    for (let index = 0; index < body.length; index += 1) {
      for (let change = 1; change < 256; change += 1) {
        const mutant = body.slice()
        mutant[index] = (mutant[index] as number) ^ change
        attempt(mutant, counts)
      }
    }
  }
  expect(counts.legal).toBeGreaterThan(1_000)
  expect(counts.refused).toBeGreaterThan(1_000)
})

function attempt(mutant: Uint8Array, counts: { legal: number; refused: number }): void {
  try {
    expect(encode(everything, decode(everything, mutant)).length).toBeLessThanOrEqual(mutant.length)
    counts.legal += 1
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    expect(['PROTOCOL', 'LIMIT']).toContain(error.code)
    counts.refused += 1
  }
}

function unhex(hex: string): Uint8Array {
  return decodeHex(hex) as Uint8Array
}

function thrownBy(step: () => unknown): PlaitError {
  try {
    step()
  } catch (error) {
    if (PlaitError.is(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
