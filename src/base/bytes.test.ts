import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bytesEqual,
  concatBytes,
  decodeBase32,
  decodeHex,
  encodeBase32,
  encodeHex,
  utf8Length,
  utf8Read,
  utf8Write,
} from './bytes.ts'

/** Any string of UTF-16 units, lone surrogates included. */
const units = fc
  .array(fc.oneof(fc.nat(0x7f), fc.nat(0xffff), fc.integer({ min: 0xd800, max: 0xdfff })), { maxLength: 80 })
  .map((codes) => String.fromCharCode(...codes))

test('equality is of bytes', () => {
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true)
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false)
  expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false)
})

test('what is put together has its own exact buffer', () => {
  const whole = concatBytes([Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)])
  expect([...whole]).toEqual([1, 2, 3])
  expect(whole.buffer.byteLength).toBe(3)
})

test('base32 follows the vectors of RFC 4648, lower case and without padding', () => {
  const vectors = ['', 'my', 'mzxq', 'mzxw6', 'mzxw6yq', 'mzxw6ytb', 'mzxw6ytboi']
  vectors.forEach((text, length) => {
    const bytes = new TextEncoder().encode('foobar'.slice(0, length))
    expect(encodeBase32(bytes)).toBe(text)
    expect(decodeBase32(text)).toEqual(bytes)
  })
})

test.each(['MY', 'my======', 'm', 'mz1q', 'mzx', 'mz', 'my '])('base32 refuses %s', (text) => {
  expect(decodeBase32(text)).toBeUndefined()
})

test('base32 and hex bring back every byte, and have one text for it', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      expect(decodeBase32(encodeBase32(bytes))).toEqual(bytes)
      expect(decodeHex(encodeHex(bytes))).toEqual(bytes)
    }),
  )
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('a', 'b', 'c', 'i', 'q', 'y', 'z', '2', '7'), maxLength: 20 }),
      (text) => {
        const bytes = decodeBase32(text)
        if (bytes !== undefined) expect(encodeBase32(bytes)).toBe(text)
      },
    ),
  )
})

test.each(['A0', '0', '0g', ' 0'])('hex refuses %s', (text) => {
  expect(decodeHex(text)).toBeUndefined()
})

test('texts are written as the engine writes them, lone surrogates as U+FFFD', () => {
  fc.assert(
    fc.property(units, fc.nat(5), (text, offset) => {
      const expected = new TextEncoder().encode(text)
      expect(utf8Length(text)).toBe(expected.length)
      const out = new Uint8Array(offset + expected.length)
      expect(utf8Write(text, out, offset)).toBe(out.length)
      expect(out.subarray(offset)).toEqual(expected)
      expect(utf8Read(out, offset, out.length)).toBe(new TextDecoder('utf-8', { ignoreBOM: true }).decode(expected))
    }),
  )
})

test.each([10, 100])('a text of %i characters is not written where there is no room', (length) => {
  expect(() => utf8Write('x'.repeat(length), new Uint8Array(length), 1)).toThrow('room')
  expect(() => utf8Write('ü'.repeat(length), new Uint8Array(length + 3), 1)).toThrow('room')
})

test('a byte order mark stays', () => {
  expect(utf8Read(new TextEncoder().encode('\uFEFFx'), 0, 4)).toBe('\uFEFFx')
})

test.each(['ff', 'c080', 'eda080', 'f4908080', 'e282', '80'])('%s is not read as text, short or long', (hex) => {
  const broken = decodeHex(hex) as Uint8Array
  expect(utf8Read(broken, 0, broken.length)).toBeUndefined()
  const long = concatBytes([new Uint8Array(200).fill(0x61), broken])
  expect(utf8Read(long, 0, long.length)).toBeUndefined()
})
