import fc from 'fast-check'
import { expect, it } from 'vitest'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { Chunker, chunkBytesMax, chunkBytesMin, chunkBytesNormal } from './chunker.ts'
import { gear } from './gear.ts'

const MiB = 1024 * 1024

/** Lengths of the chunks of bytes that come in pieces of these lengths, the last piece as long as is left. */
function chunksOf(bytes: Uint8Array, pieces: readonly number[] = []): number[] {
  const chunker = new Chunker()
  const lengths: number[] = []
  let chunkAt = 0
  let at = 0
  for (const piece of [...pieces, Infinity]) {
    const end = Math.min(bytes.length, at + piece)
    for (let cut = chunker.next(bytes, at, end); cut !== undefined; cut = chunker.next(bytes, at, end)) {
      lengths.push(cut - chunkAt)
      at = chunkAt = cut
    }
    at = end
  }
  if (chunker.pendingBytes > 0) lengths.push(chunker.pendingBytes)
  return lengths
}

/** The rule as PROTOCOL.md says it, place by place. */
function chunksByRule(bytes: Uint8Array): number[] {
  const lengths: number[] = []
  for (let start = 0; start < bytes.length;) {
    let length = Math.min(chunkBytesMin, bytes.length - start)
    for (; start + length < bytes.length && length < chunkBytesMax; length += 1) {
      if (hashBefore(bytes, start + length) < (length < chunkBytesNormal ? 2 ** 14 : 2 ** 18)) break
    }
    lengths.push(length)
    start += length
  }
  return lengths
}

function hashBefore(bytes: Uint8Array, place: number): number {
  let hash = 0
  for (let back = 0; back < 32; back += 1) hash += (gear[bytes[place - 1 - back] as number] as number) << back
  return hash >>> 0
}

const randomBytes = (length: number, seed = 'bytes'): Uint8Array => new SeededRandom(seed).bytes(length)

it('has a table of 256 different numbers, with every bit set in about half of them', () => {
  expect(new Set(gear).size).toBe(256)
  for (let bit = 0; bit < 32; bit += 1) {
    const set = gear.filter((word) => ((word >>> bit) & 1) === 1).length
    expect(set).toBeGreaterThan(96)
    expect(set).toBeLessThan(160)
  }
})

it('cuts where the rule says', () => {
  const bytes = randomBytes(2 * MiB)
  const lengths = chunksOf(bytes)
  expect(lengths).toEqual(chunksByRule(bytes))
  expect(lengths.length).toBeGreaterThan(15)
})

it('finds the same chunks however the bytes come', () => {
  const bytes = randomBytes(MiB)
  // What repeats is never cut before the longest chunk.
  bytes.fill(7, 300_000, 900_000)
  const whole = chunksOf(bytes)
  expect(whole.reduce((sum, length) => sum + length, 0)).toBe(bytes.length)
  const piece = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 100_000 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 200 }), (pieces) => {
      expect(chunksOf(bytes, pieces)).toEqual(whole)
    }),
    { numRuns: 200 },
  )
  const [first, second] = whole as [number, number]
  const atEachByte = Array.from({ length: first + second + 100 }, () => 1)
  expect(chunksOf(bytes, atEachByte)).toEqual(whole)
})

it('finds a cut wherever it falls among pieces and blocks', () => {
  // Zeros are never cut; this is what is cut behind, from the normal length on.
  const random = new SeededRandom('mark')
  let mark = random.bytes(32)
  while (hashBefore(mark, 32) >= 2 ** 18) mark = random.bytes(32)
  const blocks = [1, 2, 3].map((count) => count * 64 * 1024 + chunkBytesNormal - 1)
  for (const block of [chunkBytesNormal, ...blocks]) {
    for (let length = Math.max(block, chunkBytesNormal); length < Math.min(block + 34, chunkBytesMax); length += 1) {
      const bytes = new Uint8Array(length + 100)
      bytes.set(mark, length - 32)
      for (const pieces of [[], [length - 20], [length - 33, 1, 1, 20], [length - 1]])
        expect(chunksOf(bytes, pieces)).toEqual([length, 100])
    }
  }
})

it('keeps every chunk within its bounds, and their mean near 72 KiB', () => {
  const lengths = chunksOf(randomBytes(32 * MiB))
  const inner = lengths.slice(0, -1)
  expect(Math.min(...inner)).toBeGreaterThanOrEqual(chunkBytesMin)
  expect(Math.max(...lengths)).toBeLessThanOrEqual(chunkBytesMax)
  const mean = (32 * MiB) / lengths.length
  expect(mean).toBeGreaterThan(66 * 1024)
  expect(mean).toBeLessThan(80 * 1024)
})

it('cuts what repeats at the longest chunk, and nothing of nothing', () => {
  expect(chunksOf(new Uint8Array(MiB))).toEqual([chunkBytesMax, chunkBytesMax, chunkBytesMax, chunkBytesMax])
  expect(chunksOf(new Uint8Array(0))).toEqual([])
  expect(chunksOf(new Uint8Array(chunkBytesMin))).toEqual([chunkBytesMin])
  expect(chunksOf(new Uint8Array(chunkBytesMax + 1))).toEqual([chunkBytesMax, 1])
})
