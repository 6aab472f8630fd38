import fc from 'fast-check'
import { expect, it } from 'vitest'
import { startProgress } from '../drive/progress.ts'
import { jsonLine, printable } from './printable.ts'
import { progressLine } from './drive/drive-line.ts'
import { Rate } from './rate.ts'
import { countOf, formatBytes, formatCount, formatDuration } from './units.ts'

it.each([
  ['plain name', 'plain name'],
  ['ünï 日本語 \u{1f600}', 'ünï 日本語 \u{1f600}'],
  ['a\nb\tc\rd', 'a\\nb\\tc\\rd'],
  ['\u001b[31mred\u0007', '\\e[31mred\\x07'],
  ['\u009b2J\u007f', '\\x9b2J\\x7f'],
  ['safe\u202egpj.exe', 'safe\\u{202e}gpj.exe'],
  ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
  ['line\u2028paragraph\u2029', 'line\\u{2028}paragraph\\u{2029}'],
  ['half \ud800', 'half \\u{d800}'],
])('shows %j as %j', (text, shown) => {
  expect(printable(text)).toBe(shown)
})

it('lets nothing through that moves a cursor, and keeps JSON what it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (path) => {
      const control = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/
      expect(printable(path)).not.toMatch(control)
      const line = jsonLine({ event: 'problem', path })
      expect(line).not.toMatch(control)
      expect(JSON.parse(line)).toEqual({ event: 'problem', path })
    }),
  )
})

it('writes sizes, durations and counts for people', () => {
  expect([0, 999, 1_000, 4_096, 46_068_616, 999_499_999, 999_500_000, 1_073_741_824, 2 ** 53].map(formatBytes)).toEqual(
    ['0 B', '999 B', '1.00 kB', '4.10 kB', '46.1 MB', '999 MB', '1.00 GB', '1.07 GB', '9.01 PB'],
  )
  expect([-5, 0, 449, 9_949, 12_300, 59_499, 185_000, 7_440_000].map(formatDuration)).toEqual([
    '0.0 s',
    '0.0 s',
    '0.4 s',
    '9.9 s',
    '12 s',
    '59 s',
    '3 min 5 s',
    '2 h 4 min',
  ])
  expect([formatCount(1_234_567), countOf(1, 'file'), countOf(2_000, 'entry', 'entries')]).toEqual([
    '1,234,567',
    '1 file',
    '2,000 entries',
  ])
})

it('tells speed from the last seconds only', () => {
  const rate = new Rate(5_000)
  rate.add(0, 0, 0)
  expect([rate.bytesPerSecond, rate.leftMs(1, 1)]).toEqual([0, undefined])
  for (let second = 1; second <= 20; second += 1)
    rate.add(second * 1_000, second, second <= 10 ? 0 : (second - 10) * 1_000_000)
  expect(rate.bytesPerSecond).toBe(1_000_000)
  expect(rate.leftMs(0, 3_000_000)).toBe(3_000)
  // Many small files take as long as files take.
  expect(rate.leftMs(100, 3_000_000)).toBe(100_000)
  expect(rate.leftMs(0, 0)).toBe(0)
})

it('says how far it is, and how long it will take once it knows', () => {
  const rate = new Rate()
  rate.add(0, 0, 0)
  rate.add(1_000, 400, 18_200_000)
  const progress = {
    ...startProgress(),
    filesDone: 400,
    filesTotal: 10_000,
    bytesDone: 18_200_000,
    bytesTotal: 46_100_000,
  }
  expect(progressLine(progress, rate)).toBe('400 of 10,000+ files, 18.2 MB of 46.1 MB+, 18.2 MB/s')
  expect(progressLine({ ...progress, listed: true, failed: 2 }, rate)).toBe(
    '400 of 10,000 files, 18.2 MB of 46.1 MB, 18.2 MB/s, 24 s left, 2 failed',
  )
})
