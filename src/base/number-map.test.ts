import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NumberMap } from './number-map.ts'

/** Keys that meet in the table, and some above 32 bits. */
const key = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(16, 32, 48, 2 ** 32, 2 ** 32 + 16, 2 ** 37 - 1))

test('agrees with a Map after any sequence of changes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 300 }), (changes) => {
      const map = new NumberMap<number>()
      const model = new Map<number, number>()
      for (const [index, [isSet, key]] of changes.entries()) {
        if (isSet) {
          map.set(key, index)
          model.set(key, index)
        } else expect(map.delete(key)).toBe(model.delete(key))
        expect(map.size).toBe(model.size)
      }
      for (const [key, value] of model) expect(map.get(key)).toBe(value)
      expect([...map.values()].toSorted()).toEqual([...model.values()].toSorted())
      for (const [, key] of changes) if (!model.has(key)) expect(map.get(key)).toBe(undefined)
      map.clear()
      expect([map.size, [...map.values()]]).toEqual([0, []])
    }),
  )
})

test('keeps its size when entries come and go', () => {
  const map = new NumberMap<number>()
  for (let number = 1; number < 100_000; number += 1) {
    map.set(number, number)
    if (number > 100) expect(map.delete(number - 100)).toBe(true)
  }
  expect(map.size).toBe(100)
  expect([...map.values()].toSorted((left, right) => left - right)[0]).toBe(99_900)
})
