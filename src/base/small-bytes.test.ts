import { expect, it } from 'vitest'
import { copySmallBytes, smallBytes } from './small-bytes.ts'

it('short arrays have what they were made for, zeroed, and no byte in common', () => {
  const lengths = Array.from({ length: 3_000 }, (_, index) => (index * 37) % 1_100)
  const arrays = lengths.map((length) => smallBytes(length))
  for (const array of arrays) expect(array.every((byte) => byte === 0)).toBe(true)
  for (const [index, array] of arrays.entries()) array.fill(index % 256)
  for (const [index, array] of arrays.entries()) {
    expect(array.length).toBe(lengths[index])
    expect(array.every((byte) => byte === index % 256)).toBe(true)
  }
})

it('a copy stays as it is when the original changes', () => {
  for (const length of [0, 1, 64, 65, 1_024, 1_025, 5_000]) {
    const original = new Uint8Array(length).fill(5)
    const copy = copySmallBytes(original)
    original.fill(6)
    expect(copy).toEqual(new Uint8Array(length).fill(5))
  }
})
