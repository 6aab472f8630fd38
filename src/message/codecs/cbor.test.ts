import { decode, encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cbor } from './cbor.ts'

const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'grapheme' }),
    fc.double(),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.boolean(),
    fc.constantFrom(null, undefined, 0, -1, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -0),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('any'), { maxLength: 30 }),
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString')), tie('any')),
  ),
})).any

test('what is written is what the library reads, and as long as what the library writes', () => {
  const codec = cbor<unknown>()
  fc.assert(
    fc.property(value, (value) => {
      const bytes = codec.encode(value)
      expect(codec.decode(bytes)).toEqual(decode(encode(value)))
      expect(bytes.length).toBeGreaterThanOrEqual(encode(value).length)
    }),
    { numRuns: 500 },
  )
})

test('maps with keys that are no texts come back as the library makes them', () => {
  const bytes = cbor<unknown>().encode(
    new Map<unknown, unknown>([
      [1, 'one'],
      ['two', new Map()],
    ]),
  )
  expect(decode(bytes, { useMaps: true })).toEqual(
    new Map<unknown, unknown>([
      [1, 'one'],
      ['two', new Map()],
    ]),
  )
})

test('what nests without end is refused, and the next value is written as ever', () => {
  const codec = cbor<unknown>()
  const circle: unknown[] = []
  circle.push(circle)
  expect(() => codec.encode(circle)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => codec.encode(() => {})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(codec.decode(codec.encode({ a: [1] }))).toEqual({ a: [1] })
})

test('a value larger than the scratch memory is whole', () => {
  const codec = cbor<unknown>()
  const large = { text: 'ä'.repeat(1_000_000), bytes: new Uint8Array(2_000_000).fill(7) }
  expect(codec.decode(codec.encode(large))).toEqual(large)
})

test('what is no CBOR is refused, however deep, in no time', () => {
  const codec = cbor<unknown>()
  const began = performance.now()
  for (const bytes of [
    new Uint8Array(0),
    new Uint8Array(100_000).fill(0x81),
    Uint8Array.of(0x9b, 0, 0x20, 0, 0, 0, 0, 0, 0),
    Uint8Array.of(0x5a, 0xff, 0xff, 0xff, 0xff),
    Uint8Array.of(0xa2, 0x61, 0x61, 1, 0x61, 0x61, 2),
  ]) {
    expect(() => codec.decode(bytes)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }))
  }
  expect(performance.now() - began).toBeLessThan(500)
})

/** Lists and maps in every form that the format has: what begins a level, and what ends it. */
const containers: readonly (readonly [what: string, open: readonly number[], close: readonly number[]])[] = [
  ['a list', [0x81], []],
  ['a list with something before', [0x83, 0x01, 0x62, 0x81, 0x81], []],
  ['a list with something behind', [0x82], [0x01]],
  ['a list of a long length', [0x9b, 0, 0, 0, 0, 0, 0, 0, 1], []],
  ['a list without a length', [0x9f, 0x40], [0xff]],
  ['a map', [0xa1, 0x61, 0x61], []],
  ['a map without a length', [0xbf, 0x61, 0x61], [0xff]],
]

function nested(levels: number, open: readonly number[], close: readonly number[]): Uint8Array {
  const parts = [...Array.from({ length: levels }, () => open), [0xf6], ...Array.from({ length: levels }, () => close)]
  return Uint8Array.from(parts.flat())
}

test.each(containers)('128 levels of %s are read, and one more is not', (_what, open, close) => {
  const codec = cbor<unknown>()
  expect(() => codec.decode(nested(128, open, close))).not.toThrow()
  expect(() => codec.decode(nested(129, open, close))).toThrow(
    expect.objectContaining({ code: 'INVALID_MESSAGE', facts: { limit: 128 } }),
  )
})

test('what is written is no deeper than what is read', () => {
  const codec = cbor<unknown>()
  for (const wrap of [
    (inner: unknown): unknown => [inner],
    (inner: unknown): unknown => ({ a: inner }),
    (inner: unknown): unknown => new Map([['a', inner]]),
  ]) {
    let value: unknown = 1
    for (let level = 0; level < 128; level += 1) value = wrap(value)
    expect(() => codec.decode(codec.encode(value))).not.toThrow()
    expect(() => codec.encode(wrap(value))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  }
  // What the library writes for this writer counts too.
  class Foreign {
    readonly inner: unknown
    constructor(inner: unknown) {
      this.inner = inner
    }
  }
  let value: unknown = Uint8Array.of(1)
  for (let level = 0; level < 128; level += 1) value = new Foreign(value)
  expect(() => codec.decode(codec.encode(value))).not.toThrow()
  expect(() => codec.encode([value])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
})

test('wide values are not deep ones', () => {
  const codec = cbor<unknown>()
  const wide = Array.from({ length: 1_000 }, (_, index) => [[index, { text: '\u0081'.repeat(200), empty: [[], {}] }]])
  expect(codec.decode(codec.encode(wide))).toEqual(wide)
})
