import { expect, test } from 'vitest'
import { judgeCourse, type Look } from './course.ts'
import { leastOfEach } from './least.ts'

function course(valueAt: (second: number) => number): Look[] {
  return Array.from({ length: 600 }, (_, seconds) => ({ seconds, value: valueAt(seconds) }))
}

test('what comes and goes is no growth, and one that stays open each two minutes is', () => {
  const busier = course((second) => 50 + (second % 3 === 0 ? 0 : second / 50))
  expect(judgeCourse(busier, 200).growth).toBeGreaterThan(3)
  expect(judgeCourse(leastOfEach(busier, 10), 200).growth).toBe(0)
  const leaking = course((second) => 50 + (second % 3) + Math.floor(second / 120))
  expect(judgeCourse(leastOfEach(leaking, 10), 200).growth).toBeGreaterThan(2)
})
