import { expect, it } from 'vitest'
import { runTreeWorld } from './world.ts'

it('trees', () => {
  const from = Number(process.env['SEED'] ?? 1)
  const count = Number(process.env['COUNT'] ?? 300)
  let bad = 0
  for (let seed = from; seed < from + count; seed += 1) {
    const log: string[] = []
    let outcome
    try {
      outcome = runTreeWorld(seed, (line) => log.push(line))
    } catch (error) {
      console.log(log.join('\n'), seed, error)
      throw error
    }
    if (outcome.violations.length > 0) {
      bad += 1
      console.log(seed, outcome.violations.join('\n').slice(0, 1500))
      if (count === 1) console.log(log.join('\n'))
    }
  }
  expect(bad).toBe(0)
})
