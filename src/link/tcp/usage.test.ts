import { expect, it } from 'vitest'
import { Usage } from './usage.ts'

/** Uses `ms` of every `periodMs` for 10 s; returns how often others had to be let go first. */
function rests(ms: number, periodMs: number, sharing: number): number {
  const usage = new Usage()
  let count = 0
  for (let now = periodMs; now <= 10_000; now += periodMs) {
    if (!usage.spend(ms, now, sharing)) continue
    count += 1
    usage.rested(now)
  }
  return count
}

it('rests after 3 ms of work that does not stop, and never when little is used', () => {
  expect(rests(1, 1, 0)).toBeGreaterThan(2_000)
  expect(rests(1, 1, 0)).toBeLessThan(10_000 / 3)
  expect(rests(0.1, 2, 0)).toBe(0)
  expect(rests(0.1, 2, 4)).toBe(0)
})

it('counts as little the less, the more there are that share', () => {
  expect(rests(0.2, 1, 0)).toBe(0)
  expect(rests(0.2, 1, 10)).toBeGreaterThan(500)
})

it('is busy from its first rest until it has calmed down, however long the rest', () => {
  const usage = new Usage()
  usage.spend(3, 3, 0)
  expect(usage.busy).toBe(false)
  expect(usage.spend(2, 5, 0)).toBe(true)
  usage.rested(500)
  usage.spend(1, 501, 0)
  expect(usage.busy).toBe(true)
  usage.spend(0.1, 520, 0)
  expect(usage.busy).toBe(false)
})

it('forgets in time', () => {
  const usage = new Usage()
  usage.spend(8, 1_000, 0)
  expect(usage.recentMs(1_000)).toBe(8)
  expect(usage.recentMs(2_000)).toBeCloseTo(4)
  expect(usage.recentMs(4_000)).toBeCloseTo(1)
  usage.spend(1, 4_000, 0)
  expect(usage.recentMs(4_000)).toBeCloseTo(2)
})

it('tells content from orders by what was moved for the time', () => {
  const usage = new Usage()
  usage.spend(1, 1, 1)
  expect(usage.content).toBe(false)
  usage.move(1024 * 1024)
  expect(usage.content).toBe(true)
  usage.spend(20, 21, 1)
  expect(usage.content).toBe(false)
})
