import { describe, expect, it } from 'vitest'
import { choice } from './choice-schema.ts'
import { bytes, decode, encode, struct, u8 } from './schema.ts'

const schema = choice({
  number: { number: 1, schema: struct({ value: u8 }) },
  data: { number: 7, schema: struct({ value: bytes({ max: 2 }) }) },
})

describe('a choice', () => {
  it('is the number of a record, and that record', () => {
    expect(encode(schema, { kind: 'number', value: 5 })).toEqual(Uint8Array.of(1, 5))
    expect(decode(schema, Uint8Array.of(7, 1, 9))).toEqual({ kind: 'data', value: Uint8Array.of(9) })
    expect(schema.bytesMin).toBe(2)
  })

  it('says where it stopped', () => {
    const read = (...all: readonly number[]): unknown => decode(schema, Uint8Array.from(all))
    expect(() => read(2, 0)).toThrow(expect.objectContaining({ code: 'PROTOCOL' }))
    expect(() => read(7, 3, 0, 0, 0)).toThrow(
      expect.objectContaining({ code: 'LIMIT', facts: expect.objectContaining({ field: 'data.value' }) }),
    )
    expect(() => read(1)).toThrow(expect.objectContaining({ code: 'PROTOCOL', facts: { field: 'number.value' } }))
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT', facts: { field: 'number.value' } })
    expect(() => encode(schema, { kind: 'number', value: 256 })).toThrow(invalid)
    expect(() => encode(schema, { kind: '__proto__' as 'number', value: 1 })).toThrow('none of number, data')
  })

  it('describes what it is made of', () => {
    expect(schema.describe().fields?.map(({ name, number }) => [name, number])).toEqual([
      ['number', 1],
      ['data', 7],
    ])
  })
})
