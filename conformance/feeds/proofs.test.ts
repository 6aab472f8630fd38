import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { mutateProofs } from '../../test/feed/proof-mutants.ts'
import { count } from '../counts.ts'
import { seed } from '../seed.ts'

describe('F1 proofs', () => {
  it(`a million that were mutated: none is accepted (seed ${seed})`, { timeout: 300_000 }, () => {
    const amount = count(1_000_000, 20_000)
    const { tried, accepted } = mutateProofs(new SeededRandom(seed), amount)
    expect(accepted).toEqual([])
    expect(tried).toBe(amount)
  })
})
