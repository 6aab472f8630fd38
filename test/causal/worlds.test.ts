import { expect, test } from 'vitest'
import { runSeed } from '../simulation/seed.ts'

/** What some worlds reach; `npm run sim -- --seeds 1000 --world groups` says whether it has reached the rarer ones, too. */
const common = [
  'operation set aside that cannot be carried out',
  'operation waited for a dot',
  'replayed after a restart',
  'took another feed',
]

test(
  'groups under faults: in causal order, each once, nothing lost, all level in the end',
  { timeout: 120_000 },
  async () => {
    const reached = new Set<string>()
    for (let seed = 1; seed <= 10; seed += 1) {
      const { violations, marks } = await runSeed(seed, 'groups')
      expect([seed, violations]).toEqual([seed, []])
      for (const [label, count] of marks) if (count > 0) reached.add(label)
    }
    expect(common.filter((label) => !reached.has(label))).toEqual([])
  },
)

test('a world of groups runs twice alike', { timeout: 60_000 }, async () => {
  const [first, second, other] = [await runSeed(7, 'groups'), await runSeed(7, 'groups'), await runSeed(8, 'groups')]
  expect([second.hash, second.events]).toEqual([first.hash, first.events])
  expect(other.hash).not.toBe(first.hash)
})
