import { aligned } from '../feeds/feed-table.ts'
import { type Figure, ratioBetween, spreadOf, valueOf } from '../harness/rows.ts'
import { limit, limitOverSsh, us } from './tool-names.ts'

/** The most that a folder may take first: a ratio to another tool in the same repeats, or the figure itself. */
export interface FolderAim {
  readonly workload: string
  readonly metric: string
  readonly most: number
  readonly unit: string
  readonly than?: string
}

export interface FolderVerdict extends FolderAim {
  readonly figure: number
  readonly isMet: boolean
}

const memoryMegabytes = 150
const memoryMegabytesOfMany = 250

export const folderAims: readonly FolderAim[] = [
  ratio('D1-first', 'wall', 1.6),
  ratio('D1-first', 'wall', 1, limitOverSsh),
  figure('D1-first', 'cpu', 2, 's'),
  ratio('D2-first', 'wall', 1.6),
  ratio('D2-first', 'wall', 0.85, limitOverSsh),
  figure('D3-first', 'wire', 7.6, 'MB'),
  ratio('D4-first', 'wall', 1.5),
  ratio('D1-unchanged', 'wall', 1.5),
  figure('D1-percent', 'wall', 0.3, 's'),
  figure('D1-percent', 'wire', 0.6, 'MB'),
  ratio('D2-insert', 'wall', 1.5),
  figure('D2-insert', 'wire', 1, 'MB'),
  figure('D2-insert', 'ofFull', 1, 'of the first sync'),
  figure('D1-rename', 'wall', 1, 's'),
  figure('D1-rename', 'wire', 0.5, 'MB'),
  figure('D1-save', 'p50', 100, 'ms'),
  figure('D2-killed', 'again', 62, '% of it'),
  figure('D2-killed', 'partials', 0, 'files'),
  figure('D2-killed', 'orphans', 0, 'files'),
  ...['D1-first', 'D2-first', 'D3-first'].flatMap((workload) => memory(workload, memoryMegabytes)),
  ...memory('D4-first', memoryMegabytesOfMany),
  figure('D1-idle', 'runNear', 10, 'ms in 10 s'),
  figure('D1-idle', 'runFar', 10, 'ms in 10 s'),
  figure('D1-idle', 'rate', 200, 'B/s'),
]

/** Each aim that this run can tell about. */
export function folderVerdictsOf(samples: readonly Figure[], aims: readonly FolderAim[] = folderAims): FolderVerdict[] {
  return aims.flatMap((aim) => {
    const reached = figureOf(aim, samples)
    // A figure that is no number reaches nothing.
    return reached === undefined ? [] : [{ ...aim, figure: reached, isMet: reached <= aim.most }]
  })
}

export function folderAimsTable(verdicts: readonly FolderVerdict[]): string {
  return aligned(
    verdicts.map(({ workload, metric, most, unit, than, figure: reached, isMet }) => [
      `${workload} ${metric}`,
      than === undefined ? `<= ${most} ${unit}` : `<= ${most}x ${than}`,
      than === undefined ? `${digits(reached)} ${unit}` : `${digits(reached)}x`,
      isMet ? 'met' : 'falls short',
    ]),
  )
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2)
}

function figureOf({ workload, metric, than }: FolderAim, samples: readonly Figure[]): number | undefined {
  if (than !== undefined) return ratioBetween(samples, workload, metric, us, than)?.median
  const own = samples.filter((sample) => sample.workload === workload && sample.peer === us)
  return own.length === 0 ? undefined : spreadOf(own.map((sample) => valueOf(sample, metric))).median
}

function ratio(workload: string, metric: string, most: number, than = limit): FolderAim {
  return { workload, metric, most, unit: 'x', than }
}

function figure(workload: string, metric: string, most: number, unit: string): FolderAim {
  return { workload, metric, most, unit }
}

function memory(workload: string, most: number): FolderAim[] {
  return ['peakNear', 'peakFar'].map((metric) => figure(workload, metric, most, 'MB'))
}
