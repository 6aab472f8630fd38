import { short } from '../harness/table.ts'
import type { FeedRow } from './feed-sample.ts'
import { rival, us } from './tool-names.ts'

/** In the JSON only: the table has what says the same. */
const untabled = new Set(['cpuServe', 'cpuFetch', 'wireShare', 'files100B', 'files64KiB'])

/** A workload's rows as text: a line for each metric, a column for each tool, and what plait is of hypercore. */
export function feedTableOf(rows: readonly FeedRow[]): string {
  const tools = [...new Set(rows.map(({ tool }) => tool))]
  const metrics = [...new Set(rows.map(({ metric }) => metric))].filter((metric) => !untabled.has(metric))
  const of = (metric: string, tool: string): FeedRow | undefined =>
    rows.find((row) => row.metric === metric && row.tool === tool)
  const ours = tools.includes(us) && tools.includes(rival)
  const lines = metrics.map((metric) => [
    `${metric} ${rows.find((row) => row.metric === metric)?.unit ?? ''}`,
    ...tools.map((tool) => valueText(of(metric, tool))),
    ...(ours ? [ratioText(of(metric, us))] : []),
  ])
  return aligned([['', ...tools, ...(ours ? [`${us}/${rival}`] : [])], ...lines])
}

/** Lines of words, in columns. */
export function aligned(lines: readonly (readonly string[])[]): string {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) => `  ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

function valueText(row: FeedRow | undefined): string {
  return row === undefined || Number.isNaN(row.median) ? '-' : short(row.median)
}

function ratioText(row: FeedRow | undefined): string {
  if (row === undefined) return '-'
  const { ratioToHypercore, ratioMin, ratioMax, repeats } = row
  if (ratioToHypercore === null || ratioMin === null || ratioMax === null) return '-'
  const extremes = repeats === 1 ? '' : ` (${ratioMin.toFixed(2)}-${ratioMax.toFixed(2)})`
  return `${ratioToHypercore.toFixed(2)}${extremes}`
}
