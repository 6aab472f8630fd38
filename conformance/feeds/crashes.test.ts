import { expect, it } from 'vitest'
import { crashFeeds } from '../../test/feed/storage/crashes.ts'
import { count } from '../counts.ts'

it('S1: no state of a store of feeds that a power cut can leave loses a block, or proves a wrong one', async () => {
  const { states, violations } = await crashFeeds(count(50_000))
  process.stdout.write(`${states} states, ${violations.length} violations\n`)
  expect(violations).toEqual([])
  expect(states).toBeGreaterThanOrEqual(count(50_000))
}, 1_800_000)
