import { expect, test } from 'vitest'
import { driveMarks } from '../simulation/drive/machine.ts'
import { runSeed } from '../simulation/seed.ts'

test('folders under interruptions: they end equal, nothing that somebody wants is lost, the rare branches are reached', async () => {
  const reached = new Set<string>()
  for (let seed = 1; seed <= 700; seed += 1) {
    const { violations, marks } = await runSeed(seed, 'trees')
    expect([seed, violations]).toEqual([seed, []])
    for (const [label, count] of marks) if (count > 0) reached.add(label)
  }
  expect(driveMarks.filter((label) => !reached.has(label))).toEqual([])
})

test('a world of folders runs twice alike', async () => {
  const [first, second, other] = [await runSeed(7, 'trees'), await runSeed(7, 'trees'), await runSeed(8, 'trees')]
  expect(second.hash).toBe(first.hash)
  expect(other.hash).not.toBe(first.hash)
})
