import { expect, it } from 'vitest'
import { crashFeeds } from './crashes.ts'

it('no state that a power cut can leave loses a block that was acknowledged, or proves a wrong one', async () => {
  const { states, violations } = await crashFeeds(1_000)
  expect(violations).toEqual([])
  expect(states).toBe(1_000)
})

it('a checkpoint between the commits of two feeds forgets neither of them', async () => {
  const kinds = ['both', 'append', 'append', 'append', 'append', 'append', 'append'] as const
  const { violations } = await crashFeeds(100, { kinds, isStrict: true })
  expect(violations).toEqual([])
})

it('what is dropped with a beginning that is not kept is not needed, also where only the log is left', async () => {
  const kinds = ['append', 'fetch', 'fetch', 'clear', 'clear', 'compact', 'reopen'] as const
  const { violations } = await crashFeeds(600, { kinds, isStrict: true })
  expect(violations).toEqual([])
})
