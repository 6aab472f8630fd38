import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { fillTables } from '../../scripts/protocol/fill.ts'
import { conflictTables } from '../../scripts/protocol/conflict-tables.ts'
import { foldedOutcome, kinds, outcome, pairs } from './conflict-pairs.ts'

describe('two changes in folders that do not know of each other', () => {
  it.each(pairs.map((pair) => [`${pair.left[1]} / ${pair.right[1]}`, pair] as const))('%s', (_title, pair) => {
    expect(outcome(pair)).toBe(pair.folder)
    if (pair.folded !== undefined) expect(foldedOutcome(pair)).toBe(pair.folded)
  })

  it('are of every pair but create and edit, or create and mode, which do not meet', () => {
    const all = kinds.flatMap((left, index) => kinds.slice(index).map((right) => `${left} ${right}`))
    const met = new Set(pairs.map(({ left, right }) => [left[0], right[0]].sort(byKind).join(' ')))
    expect(all.filter((pair) => !met.has(pair))).toEqual(['create edit', 'create mode'])
  })
})

it('DRIVE.md has the table that follows from the code', () => {
  const page = readFileSync(new URL('../../DRIVE.md', import.meta.url), 'utf8')
  expect(fillTables(page, conflictTables())).toBe(page)
})

function byKind(left: (typeof kinds)[number], right: (typeof kinds)[number]): number {
  return kinds.indexOf(left) - kinds.indexOf(right)
}
