import { expect, test } from 'vitest'
import { aimsTable, verdictsOf, withAims } from './aims.ts'
import { rowsOf } from './rows.ts'
import { sampleOf } from './sample-fixture.ts'

test.for([
  ['W1', 'p50', 115, 116],
  ['W2', 'rate', 78, 77],
  ['W3', 'rate', 70, 69],
  ['W3', 'cpu', 140, 141],
  ['W4', 'rate', 95, 94],
  ['W5', 'rate', 25, 24],
  ['W6', 'rate', 90, 89],
  ['W7', 'p99', 30, 31],
  ['W7', 'bulk', 80, 79],
] as const)('the aim for %s %s is met at %d % of tls and not at %d', ([workload, metric, meets, misses]) => {
  const all = { p50: 100, p99: 100, rate: 100, bulk: 100, cpu: 100, memoryDial: 100, memoryListen: 100 }
  const met = (value: number): boolean | undefined =>
    verdictsOf([sampleOf(workload, 'tls', all), sampleOf(workload, 'plait', { ...all, [metric]: value })]).find(
      (verdict) => verdict.metric === metric,
    )?.met
  expect(met(meets)).toBe(true)
  expect(met(misses)).toBe(false)
})

test('memory for each circuit has an aim in bytes, for each side, whatever tls takes', () => {
  const samples = [sampleOf('W5', 'plait', { rate: 1, memoryDial: 1_500, memoryListen: 1_501 })]
  expect(verdictsOf(samples).map(({ metric, met }) => [metric, met])).toEqual([
    ['memoryDial', true],
    ['memoryListen', false],
  ])
})

test('plait-iterator has an aim of its own in W3', () => {
  const samples = [sampleOf('W3', 'tls', { rate: 100, cpu: 1 }), sampleOf('W3', 'plait-iterator', { rate: 41, cpu: 9 })]
  expect(verdictsOf(samples)).toMatchObject([{ peer: 'plait-iterator', metric: 'rate', figure: 0.41, met: true }])
})

test('plait-topics has an aim of its own in W6', () => {
  const samples = [sampleOf('W6', 'tls', { rate: 100, cpu: 1 }), sampleOf('W6', 'plait-topics', { rate: 79, cpu: 9 })]
  expect(verdictsOf(samples)).toMatchObject([{ peer: 'plait-topics', metric: 'rate', figure: 0.79, met: false }])
})

test('the table says of each aim whether it is met or falls short, and the rows of the JSON say it too', () => {
  const samples = [sampleOf('W4', 'tls', { rate: 100, cpu: 1 }), sampleOf('W4', 'plait', { rate: 90, cpu: 1.2 })]
  const verdicts = verdictsOf(samples)
  const [rate, cpu] = aimsTable(verdicts).split('\n')
  expect(rate).toMatch(/W4 rate +plait +>= 0\.95x +0\.90x +falls short/)
  expect(cpu).toMatch(/W4 cpu +plait +<= 1\.4x +1\.20x +met/)
  const rows = withAims(rowsOf(samples), verdicts)
  expect(rows.find(({ peer, metric }) => peer === 'plait' && metric === 'rate')).toMatchObject({
    aim: '>= 0.95x',
    met: false,
  })
  expect(rows.find(({ peer }) => peer === 'tls')).not.toHaveProperty('aim')
})
