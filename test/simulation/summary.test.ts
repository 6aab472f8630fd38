import { expect, it } from 'vitest'
import { summarize } from './summary.ts'

const result = {
  seed: 1,
  hash: 'x',
  violations: [],
  events: 5,
  delivered: 7,
  faults: 3,
  nodes: 3,
  virtualMs: 1,
  marks: [],
}

it('summarizes in one line', () => {
  const marked = { ...result, marks: [['rare', 0] as const, ['frequent', 9] as const] }
  expect(summarize([marked, { ...marked, events: 50, delivered: 70, faults: 30, violations: ['bad'] }], 1.25)).toBe(
    `seeds 2; violations 1; marks 1/2, missed 'rare'; median events 50; fragments 70; faults 30; seconds 1.3`,
  )
})
