import fc from 'fast-check'
import { expect, test } from 'vitest'
import { json } from './json.ts'

const codec = json<unknown>()
const invalid = expect.objectContaining({ code: 'INVALID_MESSAGE' }) as Error
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What looks like the end of a text, or like a name, and is none. */
const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 200 }),
  fc
    .array(fc.constantFrom('"', '\\', ':', '{', ']', 'a', 'ä', '\n'), { maxLength: 200 })
    .map((parts) => parts.join('')),
  fc.constantFrom('__proto__', 'constructor', 'toString', ''),
)
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: 'medium' },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('any'), { maxLength: 8 }),
    fc.dictionary(text, tie('any'), { maxKeys: 8 }),
  ),
})).any

test('what JSON can say is taken, whatever its texts and names look like, with spaces or without', () => {
  fc.assert(
    fc.property(value, fc.constantFrom(0, 2), (value, spaces) => {
      const written = JSON.stringify(value, undefined, spaces)
      const expected: unknown = JSON.parse(written)
      expect(codec.decode(bytesOf(written))).toEqual(expected)
      expect(codec.decode(codec.encode(value))).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})

test('a name that stands twice in one object is refused, wherever that object is', () => {
  fc.assert(
    fc.property(text, value, value, value, (name, first, second, around) => {
      const key = JSON.stringify(name)
      const twice = `{${key}:${JSON.stringify(first)},"between":1, ${key} :${JSON.stringify(second)}}`
      fc.pre(name !== 'between')
      for (const written of [twice, `[${twice}]`, `{"x":[${JSON.stringify(around)},{"y":${twice}}]}`])
        expect(() => codec.decode(bytesOf(written))).toThrow(invalid)
    }),
    { numRuns: 300 },
  )
  // The same name in other letters, and in objects of their own.
  expect(() => codec.decode(bytesOf('{"a":1,"\\u0061":2}'))).toThrow(invalid)
  expect(codec.decode(bytesOf('[{"a":1},{"a":{"a":2}}]'))).toEqual([{ a: 1 }, { a: { a: 2 } }])
})

test('a name with an escape is read as what it is, whatever was read in its place before', () => {
  // A name that stood there first, and one that the engine's parser then takes for it: see `parse`.
  const pairs = ['\\\\ \\"', '\\\\ \\u0061', 'x\\\\ x\\n', '\\\\u0061 \\u0061', '\\\\n \\n', '\\\\ \\u005c'].map(
    (pair) => pair.split(' '),
  )
  for (const [index, [first, second]] of pairs.entries()) {
    codec.decode(bytesOf(`{"pair ${index}":[],"${first}":0}`))
    // So that the engine knows the first name, too.
    JSON.parse(`{"engine ${index}":[],"${first}":0}`)
    const name = String(JSON.parse(`"${second}"`))
    for (const around of [`pair ${index}`, `engine ${index}`]) {
      const value = codec.decode(bytesOf(`{"${around}":1, "${second}" :[{"${second}":"\\":"}]}`))
      expect(value).toEqual({ [around]: 1, [name]: [{ [name]: '":' }] })
    }
    for (const other of [second, JSON.stringify(name).slice(1, -1)])
      expect(() => codec.decode(bytesOf(`{"${second}":1,"${other}":2}`))).toThrow(invalid)
  }
  for (const wrong of [
    '{"\\n":1',
    '{"\\n",:1}',
    '{:"\\n"}',
    '{"\\x":1}',
    '{"\\n"::1}',
    '{1:"\\n"}',
    '{"\n":"\\n"}',
    '"\\":',
  ])
    expect(() => codec.decode(bytesOf(wrong))).toThrow(invalid)
  fc.assert(
    fc.property(value, text, (value, name) => {
      const written = JSON.stringify({ '\n': value, [name]: [value] })
      expect(JSON.stringify(codec.decode(bytesOf(written)))).toEqual(written)
    }),
    { numRuns: 300 },
  )
})

test('128 levels are taken, in both directions, and one more in neither', () => {
  const nested = (levels: number): unknown => {
    let inner: unknown = 1
    for (let level = 0; level < levels; level += 1) inner = level % 2 === 0 ? [inner, 'x'.repeat(3)] : { a: inner }
    return inner
  }
  expect(codec.decode(codec.encode(nested(128)))).toEqual(nested(128))
  expect(() => codec.encode(nested(129))).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  expect(() => codec.decode(bytesOf(JSON.stringify(nested(129))))).toThrow(
    expect.objectContaining({ code: 'INVALID_MESSAGE', facts: { limit: 128 } }),
  )
})

test('levels and names in long texts are none', () => {
  for (const length of [0, 1, 60, 61, 62, 63, 64, 65, 66, 200])
    for (const end of ['\\', '\\\\', '"', '\\"', '":{[']) {
      const given = { text: `${'x'.repeat(length)}${end}${'['.repeat(200)}`, other: [length] }
      expect(codec.decode(codec.encode(given))).toEqual(given)
    }
})
