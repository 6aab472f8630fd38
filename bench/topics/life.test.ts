import { expect, it } from 'vitest'
import { judgeLives, Life } from './life.ts'

function life(number: number, beganMs: number, endedMs: number = Infinity): Life {
  const one = new Life(number, `n${number}`)
  one.beganMs = beganMs
  one.endedMs = endedMs
  return one
}

it('a message has to reach whoever lived from 5 s before it until 10 s after, if its author lived as long', () => {
  const author = life(1, 0)
  const hurried = life(2, 0, 19_999)
  const others = [life(3, 5_000), life(4, 5_001), life(5, 0, 20_500), life(6, 0, 21_000)]
  author.published.push({ number: 1, atMs: 10_000 })
  hurried.published.push({ number: 1, atMs: 10_000 })
  const { messages, deliveries, failures } = judgeLives([author, hurried, ...others])
  expect([messages, deliveries]).toEqual([1, 2])
  expect(failures).toEqual([expect.stringContaining('not reached n3 (life 3), n6 (life 6)')])
  for (const one of others) one.hear('1/1')
  expect(judgeLives([author, hurried, ...others]).failures).toEqual([])
})

it('what was heard twice in one life is a failure, whoever was owed it', () => {
  const [author, other] = [life(1, 0), life(2, 0)]
  for (const key of ['1/1', '1/2', '1/1']) other.hear(key)
  expect(judgeLives([author, other]).failures).toEqual(['n2 (life 2) has heard 1/1 more than once'])
})
