import { expect, it } from 'vitest'
import { convergeChunks } from './chunk-convergence.ts'

it('everybody has the chunks that it wants, each once, whatever happened before', { timeout: 120_000 }, () => {
  for (let seed = 0; seed < 60; seed += 1) expect([seed, ...convergeChunks(seed)]).toEqual([seed])
})
