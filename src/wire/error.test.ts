import { encode } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decodeHex, encodeHex } from '../base/bytes.ts'
import { PlaitError, wireErrorNumbers } from '../base/error.ts'
import type { ErrorCode } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import { decodeError, encodeError, errorLength, plaitErrorFrom, wireErrorFrom, writeError } from './error.ts'
import { decodeFacts, encodeFacts } from './facts.ts'

test('every code that crosses the wire arrives with its message and facts', () => {
  for (const code of Object.keys(wireErrorNumbers) as ErrorCode[]) {
    const facts = { limit: 64, who: 'zoë', sure: false }
    const arrived = decodeError(encodeError(new PlaitError(code, `it is ${code}`, { facts })))
    expect([arrived.code, arrived.message, { ...arrived.facts }]).toEqual([code, `it is ${code}`, facts])
  }
})

test('codes that never leave a process arrive as ABORTED and say what they were', () => {
  const arrived = decodeError(encodeError(new PlaitError('NO_SPACE', 'disk full', { facts: { path: 'a', free: 0.5 } })))
  expect([arrived.code, { ...arrived.facts }]).toEqual(['ABORTED', { code: 'NO_SPACE', path: 'a' }])
  expect(decodeError(encodeError(new PlaitError('NODE_CLOSED', 'bye'))).code).toBe('GOING_AWAY')
})

test.each([4_096, 65_535, 999])(
  'number %i, which has no code here, arrives as REMOTE and goes on as itself',
  (number) => {
    const error = plaitErrorFrom({ code: number, message: 'm', facts: { number: 'x', a: 1 } })
    expect([error.code, { ...error.facts }]).toEqual(['REMOTE', { number, a: 1 }])
    expect(wireErrorFrom(error)).toEqual({ code: number, message: 'm', facts: { a: 1 } })
  },
)

test('a long message is cut between characters when sent, and refused when received', () => {
  const { message } = decodeError(encodeError(new PlaitError('BUSY', `x${'😀'.repeat(400)}`)))
  expect(message).toBe(`x${'😀'.repeat(255)}`)
  const body = new Uint8Array(2 + 2 + 1_025 + 1).fill(0x61)
  body.set([1, 0, 0x81, 0x08])
  body[body.length - 1] = 0
  expect(() => decodeError(body)).toThrow(expect.objectContaining({ code: 'LIMIT' }))
})

test('too many facts are left out from the end, and an error can always be sent', () => {
  const facts = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`fact ${index}`, index]))
  const arrived = decodeError(encodeError(new PlaitError('BUSY', 'm', { facts })))
  expect(arrived.facts['fact 0']).toBe(0)
  expect(arrived.facts['fact 199']).toBeUndefined()
})

test('facts have one encoding: the canonical one, whatever their order', () => {
  const bytes = encodeFacts({ bb: 1, a: 'x', __proto__x: true })
  expect(encodeFacts({ __proto__x: true, a: 'x', bb: 1 })).toEqual(bytes)
  expect(encodeHex(encodeFacts({ bb: 1, a: 'x' }))).toBe('a26161617862626201')
  expect(encodeFacts(undefined)).toHaveLength(0)
  expect(encodeFacts({})).toHaveLength(0)
})

test('facts named after members of objects are plain facts', () => {
  const sent = Object.create(null) as Record<string, string>
  for (const name of ['__proto__', 'constructor', 'toString']) sent[name] = name
  const read = decodeFacts(encodeFacts(sent))
  expect(Object.getPrototypeOf(read)).toBeNull()
  expect(Object.entries(read).sort()).toEqual(Object.entries(sent).sort())
  const { facts } = plaitErrorFrom({ code: 5_000, message: '', facts: read })
  expect(Object.keys(facts).sort()).toEqual(['__proto__', 'constructor', 'number', 'toString'])
})

test.each([
  ['an empty map', 'a0'],
  ['no map', '01'],
  ['a list', '8101'],
  ['a number as name', 'a10101'],
  ['bytes as value', 'a1616141ff'],
  ['null as value', 'a16161f6'],
  ['a fraction as value', 'a16161f93800'],
  ['a float that is whole', 'a16161f93c00'],
  ['an integer in a longer form', 'a161611801'],
  ['a name in a longer form', 'a178016101'],
  ['an integer beyond 2^53', 'a161611b0020000000000000'],
  ['names out of order', 'a2616201616101'],
  ['a name twice', 'a2616101616101'],
  ['a map of open length', 'bf616101ff'],
  ['a text of open length', 'a161617f6162ff'],
  ['a text that is not UTF-8', 'a1616161ff'],
  ['a tag', 'a16161c101'],
  ['a map in a map', 'a16161a1616101'],
  ['bytes behind the map', 'a16161010000'],
  ['a map of 2^32 - 1', 'baffffffff616101'],
  ['a text of 2^53', 'a161617b0020000000000000'],
])('facts refused: %s', (_, hex) => {
  expect(() => decodeFacts(decodeHex(hex) as Uint8Array)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
})

test('facts nested as deep as their limit allows are refused at once', () => {
  const deep = new Uint8Array(defaultLimits.errorFactsBytes).fill(0x81)
  deep.set([0xa1, 0x61, 0x61])
  const refusalsMs = [1, 2, 3, 4, 5].map(() => {
    const begun = performance.now()
    expect(() => decodeFacts(deep)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
    return performance.now() - begun
  })
  expect(Math.min(...refusalsMs)).toBeLessThan(10)
})

test('each cut and each changed byte gives a legal error or a typed one', () => {
  const wireError = { code: 264, message: 'zoë', facts: { limit: 70_000, ok: true } }
  const bytes = new Uint8Array(errorLength(wireError, defaultLimits))
  writeError(bytes, 0, wireError)
  const outcomes = new Set<string>()
  for (let length = 0; length < bytes.length; length += 1) outcomes.add(outcome(bytes.subarray(0, length)))
  expect([...outcomes]).toEqual(['PROTOCOL'])
  for (let index = 0; index < bytes.length; index += 1) {
    for (let change = 1; change < 256; change += 1) {
      const mutant = bytes.slice()
      mutant[index] = (mutant[index] as number) ^ change
      outcomes.add(outcome(mutant))
    }
  }
  expect([...outcomes].sort()).toEqual(['LIMIT', 'PROTOCOL', 'read'])
})

test('what the library writes for a map is read, or refused with a typed error', () => {
  const value = fc.oneof(
    fc.string(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.double(),
    fc.constant(null),
    fc.array(fc.nat()),
  )
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value, { minKeys: 1, maxKeys: 4 }), (map) => {
      const isLegal = Object.values(map).every(
        (one) => ['string', 'boolean'].includes(typeof one) || Number.isSafeInteger(one),
      )
      const bytes = encode(new Map(Object.entries(map)))
      if (isLegal) expect(encodeFacts(decodeFacts(bytes))).toEqual(bytes)
      else expect(() => decodeFacts(bytes)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
    }),
  )
})

function outcome(bytes: Uint8Array): string {
  try {
    decodeError(bytes)
    return 'read'
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    return error.code
  }
}
