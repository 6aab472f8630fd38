import { aligned } from '../feeds/feed-table.ts'
import type { Spread } from '../harness/rows.ts'
import { short } from '../harness/table.ts'
import type { CrdtRow } from './crdt-sample.ts'
import { us } from './set-tool-names.ts'

/** A workload's rows as text: a line for each metric, a column for each tool or count of members, and what plait is of each rival. */
export function crdtTableOf(rows: readonly CrdtRow[]): string {
  const columns = [...new Set(rows.map(({ column }) => column))]
  const metrics = [...new Set(rows.map(({ metric }) => metric))]
  const of = (metric: string, column: string): CrdtRow | undefined =>
    rows.find((row) => row.metric === metric && row.column === column)
  const rivals = [...new Set(rows.flatMap(({ ratios }) => Object.keys(ratios)))]
  const lines = metrics.map((metric) => [
    `${metric} ${rows.find((row) => row.metric === metric)?.unit ?? ''}`,
    ...columns.map((column) => spreadText(of(metric, column), short)),
    ...rivals.map((rival) => spreadText(of(metric, us)?.ratios[rival], (ratio) => ratio.toPrecision(2))),
  ])
  return aligned([['', ...columns, ...rivals.map((rival) => `${us}/${rival}`)], ...lines])
}

function spreadText(spread: Spread | undefined, text: (value: number) => string): string {
  if (spread === undefined) return '-'
  const { median, min, max } = spread
  return min === max ? text(median) : `${text(median)} (${text(min)}-${text(max)})`
}
