import type { AbsentRow, Row } from './rows.ts'

/** In the JSON only: the table has the sum of both. */
const untabled = new Set(['cpuDial', 'cpuListen'])

/** A workload's rows as text: a line for each peer, a column for each metric, in brackets the ratio to tls with its extremes. */
export function tableOf(rows: readonly Row[]): string {
  const metrics = [...new Set(rows.map(({ metric }) => metric))].filter((metric) => !untabled.has(metric))
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const cell = (peer: string, metric: string): string => {
    const row = rows.find((candidate) => candidate.peer === peer && candidate.metric === metric)
    return row === undefined ? '-' : `${short(row.median)}${ratioText(row)}`
  }
  const header = ['', ...metrics.map((metric) => `${metric} ${rows.find((row) => row.metric === metric)?.unit ?? ''}`)]
  const lines = [header, ...peers.map((peer) => [peer, ...metrics.map((metric) => cell(peer, metric))])]
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) => `  ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

/** A line for each peer without figures. */
export function absenceLines(rows: readonly AbsentRow[]): string[] {
  return rows.map(({ peer, absent }) => `  ${peer}: ${absent.split('\n')[0]}`)
}

function ratioText({ peer, ratioToTls, ratioMin, ratioMax, repeats }: Row): string {
  if (peer === 'tls' || ratioToTls === null || ratioMin === null || ratioMax === null) return ''
  return repeats === 1
    ? ` (${ratioToTls.toFixed(2)})`
    : ` (${ratioToTls.toFixed(2)}; ${ratioMin.toFixed(2)}-${ratioMax.toFixed(2)})`
}

/** Three digits that count. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)}M`
  if (value >= 1e4) return `${(value / 1e3).toPrecision(3)}k`
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
