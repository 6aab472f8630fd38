import { expect, it } from 'vitest'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { crc32c } from './crc32c.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

it('gives the values of RFC 3720', () => {
  const ascending = Uint8Array.from({ length: 32 }, (_value, index) => index)
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa)
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43)
  expect(crc32c(ascending)).toBe(0x46dd794e)
  expect(crc32c(ascending.toReversed())).toBe(0x113fdb5c)
  expect(crc32c(text('123456789'))).toBe(0xe3069283)
  expect(crc32c(new Uint8Array(0))).toBe(0)
})

it('gives in parts what it gives for the whole, at every length and offset', () => {
  const bytes = new SeededRandom(1).bytes(200)
  for (let start = 0; start < 20; start += 1) {
    for (let end = start; end < 200; end += 7) {
      const whole = crc32c(bytes.slice(start, end))
      expect(crc32c(bytes, start, end)).toBe(whole)
      const cut = start + ((end - start) >> 1)
      expect(crc32c(bytes, cut, end, crc32c(bytes, start, cut))).toBe(whole)
    }
  }
})

it('differs for each flipped bit', () => {
  const bytes = new SeededRandom(2).bytes(64)
  const values = new Set([crc32c(bytes)])
  for (let bit = 0; bit < 512; bit += 1) {
    bytes[bit >> 3]! ^= 1 << (bit & 7)
    values.add(crc32c(bytes))
    bytes[bit >> 3]! ^= 1 << (bit & 7)
  }
  expect(values.size).toBe(513)
})
