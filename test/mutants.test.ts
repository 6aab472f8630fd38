import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { readMutants, root, testFolders } from '../scripts/mutants/mutant.ts'
import { misfit } from '../scripts/mutants/tree-copy.ts'

// Whether they are killed is asked by `npm run mutants`, which takes longer.

const mutants = readMutants()

describe('the planted bugs', () => {
  it('are there', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(15)
  })

  it.each(mutants)('$name says what is wrong, and fits to what is there', (mutant) => {
    expect(mutant.bug).toMatch(/^[A-Z].{20,}\.$/)
    expect(mutant.paths.length).toBeGreaterThan(0)
    for (const path of mutant.paths) {
      expect(path).toMatch(/^src\/(?!.*\.test\.ts)/)
      expect(existsSync(root + path), path).toBe(true)
    }
    expect(testFolders(mutant)).not.toEqual([])
    expect(misfit(mutant)).toBe(undefined)
  })
})
