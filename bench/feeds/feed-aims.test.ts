import { expect, test } from 'vitest'
import { sampleOf } from '../harness/sample-fixture.ts'
import { type FeedVerdict, feedAims, feedAimsTable, feedVerdictsOf } from './feed-aims.ts'
import { feedWorkloads } from './feed-options.ts'

test.for([
  ['A1-awaited', 'rate', 100, 99, 'hypercore'],
  ['A2-awaited', 'rate', 300, 299, 'hypercore'],
  ['A3-in-flight', 'rate', 300, 299, 'hypercore'],
  ['A4-awaited', 'rate', 300, 299, 'hypercore'],
  ['R1', 'rate', 500, 499, 'hypercore'],
  ['R2', 'rate', 60, 59, 'tls'],
  ['R3', 'rate', 500, 499, 'hypercore'],
  ['R4', 'rate', 100, 99, 'hypercore'],
  ['R1', 'peakFetch', 100, 101, 'hypercore'],
  ['O1', 'open', 100, 101, 'hypercore'],
  ['D1', 'disk64KiB', 100, 101, 'hypercore'],
] as const)('%s %s: %d holds against 100, and %d falls short', ([workload, metric, holds, short, than]) => {
  const verdict = (value: number): FeedVerdict | undefined =>
    feedVerdictsOf(
      [sampleOf(workload, than, { [metric]: 100 }), sampleOf(workload, 'plait', { [metric]: value })],
      feedAims.filter((aim) => aim.workload === workload && aim.metric === metric && aim.than === than),
    )[0]
  expect(verdict(holds)?.holds).toBe(true)
  expect(verdict(short)?.holds).toBe(false)
})

test.for([
  ['R1', 'wireShare', 1.25, 1.26],
  ['R3', 'roundTrips', 15, 15.1],
  ['R4', 'kept', 0.8, 0.79],
] as const)('%s %s: the figure itself holds at %d and not at %d', ([workload, metric, holds, short]) => {
  const aims = feedAims.filter((aim) => aim.workload === workload && aim.metric === metric)
  const verdict = (value: number): boolean | undefined =>
    feedVerdictsOf([sampleOf(workload, 'plait', { [metric]: value })], aims)[0]?.holds
  expect(verdict(holds)).toBe(true)
  expect(verdict(short)).toBe(false)
})

test('an aim is judged by the median of the ratios of the same repeats, and a figure that is no number reaches nothing', () => {
  const aims = [{ workload: 'R1', metric: 'rate', bound: 'least', value: 5, than: 'hypercore' }] as const
  const repeat = (number: number, ours: number, theirs: number): ReturnType<typeof sampleOf>[] => [
    sampleOf('R1', 'hypercore', { rate: theirs }, number),
    sampleOf('R1', 'plait', { rate: ours }, number),
  ]
  const samples = [...repeat(0, 10, 10), ...repeat(1, 60, 10), ...repeat(2, 550, 100)]
  expect(feedVerdictsOf(samples, aims)).toMatchObject([{ figure: 5.5, holds: true }])
  expect(feedVerdictsOf(repeat(0, Number.NaN, 10), aims)).toMatchObject([{ holds: false }])
})

test('where the rival did not run nothing is said of it, and each aim is of a workload that there is', () => {
  expect(feedVerdictsOf([sampleOf('A2-awaited', 'plait', { rate: 1, peak: 1 })])).toEqual([])
  const names = feedWorkloads.map(({ name }) => name)
  expect(feedAims.map(({ workload }) => workload).filter((name) => !names.includes(name))).toEqual([])
})

test('the table says of each aim whether it holds or falls short', () => {
  const samples = [sampleOf('R2', 'tls', { rate: 100 }), sampleOf('R2', 'plait', { rate: 59 })]
  const [aim] = feedAims.filter(({ than, workload }) => than === 'tls' && workload === 'R2')
  expect(feedAimsTable(feedVerdictsOf(samples, aim === undefined ? [] : [aim]))).toBe(
    '  R2 rate  >= 0.6x tls  0.59x  falls short',
  )
})
