import { expect, it } from 'vitest'
import { describeEnumeration, enumerateCrashes } from './crash-enumeration.ts'

// All 50,000 and more: `npm run torture -- --only S1`.

it('loses nothing that was acknowledged, shows nothing twice and all in order, whatever a power cut leaves', async () => {
  const enumeration = await enumerateCrashes(4_000, 160)
  process.stdout.write(`${describeEnumeration(enumeration)}\n`)
  expect(enumeration.violations).toEqual([])
  expect(enumeration.states).toBeGreaterThanOrEqual(4_000)
  for (const [phase, count] of enumeration.statesByPhase) expect(count, phase).toBeGreaterThan(0)
  for (const mark of ['segment filled', 'commits shared a sync', 'torn tail cut', 'segment compacted']) {
    expect(enumeration.marks.get(mark), mark).toBeGreaterThan(0)
  }
})
