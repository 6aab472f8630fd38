import { expect, test } from 'vitest'
import { messageMarks } from '../../src/runtime/marks.ts'
import { runSeed } from '../../src/testing/index.ts'
import type { World } from '../../src/testing/index.ts'
import { messageScenario } from './messages.ts'

test('messages under faults: every exchange settles once, typed, and leaves nothing; the rare branches are reached', async () => {
  const reached = new Set<string>()
  const scenario = async (world: World): Promise<void> => {
    await messageScenario(world)
    for (const [label, count] of world.probe.counts()) if (count > 0) reached.add(label)
  }
  for (let seed = 1; seed <= 38; seed += 1) {
    const { violations } = await runSeed(seed, scenario)
    expect([seed, violations]).toEqual([seed, []])
  }
  expect([...reached]).toEqual(expect.arrayContaining([...messageMarks]))
})
