import { expect, it } from 'vitest'
import { SeededRandom } from './random.ts'

it('is the published generator: the outputs of the reference code for the state 1, 2, 3, 4', () => {
  const random = SeededRandom.fromState(1, 2, 3, 4)
  const reference = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ]
  expect(reference.map(() => random.uint32())).toEqual(reference)
})

it('gives the same stream for the same seed, and another one for another', () => {
  const stream = (seed: string | number): string =>
    Array.from(
      { length: 50 },
      (
        (random) => () =>
          random.uint32()
      )(new SeededRandom(seed)),
    ).join()
  const streams = new Set<string>()
  for (let seed = 0; seed < 2_000; seed += 1) streams.add(stream(seed))
  expect(streams.size).toBe(2_000)
  expect(stream(7)).toBe(stream('7'))
})

it('forks streams that do not disturb the one they come from', () => {
  const plain = new SeededRandom(1)
  const forked = new SeededRandom(1)
  plain.fork('a')
  const child = forked.fork('a')
  for (let index = 0; index < 100; index += 1) child.uint32()
  expect(forked.uint32()).toBe(plain.uint32())
  expect(new SeededRandom(1).fork('a').uint32()).not.toBe(new SeededRandom(1).fork('b').uint32())
})

it('keeps to its ranges and fills them', () => {
  const random = new SeededRandom('ranges')
  const counts = new Array<number>(6).fill(0)
  for (let index = 0; index < 6_000; index += 1) counts[random.integer(0, 5)]! += 1
  for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150)
  for (let index = 0; index < 1_000; index += 1) {
    const value = random.logarithmic(1, 50)
    expect(value >= 1 && value < 50).toBe(true)
  }
  expect(random.shuffle([1, 2, 3, 4, 5]).sort()).toEqual([1, 2, 3, 4, 5])
  expect([0, 1, 5, 4_096].map((length) => random.bytes(length).length)).toEqual([0, 1, 5, 4_096])
})
