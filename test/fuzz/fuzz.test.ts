import { describe, expect, it } from 'vitest'
import { runBatch } from './batch.ts'
import { isAllowed, outcomes, rows, states, Tally } from './state-table.ts'

describe('mutants of honest frames (X1)', () => {
  it('end what they are wrong for, typed, and leave nothing behind; every cell of the state table is met', async () => {
    const { failures, mutants, passed, counts } = await runBatch({ from: 1, count: 16_000 })
    for (const { life, mistakes } of failures) expect(mistakes, `npm run fuzz -- --seed ${life} --lives 1`).toEqual([])
    expect(passed / mutants).toBeGreaterThan(0.5)
    expect(mutants).toBeGreaterThan(50_000)
    const tally = new Tally()
    tally.merge(counts)
    expect(tally.missing).toEqual([])
  }, 300_000)

  it('follow from their seed', async () => {
    expect(await runBatch({ from: 77, count: 50 })).toEqual(await runBatch({ from: 77, count: 50 }))
  })
})

describe('the state table', () => {
  it('misses what was not seen', () => {
    const tally = new Tally()
    for (const row of rows)
      for (const state of states)
        for (const outcome of outcomes) if (isAllowed(row, state, outcome)) tally.add(row, state, outcome)
    expect(tally.missing).toEqual([])
    tally.counts.delete('MORE reassembling taken')
    expect(tally.missing).toEqual(['MORE reassembling taken'])
  })
})
