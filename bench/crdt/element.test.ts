import { expect, test } from 'vitest'
import { elementOf, fingerprintOf } from './element.ts'

test('elements differ, have one length, and do not come in their order', () => {
  const elements = Array.from({ length: 10_000 }, (_, number) => elementOf(number))
  expect(new Set(elements).size).toBe(10_000)
  expect(elements.every((element) => /^[0-9a-f]{16}$/.test(element))).toBe(true)
  expect(elements.toSorted()).not.toEqual(elements)
  expect(elementOf(7)).toBe(elements[7])
})

test('a fingerprint tells sets apart, and orders not', () => {
  expect(fingerprintOf(['a', 'b'])).toBe(fingerprintOf(new Set(['b', 'a'])))
  for (const other of [['a'], ['a', 'c'], ['ab'], ['a', 'b', 'c'], []])
    expect(fingerprintOf(other)).not.toBe(fingerprintOf(['a', 'b']))
})
