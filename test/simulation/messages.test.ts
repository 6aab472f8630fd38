import { expect, test } from 'vitest'
import { runSeed } from '../../src/testing/index.ts'
import type { World } from '../../src/testing/index.ts'
import { messageScenario } from './messages.ts'

test('messages under faults: every exchange settles once, typed, and leaves nothing; the rare branches are reached', async () => {
  const reached = new Set<string>()
  const scenario = async (world: World): Promise<void> => {
    await messageScenario(world)
    for (const [label, count] of world.probe.counts()) if (count > 0) reached.add(label)
  }
  for (let seed = 1; seed <= 30; seed += 1) {
    const { violations } = await runSeed(seed, scenario)
    expect([seed, violations]).toEqual([seed, []])
  }
  expect([...reached]).toEqual(
    expect.arrayContaining([
      'deadline reached',
      'exchanges lost with their circuit',
      'late answer dropped',
      'requests waiting at their limit',
      'reset after the end',
      'resets crossed',
      'stream closed by both',
      'stream credit restored',
      'stream ended by the end of its handler',
    ]),
  )
})
