import { expect, it } from 'vitest'
import { crashFeeds } from './crashes.ts'

it('no state that a power cut can leave loses a block that was acknowledged, or proves a wrong one', async () => {
  const { states, violations } = await crashFeeds(1_000)
  expect(violations).toEqual([])
  expect(states).toBe(1_000)
})
