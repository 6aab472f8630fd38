import { aligned } from '../feeds/feed-table.ts'
import { type Figure, spreadOf, valueOf } from '../harness/rows.ts'
import { short } from '../harness/table.ts'
import { type GroupResult, us } from './workload.ts'

/** One repeat of one workload by one tool. */
export interface GroupSample extends Figure, GroupResult {}

/** One metric of one workload by one tool, as it stands in the JSON. */
export interface GroupRow {
  readonly workload: string
  readonly tool: string
  readonly metric: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  readonly repeats: number
  readonly scale: number
  readonly version: string
  readonly settings: string
}

export function groupRowsOf(samples: readonly GroupSample[], scale: number): GroupRow[] {
  const names = new Set(samples.map(({ workload, peer }) => `${workload} ${peer}`))
  return [...names].flatMap((name) => {
    const group = samples.filter(({ workload, peer }) => `${workload} ${peer}` === name)
    const { workload, peer, measures, version, settings } = group[0] as GroupSample
    return measures.map(({ metric, unit }): GroupRow => {
      const spread = spreadOf(group.map((sample) => valueOf(sample, metric)))
      return { workload, tool: peer, metric, unit, ...spread, repeats: group.length, scale, version, settings }
    })
  })
}

/** A workload's rows as text: a line for each metric, a column for each tool. */
export function groupTableOf(rows: readonly GroupRow[]): string {
  const tools = [...new Set(rows.map(({ tool }) => tool))]
  const metrics = [...new Set(rows.map(({ metric }) => metric))]
  const of = (metric: string, tool: string): GroupRow | undefined =>
    rows.find((row) => row.metric === metric && row.tool === tool)
  const lines = metrics.map((metric) => [
    `${metric} ${rows.find((row) => row.metric === metric)?.unit ?? ''}`,
    ...tools.map((tool) => cell(of(metric, tool))),
  ])
  return aligned([['', ...tools], ...lines])
}

function cell(row: GroupRow | undefined): string {
  if (row === undefined || Number.isNaN(row.median)) return '-'
  const { median, min, max, repeats } = row
  return repeats === 1 ? short(median) : `${short(median)} (${short(min)}-${short(max)})`
}

/** What a group is to reach: the most that a metric may be, in the median of the repeats. */
const aims: readonly { readonly workload: string; readonly metric: string; readonly most: number }[] = [
  { workload: 'D-1', metric: 'p99 ratio', most: 1.1 },
  { workload: 'D-1', metric: 'delivered p99 ratio', most: 1.1 },
  { workload: 'D-64', metric: 'p99 ratio', most: 1.1 },
  { workload: 'D-64', metric: 'delivered p99 ratio', most: 1.1 },
  { workload: 'N-table-snapshot', metric: 'level', most: 30 },
  { workload: 'N-set-snapshot', metric: 'level', most: 30 },
]

export interface GroupVerdict {
  readonly workload: string
  readonly metric: string
  readonly most: number
  readonly figure: number
  readonly holds: boolean
}

/** Each aim that these rows can tell about. */
export function groupVerdictsOf(rows: readonly GroupRow[]): GroupVerdict[] {
  return aims.flatMap(({ workload, metric, most }) => {
    const row = rows.find((one) => one.workload === workload && one.metric === metric && one.tool === us)
    return row === undefined ? [] : [{ workload, metric, most, figure: row.median, holds: row.median <= most }]
  })
}

export function groupAimsTable(verdicts: readonly GroupVerdict[]): string {
  return aligned(
    verdicts.map(({ workload, metric, most, figure, holds }) => [
      `${workload} ${metric}`,
      `<= ${most}`,
      figure.toFixed(2),
      holds ? 'holds' : 'falls short',
    ]),
  )
}
