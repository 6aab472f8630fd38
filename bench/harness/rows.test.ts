import { expect, test } from 'vitest'
import { ratioBetween, rowsOf, type Sample, spreadOf } from './rows.ts'

function sample(peer: string, repeat: number, rate: number): Sample {
  const proof = { dial: [], listen: [] }
  return {
    workload: 'W3',
    peer,
    repeat,
    scale: 1,
    version: 'v',
    settings: 's',
    proof,
    profile: { dial: [], listen: [] },
    measures: [{ metric: 'rate', unit: 'msg/s', value: rate }],
  }
}

test('a ratio is the median of the ratios of each repeat, not the ratio of the medians', () => {
  const samples = [
    sample('tls', 0, 100),
    sample('plait', 0, 50),
    sample('tls', 1, 10),
    sample('plait', 1, 9),
    sample('tls', 2, 40),
    sample('plait', 2, 28),
  ]
  expect(ratioBetween(samples, 'W3', 'rate', 'plait', 'tls')).toEqual({ median: 0.7, min: 0.5, max: 0.9 })
  const plait = rowsOf(samples).find(({ peer }) => peer === 'plait')
  expect(plait).toMatchObject({
    median: 28,
    min: 9,
    max: 50,
    ratioToTls: 0.7,
    ratioMin: 0.5,
    ratioMax: 0.9,
    repeats: 3,
  })
})

test('repeats are matched by their number, whatever order they come in', () => {
  const samples = [sample('plait', 1, 30), sample('tls', 0, 100), sample('tls', 1, 60), sample('plait', 0, 20)]
  expect(ratioBetween(samples, 'W3', 'rate', 'plait', 'tls')).toEqual({ median: 0.35, min: 0.2, max: 0.5 })
})

test('without tls there is no ratio', () => {
  expect(rowsOf([sample('net', 0, 5)])).toMatchObject([
    { peer: 'net', median: 5, ratioToTls: null, ratioMin: null, ratioMax: null },
  ])
})

test('the median of an even number of values is the mean of the middle two', () => {
  expect(spreadOf([4, 1, 3, 2])).toEqual({ median: 2.5, min: 1, max: 4 })
})
