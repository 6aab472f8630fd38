import { describe, expect, it } from 'vitest'
import { kinds, kindsOf, outcome, pairs } from './mailbox-pairs.ts'

describe('R2 two operations on a mailbox that do not know of each other', () => {
  it.each(pairs.map((pair) => [`${pair.left[0]} / ${pair.right[0]}`, pair] as const))('%s', (_title, pair) => {
    expect(outcome(pair)).toBe(pair.mailbox)
  })

  it('are all of 28 pairs', () => {
    const expected = kinds.flatMap((left, index) => kinds.slice(index).map((right) => `${left} ${right}`))
    expect(expected).toHaveLength(28)
    expect([...new Set(pairs.map((pair) => kindsOf(pair).join(' ')))]).toEqual(expected)
  })
})
