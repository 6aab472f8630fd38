import { expect, test } from 'vitest'
import { feedMarks, storeMarks } from '../../src/runtime/marks.ts'
import { runSeed } from './seed.ts'
import { feedWorldMarks } from './feeds/world-marks.ts'

/** These take hundreds of worlds; `npm run sim` says whether it has reached them. */
const rare: ReadonlySet<string> = new Set(['nodes computed anew'])

test('feeds under faults: nothing is lost, forged or left undone; the rare branches are reached', async () => {
  const reached = new Set<string>()
  for (let seed = 1; seed <= 24; seed += 1) {
    const { violations, marks } = await runSeed(seed, 'feeds')
    expect([seed, violations]).toEqual([seed, []])
    for (const [label, count] of marks) if (count > 0) reached.add(label)
  }
  const due = [...feedMarks, ...storeMarks, ...feedWorldMarks].filter((label) => !rare.has(label))
  expect(due.filter((label) => !reached.has(label))).toEqual([])
})

test('a world of feeds runs twice alike', async () => {
  const [first, second, other] = [await runSeed(7, 'feeds'), await runSeed(7, 'feeds'), await runSeed(8, 'feeds')]
  expect([second.hash, second.events]).toEqual([first.hash, first.events])
  expect(other.hash).not.toBe(first.hash)
})
