import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeHex } from './bytes.ts'
import { varintBytesMax, varintLength, writeVarint, writeZigzag, zigzagLength } from './varint.ts'

test.each([
  [0, '00'],
  [1, '01'],
  [127, '7f'],
  [128, '8001'],
  [300, 'ac02'],
  [16_383, 'ff7f'],
  [16_384, '808001'],
  [2 ** 31 - 1, 'ffffffff07'],
  [2 ** 31, '8080808008'],
  [2 ** 32, '8080808010'],
  [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
])('%i is written as %s', (value, hex) => {
  const out = new Uint8Array(12)
  const end = writeVarint(out, 1, value)
  expect(encodeHex(out.subarray(1, end))).toBe(hex)
  expect(varintLength(value)).toBe(end - 1)
})

test.each([
  [0, '00'],
  [-0, '00'],
  [-1, '01'],
  [1, '02'],
  [-64, '7f'],
  [64, '8001'],
  [-65, '8101'],
  [Number.MAX_SAFE_INTEGER, 'feffffffffffff1f'],
  [Number.MIN_SAFE_INTEGER, 'fdffffffffffff1f'],
])('signed, %i is written as %s', (value, hex) => {
  const out = new Uint8Array(12)
  const end = writeZigzag(out, 0, value)
  expect(encodeHex(out.subarray(0, end))).toBe(hex)
  expect(zigzagLength(value)).toBe(end)
})

test('both agree with the definition in unbounded integers', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const signed = BigInt(value) >= 0n ? 2n * BigInt(value) : -2n * BigInt(value) - 1n
      const out = new Uint8Array(varintBytesMax)
      expect([...out.subarray(0, writeZigzag(out, 0, value))]).toEqual(leb128(signed))
      expect([...out.subarray(0, writeVarint(out, 0, Math.abs(value)))]).toEqual(leb128(BigInt(Math.abs(value))))
    }),
  )
})

function leb128(value: bigint): number[] {
  const low = Number(value & 127n)
  return value < 128n ? [low] : [low | 128, ...leb128(value >> 7n)]
}
