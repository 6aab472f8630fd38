import { expect, it } from 'vitest'
import { systemRandom } from './random.ts'

it('gives fresh bytes of every length, across the border of its pool', () => {
  const random = systemRandom()
  const seen = new Set<string>()
  for (let round = 0; round < 2_000; round += 1) seen.add(random.bytes(16).join())
  expect(seen.size).toBe(2_000)
  for (const length of [0, 1, 1_024, 1_025, 100_000]) expect(random.bytes(length).length).toBe(length)
  expect(random.bytes(100_000).reduce((sum, byte) => sum + byte, 0) / 100_000).toBeGreaterThan(120)
})

it('gives bytes of their own: changing one result changes no other', () => {
  const random = systemRandom()
  const first = random.bytes(32)
  const copy = first.slice()
  random.bytes(32).fill(0)
  expect(first).toEqual(copy)
  expect(first.buffer.byteLength).toBe(32)
})

it('spreads numbers over their whole range', () => {
  const random = systemRandom()
  const buckets = new Array<number>(16).fill(0)
  for (let round = 0; round < 16_000; round += 1) {
    const word = random.uint32()
    expect(word).toBeGreaterThanOrEqual(0)
    expect(Number.isInteger(word)).toBe(true)
    const real = random.real()
    expect(real >= 0 && real < 1).toBe(true)
    buckets[Math.floor(real * 16)]! += 1
  }
  // 1,000 expected in each, standard deviation 31: ten of them off is a broken generator, not bad luck.
  for (const count of buckets) expect(Math.abs(count - 1_000)).toBeLessThan(310)
})
