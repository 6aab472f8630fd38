import { expect, it } from 'vitest'
import { GroupQueue } from './group-queue.ts'

it('gives each group one turn after another, and each its oldest first', () => {
  const queue = new GroupQueue<string>()
  for (let index = 0; index < 4; index += 1) queue.push('a', `a${index}`)
  queue.push('b', 'b0')
  queue.push('c', 'c0')
  expect(queue.shift()).toBe('a0')
  queue.push('b', 'b1')
  expect([1, 2, 3, 4, 5, 6].map(() => queue.shift())).toEqual(['b0', 'c0', 'a1', 'b1', 'a2', 'a3'])
  expect([queue.shift(), queue.length]).toEqual([undefined, 0])
})

it('forgets what is taken out, once', () => {
  const queue = new GroupQueue<string>()
  queue.push('a', 'a0')
  queue.push('a', 'a1')
  queue.push('b', 'b0')
  queue.remove('a', 'a0')
  queue.remove('a', 'a0')
  queue.remove('c', 'a1')
  expect(queue.length).toBe(2)
  expect([queue.shift(), queue.shift(), queue.shift()]).toEqual(['a1', 'b0', undefined])
})
