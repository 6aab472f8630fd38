import { expect, it } from 'vitest'
import { judgeCourse } from './course.ts'

it('judges the last two thirds only, and by all of their looks', () => {
  const rising = Array.from({ length: 31 }, (_, index) => ({ seconds: index, value: index < 10 ? 1_000 : 2 * index }))
  const verdict = judgeCourse(rising, 10)
  expect(verdict).toEqual({ looks: 21, growth: expect.closeTo(40, 6), growthShare: expect.closeTo(1, 6), mean: 40 })
  const noisy = Array.from({ length: 31 }, (_, index) => ({ seconds: index, value: 100 + (index % 2) }))
  expect(Math.abs(judgeCourse(noisy, 10).growthShare)).toBeLessThan(0.001)
  expect(() => judgeCourse(rising.slice(0, 12), 10)).toThrow('too few')
})
