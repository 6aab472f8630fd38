import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Queue } from './queue.ts'

test('agrees with an array, whatever is done to it, long and short', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 1_500 }) }),
    fc.record({ kind: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3 }) }),
    fc.record({
      kind: fc.constantFrom('shift' as const, 'remove' as const),
      count: fc.integer({ min: 1, max: 1_800 }),
    }),
    fc.record({ kind: fc.constant('clear' as const), count: fc.constant(1) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const queue = new Queue<number>()
      let model: number[] = []
      let next = 0
      for (const { kind, count } of steps) {
        if (kind === 'push') {
          for (let index = 0; index < count; index += 1) {
            queue.push(next)
            model.push(next)
            next += 1
          }
        } else if (kind === 'shift') {
          const taken = Array.from({ length: count }, () => queue.shift())
          expect(taken).toEqual(Array.from({ length: count }, (_, index) => model[index]))
          model = model.slice(count)
        } else if (kind === 'remove') {
          const item = model[count % (model.length + 1)] ?? -1
          expect(queue.remove(item)).toBe(model.includes(item))
          model = model.filter((other) => other !== item)
        } else {
          queue.clear()
          model = []
        }
        expect(queue.length).toBe(model.length)
        expect([queue.peek(), queue.last(), queue.at(1), queue.at(model.length)]).toEqual([
          model[0],
          model.at(-1),
          model[1],
          undefined,
        ])
      }
      expect([...queue]).toEqual(model)
    }),
    { numRuns: 60 },
  )
})
