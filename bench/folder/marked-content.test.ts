import { expect, test } from 'vitest'
import { markedContent, markOf } from './marked-content.ts'

test('a content says whose it is, also when it is too short for that', () => {
  expect(markOf(markedContent('near-17', 5_000))).toBe('near-17')
  expect(markOf(markedContent('far-3', 2))).toBe('far-3')
  expect(markedContent('near-1', 5_000)).not.toEqual(markedContent('near-2', 5_000))
})

test.for<[string, (content: Uint8Array) => Uint8Array]>([
  ['cut off', (content) => content.subarray(0, 4_000)],
  ['longer', (content) => Uint8Array.from([...content, 0])],
  ['changed', (content) => content.with(3_000, (content[3_000] ?? 0) ^ 1)],
  ['empty', () => new Uint8Array()],
  ['without its first line', (content) => content.subarray(20)],
])('one that is %s is of nobody', ([, harm]) => {
  expect(markOf(harm(markedContent('near-17', 5_000)))).toBeUndefined()
})
