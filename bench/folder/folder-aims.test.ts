import { expect, test } from 'vitest'
import { sampleOf } from '../harness/sample-fixture.ts'
import { type FolderVerdict, folderAims, folderAimsTable, folderVerdictsOf } from './folder-aims.ts'
import { folderWorkloads } from './folder-options.ts'

test.for([
  ['D1-first', 'wall', 160, 161, 'rsync'],
  ['D1-first', 'wall', 100, 101, 'rsync-ssh'],
  ['D2-first', 'wall', 160, 161, 'rsync'],
  ['D2-first', 'wall', 85, 86, 'rsync-ssh'],
  ['D4-first', 'wall', 150, 151, 'rsync'],
  ['D1-unchanged', 'wall', 150, 151, 'rsync'],
  ['D2-insert', 'wall', 150, 151, 'rsync'],
] as const)('%s %s: %d is met against 100, and %d falls short', ([workload, metric, met, short, than]) => {
  const verdict = (value: number): FolderVerdict | undefined =>
    folderVerdictsOf(
      [sampleOf(workload, than, { [metric]: 100 }), sampleOf(workload, 'plait', { [metric]: value })],
      folderAims.filter((aim) => aim.workload === workload && aim.metric === metric && aim.than === than),
    )[0]
  expect(verdict(met)?.isMet).toBe(true)
  expect(verdict(short)?.isMet).toBe(false)
})

test.for([
  ['D1-first', 'cpu', 2, 2.01],
  ['D3-first', 'wire', 7.6, 7.61],
  ['D1-percent', 'wall', 0.3, 0.31],
  ['D1-percent', 'wire', 0.6, 0.61],
  ['D2-insert', 'wire', 1, 1.01],
  ['D2-insert', 'ofFull', 1, 1.01],
  ['D1-rename', 'wall', 1, 1.01],
  ['D1-rename', 'wire', 0.5, 0.51],
  ['D1-save', 'p50', 100, 101],
  ['D2-killed', 'again', 62, 62.1],
  ['D2-killed', 'partials', 0, 1],
  ['D2-killed', 'orphans', 0, 1],
  ['D1-first', 'peakFar', 150, 151],
  ['D4-first', 'peakNear', 250, 251],
  ['D1-idle', 'runFar', 10, 10.1],
  ['D1-idle', 'rate', 200, 201],
] as const)('%s %s: the figure itself is met at %d and not at %d', ([workload, metric, met, short]) => {
  const aims = folderAims.filter((aim) => aim.workload === workload && aim.metric === metric && aim.than === undefined)
  const verdict = (value: number): boolean | undefined =>
    folderVerdictsOf([sampleOf(workload, 'plait', { [metric]: value })], aims)[0]?.isMet
  expect(verdict(met)).toBe(true)
  expect(verdict(short)).toBe(false)
})

test('an aim is judged by the median of the ratios of the same repeats, and a figure that is no number reaches nothing', () => {
  const aims = [{ workload: 'D1-first', metric: 'wall', most: 1.6, unit: 'x', than: 'rsync' }]
  const repeat = (number: number, ours: number, theirs: number): ReturnType<typeof sampleOf>[] => [
    sampleOf('D1-first', 'rsync', { wall: theirs }, number),
    sampleOf('D1-first', 'plait', { wall: ours }, number),
  ]
  const samples = [...repeat(0, 10, 10), ...repeat(1, 60, 10), ...repeat(2, 150, 100)]
  expect(folderVerdictsOf(samples, aims)).toMatchObject([{ figure: 1.5, isMet: true }])
  expect(folderVerdictsOf(repeat(0, Number.NaN, 10), aims)).toMatchObject([{ isMet: false }])
})

test('where the other tool did not run nothing is said of it, and each aim is of a workload that there is', () => {
  expect(folderVerdictsOf([sampleOf('D4-first', 'rsync', { wall: 1 })])).toEqual([])
  const names = folderWorkloads.map(({ name }) => name)
  expect(folderAims.map(({ workload }) => workload).filter((name) => !names.includes(name))).toEqual([])
})

test('the table says of each aim whether it is met or falls short', () => {
  const samples = [sampleOf('D1-save', 'plait', { p50: 215 }), sampleOf('D1-rename', 'plait', { wire: 0.004, wall: 2 })]
  expect(folderAimsTable(folderVerdictsOf(samples)).split('\n')).toEqual([
    '  D1-rename wall  <= 1 s     2.00 s   falls short',
    '  D1-rename wire  <= 0.5 MB  0.00 MB  met',
    '  D1-save p50     <= 100 ms  215 ms   falls short',
  ])
})
