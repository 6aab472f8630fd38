import { expect, test } from 'vitest'
import { Sequence, stamp } from './sequence.ts'

function message(number: number, bytes = 100): Uint8Array {
  const stamped = new Uint8Array(bytes)
  stamp(stamped, number)
  return stamped
}

function take(sequence: Sequence, ...numbers: number[]): void {
  for (const number of numbers) sequence.take(message(number), 0, 100)
}

test('messages in order add up, and the next train begins at 0', () => {
  const sequence = new Sequence(100)
  take(sequence, 0, 1, 2)
  sequence.finish(3)
  take(sequence, 0)
  expect(sequence.taken).toBe(1)
  sequence.finish(1)
  expect(sequence.taken).toBe(0)
})

test.for([
  ['missing', [0, 2]],
  ['twice', [0, 0]],
  ['out of order', [1, 0]],
] as const)('a message that is %s fails', ([, numbers]) => {
  expect(() => take(new Sequence(100), ...numbers)).toThrow('expected message')
})

test('a message with another length, or with a torn end, fails', () => {
  expect(() => new Sequence(100).take(message(0, 99), 0, 99)).toThrow('99 bytes')
  const torn = message(0)
  torn[99] = 1
  expect(() => new Sequence(100).take(torn, 0, 100)).toThrow('expected message 0')
})

test('a train that ends early fails', () => {
  const sequence = new Sequence(100)
  take(sequence, 0, 1)
  expect(() => sequence.finish(3)).toThrow('took 2 messages')
})
