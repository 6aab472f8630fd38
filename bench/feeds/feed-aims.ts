import { type Figure, ratioBetween, spreadOf, valueOf } from '../harness/rows.ts'
import { aligned } from './feed-table.ts'
import { rival, us } from './tool-names.ts'

/** What feeds are to reach, of one metric: a ratio to another tool in the same repeats, or the figure itself. */
export interface FeedAim {
  readonly workload: string
  readonly metric: string
  readonly bound: 'least' | 'most'
  readonly value: number
  readonly than?: string
}

export interface FeedVerdict extends FeedAim {
  readonly figure: number
  readonly holds: boolean
}

/** Unsynced, as hypercore's are; plait's are synced. */
const batchedAppends = ['A2-awaited', 'A3-awaited', 'A3-in-flight', 'A4-awaited']
const singleAppends = ['A1-awaited', 'A1-in-flight']
const replications = ['R1', 'R2', 'R3', 'R4']

export const feedAims: readonly FeedAim[] = [
  ...singleAppends.map((workload) => least(workload, 'rate', 1)),
  ...batchedAppends.map((workload) => least(workload, 'rate', 3)),
  least('R1', 'rate', 5),
  { workload: 'R1', metric: 'wireShare', bound: 'most', value: 1.25 },
  least('R2', 'rate', 1),
  least('R2', 'rate', 0.6, 'tls'),
  least('R3', 'rate', 5),
  { workload: 'R3', metric: 'wireShare', bound: 'most', value: 1.25 },
  { workload: 'R3', metric: 'roundTrips', bound: 'most', value: 15 },
  least('R4', 'rate', 1),
  { workload: 'R4', metric: 'kept', bound: 'least', value: 0.8 },
  most('O1', 'open'),
  most('D1', 'disk100B'),
  most('D1', 'disk64KiB'),
  ...[...singleAppends, ...batchedAppends, 'O1'].map((workload) => most(workload, 'peak')),
  ...replications.flatMap((workload) => [most(workload, 'peakServe'), most(workload, 'peakFetch')]),
]

/** Each aim that this run can tell about. */
export function feedVerdictsOf(samples: readonly Figure[], aims: readonly FeedAim[] = feedAims): FeedVerdict[] {
  return aims.flatMap((aim) => {
    const figure = figureOf(aim, samples)
    // A figure that is no number reaches nothing.
    return figure === undefined
      ? []
      : [{ ...aim, figure, holds: aim.bound === 'least' ? figure >= aim.value : figure <= aim.value }]
  })
}

export function feedAimsTable(verdicts: readonly FeedVerdict[]): string {
  return aligned(
    verdicts.map(({ workload, metric, bound, value, than, figure, holds }) => [
      `${workload} ${metric}`,
      `${bound === 'least' ? '>=' : '<='} ${value}${than === undefined ? '' : `x ${than}`}`,
      `${figure.toFixed(2)}${than === undefined ? '' : 'x'}`,
      holds ? 'holds' : 'falls short',
    ]),
  )
}

function figureOf({ workload, metric, than }: FeedAim, samples: readonly Figure[]): number | undefined {
  if (than !== undefined) return ratioBetween(samples, workload, metric, us, than)?.median
  const own = samples.filter((sample) => sample.workload === workload && sample.peer === us)
  return own.length === 0 ? undefined : spreadOf(own.map((sample) => valueOf(sample, metric))).median
}

function least(workload: string, metric: string, value: number, than = rival): FeedAim {
  return { workload, metric, bound: 'least', value, than }
}

/** Ahead in what should be small. */
function most(workload: string, metric: string): FeedAim {
  return { workload, metric, bound: 'most', value: 1, than: rival }
}
