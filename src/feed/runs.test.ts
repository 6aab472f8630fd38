import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes } from '../base/bytes.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { decode, encode } from '../wire/schema.ts'
import { runs } from './runs.ts'

const schema = runs({ max: 4_096 })
const limit = expect.objectContaining({ code: 'LIMIT' })
const malformed = expect.objectContaining({ code: 'PROTOCOL' })

function numbers(...values: readonly number[]): Uint8Array {
  return concatBytes(
    values.map((value) => {
      const out = new Uint8Array(varintLength(value))
      writeVarint(out, 0, value)
      return out
    }),
  )
}

describe('runs', () => {
  it('come back as they were', () => {
    const bounds = fc.uniqueArray(fc.integer({ min: 0, max: 2 ** 48 }), { maxLength: 40 })
    fc.assert(
      fc.property(bounds, (all) => {
        const value = all.slice(0, all.length - (all.length % 2)).sort((a, b) => a - b)
        expect(decode(schema, encode(schema, value))).toEqual(value)
      }),
    )
  })

  it('are gaps and lengths', () => {
    expect(encode(schema, [3, 5, 300, 301])).toEqual(Uint8Array.of(2, 3, 2, 0xa7, 2, 1))
  })

  it.each([
    ['a million alternating ones', numbers(1_000_000, ...new Array<number>(100).fill(1)), limit],
    ['one more than the limit', numbers(4_097, ...new Array<number>(8_194).fill(1)), limit],
    ['2^53 blocks', numbers(1, 0, 2 ** 53 - 1), limit],
    ['blocks up to 2^48 and one more', numbers(1, 1, 2 ** 48), limit],
    ['a sum beyond 2^53', numbers(2, 2 ** 48 - 1, 1, 2 ** 53 - 1, 2 ** 53 - 1), limit],
    ['more than there are bytes', numbers(4_096, 1, 1), malformed],
    ['an empty one', numbers(2, 1, 1, 1, 0), malformed],
    ['two that touch', numbers(2, 1, 1, 0, 1), malformed],
    ['a number that has no end', Uint8Array.of(1, 0, ...new Uint8Array(12).fill(0xff)), malformed],
    ['a number in a longer form', Uint8Array.of(1, 0x80, 0, 1), malformed],
  ])('are refused: %s', (_what, bytes, error) => {
    expect(() => decode(schema, bytes)).toThrow(error)
  })

  it('are not written when they would be refused', () => {
    for (const value of [[1], [2, 1], [1, 1], [1, 3, 3, 4], [0, 2 ** 48 + 1], [0.5, 1]])
      expect(() => encode(schema, value)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
    const many = Array.from({ length: 8_194 }, (_, index) => index)
    expect(() => encode(schema, many)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
