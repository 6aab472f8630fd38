import { expect, test } from 'vitest'
import { judgeMemory, type MemoryCourse } from './memory-course.ts'

const blocks = 1_000_000
const mebibyte = 1024 * 1024

function course(heap: (blocks: number) => number): MemoryCourse {
  return Array.from({ length: 21 }, (_, step) => {
    const done = (step * blocks) / 20
    return { blocks: done, heapBytes: heap(done), rssBytes: 2 * heap(done) }
  })
}

test('the slope is that of the second half, whatever the first half did', () => {
  const judged = judgeMemory(
    course((done) => (done < blocks / 2 ? 50 * done : 25 * blocks + (done - blocks / 2) * 3)),
    blocks,
  )
  expect(judged.heapBytesPerBlock).toBeCloseTo(3)
  expect(judged.rssBytesPerBlock).toBeCloseTo(6)
  expect(judged.growthMiB).toBeCloseTo((3 * blocks) / 2 / mebibyte)
  expect(judged.isFlat).toBe(false)
})

test('flat is under a MiB and under 2 %', () => {
  const grows = (bytesPerBlock: number, from: number): boolean =>
    judgeMemory(
      course((done) => from + done * bytesPerBlock),
      blocks,
    ).isFlat
  expect(grows(0.5, 100 * mebibyte)).toBe(true)
  expect(grows(0.5, 10 * mebibyte)).toBe(false)
  expect(grows(2.2, 100 * mebibyte)).toBe(false)
})

test('what was sampled too rarely has no slope', () => {
  expect(() => judgeMemory(course(() => 1).slice(0, 13), blocks)).toThrow('too few')
})
