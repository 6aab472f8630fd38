import { expect, test } from 'vitest'
import { runSeed } from './seed.ts'

/** What some twenty worlds reach; `npm run sim -- --seeds 1000 --world feeds` says whether it has reached the rarer ones, too. */
const common = [
  'append refused after a failed sync',
  'append refused by a full disk',
  'blocks signed when their feed was opened',
  'checkpoint missing',
  'checkpoint used',
  'circuit for feeds gave way to the one of the chair',
  'circuit for feeds was one too many',
  'cut back after a failed write',
  'fetched blocks not stored',
  'segment filled',
  'sync failed',
  'truncated by its writer',
  'truncated elsewhere',
]

test('feeds under faults: nothing is lost, forged or left undone; the branches of failures are reached', async () => {
  const reached = new Set<string>()
  for (let seed = 1; seed <= 16; seed += 1) {
    const { violations, marks } = await runSeed(seed, 'feeds')
    expect([seed, violations]).toEqual([seed, []])
    for (const [label, count] of marks) if (count > 0) reached.add(label)
  }
  expect(common.filter((label) => !reached.has(label))).toEqual([])
})

test('a world of feeds runs twice alike', async () => {
  const [first, second, other] = [await runSeed(7, 'feeds'), await runSeed(7, 'feeds'), await runSeed(8, 'feeds')]
  expect([second.hash, second.events]).toEqual([first.hash, first.events])
  expect(other.hash).not.toBe(first.hash)
})
