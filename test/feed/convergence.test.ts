import { expect, it } from 'vitest'
import { converge } from './convergence.ts'

// Worlds of nodes with nothing but synchronizers, by seed.
it('all worlds converge, and nothing is stored twice, wrong or unasked', () => {
  const failed: unknown[] = []
  let messages = 0
  for (let seed = 1; seed <= 60; seed += 1) {
    const world = converge(seed)
    messages += world.messages
    if (world.violations.length > 0) failed.push([seed, ...world.violations])
  }
  expect(failed).toEqual([])
  expect(messages).toBeGreaterThan(20_000)
})
