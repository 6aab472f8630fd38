import { describe, expect, it } from 'vitest'
import { histories, runHistories } from './all-uses.ts'

describe('operations in any causal order, states and deltas in any order lead to the same', () => {
  it.each(Object.keys(histories))('%s', (name) => {
    expect(() => runHistories(name, 0, 100)).not.toThrow()
  })
})
