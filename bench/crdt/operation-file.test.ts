import { expect, test } from 'vitest'
import { joinOperations, splitOperations } from './operation-file.ts'

test('what is joined is split again, wherever it lies', () => {
  const operations = [Uint8Array.of(1, 2, 3), new Uint8Array(0), new Uint8Array(300).fill(7)]
  const joined = joinOperations(operations)
  const within = new Uint8Array(joined.length + 5)
  within.set(joined, 5)
  expect(splitOperations(joined)).toEqual(operations)
  expect(splitOperations(within.subarray(5))).toEqual(operations)
  expect(splitOperations(joinOperations([]))).toEqual([])
})
