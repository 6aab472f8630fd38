import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitmap } from './bitmap.ts'

const end = 6_000

/** A change, of a few blocks or of many pages, at the borders of words and pages as often as not. */
const bound = fc.oneof(
  fc.nat(end),
  fc.constantFrom(0, 1, 31, 32, 33, 1_023, 1_024, 1_025, 2_047, 2_048, 3_072, 4_095, 4_096, 5_120, end),
)
const change = fc.record({ isSet: fc.boolean(), one: bound, other: bound })

describe('a bitmap', () => {
  it('is a set of numbers, whatever is done to it', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), fc.array(fc.nat(end), { maxLength: 20 }), (changes, asked) => {
        const bitmap = new Bitmap()
        const set = new Set<number>()
        for (const { isSet, one, other } of changes) {
          const [from, to] = one < other ? [one, other] : [other, one]
          if (isSet) bitmap.add(from, to)
          else bitmap.remove(from, to)
          for (let block = from; block < to; block += 1) {
            if (isSet) set.add(block)
            else set.delete(block)
          }
          expect(bitmap.count).toBe(set.size)
        }
        expect(bitmap.runs(0, end, end)).toEqual(runsOf(set))
        for (const block of asked) {
          expect(bitmap.has(block)).toBe(set.has(block))
          let hole = block
          while (set.has(hole)) hole += 1
          expect(bitmap.nextHole(block)).toBe(hole)
          let next = block
          while (next < end && !set.has(next)) next += 1
          expect(bitmap.next(block, end)).toBe(next < end ? next : undefined)
        }
      }),
      { numRuns: 150 },
    )
  })

  it('costs the same for a range of any length', () => {
    const bitmap = new Bitmap()
    bitmap.add(5, 2 ** 48)
    expect([bitmap.count, bitmap.extents]).toEqual([2 ** 48 - 5, 2])
    expect([bitmap.has(4), bitmap.has(5), bitmap.has(2 ** 48 - 1)]).toEqual([false, true, true])
    expect(bitmap.nextHole(7)).toBe(2 ** 48)
    bitmap.remove(2 ** 40 + 1, 2 ** 40 + 2)
    expect([bitmap.count, bitmap.extents, bitmap.nextHole(7)]).toEqual([2 ** 48 - 6, 4, 2 ** 40 + 1])
    bitmap.add(2 ** 40, 2 ** 40 + 2)
    bitmap.add(0, 5)
    expect([bitmap.count, bitmap.extents]).toEqual([2 ** 48, 1])
    bitmap.clear()
    expect([bitmap.count, bitmap.extents, bitmap.next(0)]).toEqual([0, 0, undefined])
  })

  it('is filled from its beginning, from its end or in any order, and is one extent then', () => {
    const blocks = Array.from({ length: 5_120 }, (_, index) => index)
    for (const order of [
      blocks,
      blocks.toReversed(),
      blocks.toSorted((a, b) => ((a * 7_919) % 5_120) - ((b * 7_919) % 5_120)),
    ]) {
      const bitmap = new Bitmap()
      for (const block of order) bitmap.add(block, block + 1)
      expect([bitmap.count, bitmap.extents]).toEqual([5_120, 1])
      for (const block of order) bitmap.remove(block, block + 1)
      expect([bitmap.count, bitmap.extents]).toEqual([0, 0])
    }
  })

  it('gives out no more runs than it is asked for, from where it is asked to where it is asked to', () => {
    const bitmap = new Bitmap()
    for (let block = 0; block < 1_000; block += 10) bitmap.add(block, block + 3)
    expect(bitmap.runs(11, 32, 10)).toEqual([11, 13, 20, 23, 30, 32])
    expect(bitmap.runs(11, 32, 2)).toEqual([11, 13, 20, 23])
    expect(bitmap.runs(3, 10, 10)).toEqual([])
  })
})

function runsOf(set: ReadonlySet<number>): readonly number[] {
  const bounds: number[] = []
  for (let block = 0; block <= end; block += 1) if (set.has(block) !== set.has(block - 1)) bounds.push(block)
  return bounds
}
