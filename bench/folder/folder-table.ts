import { aligned } from '../feeds/feed-table.ts'
import { short } from '../harness/table.ts'
import type { FolderRow } from './folder-sample.ts'
import { limit, us } from './tool-names.ts'

/** A workload's rows as text: a line for each metric, a column for each tool, and what plait is of the rsync daemon. */
export function folderTableOf(rows: readonly FolderRow[]): string {
  const tools = [...new Set(rows.map(({ tool }) => tool))]
  const metrics = [...new Set(rows.map(({ metric }) => metric))]
  const of = (metric: string, tool: string): FolderRow | undefined =>
    rows.find((row) => row.metric === metric && row.tool === tool)
  const both = tools.includes(us) && tools.includes(limit)
  const lines = metrics.map((metric) => [
    `${metric} ${rows.find((row) => row.metric === metric)?.unit ?? ''}`,
    ...tools.map((tool) => valueText(of(metric, tool))),
    ...(both ? [ratioText(of(metric, us))] : []),
  ])
  return aligned([['', ...tools, ...(both ? [`${us}/${limit}`] : [])], ...lines])
}

function valueText(row: FolderRow | undefined): string {
  if (row === undefined || Number.isNaN(row.median)) return '-'
  return row.median === 0 ? '0' : short(row.median)
}

function ratioText(row: FolderRow | undefined): string {
  if (row === undefined) return '-'
  const { ratioToRsync, ratioMin, ratioMax, repeats } = row
  if (ratioToRsync === null || ratioMin === null || ratioMax === null || !Number.isFinite(ratioToRsync)) return '-'
  const extremes = repeats === 1 ? '' : ` (${ratioMin.toFixed(2)}-${ratioMax.toFixed(2)})`
  return `${ratioToRsync.toFixed(2)}${extremes}`
}
