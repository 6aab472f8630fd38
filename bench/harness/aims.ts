import { baseline } from './names.ts'
import { ratioBetween, type Row, type Sample, spreadOf, valueOf } from './rows.ts'

/** What plait is to reach first. Ratios are to tls in the same run; memory is in bytes for each circuit. */
interface Aim {
  readonly workload: string
  readonly peer: string
  readonly metric: string
  readonly bound: 'least' | 'most'
  readonly value: number
  /** A ratio to tls, or the figure itself. */
  readonly kind: 'ratio' | 'figure'
}

export interface AimVerdict extends Aim {
  readonly figure: number
  readonly met: boolean
}

const cpuMost = 1.4
const circuitBytesMost = 1_500

const aims: readonly Aim[] = [
  ratio('W1', 'p50', 'most', 1.15),
  ratio('W1', 'cpu', 'most', cpuMost),
  ratio('W2', 'rate', 'least', 0.78),
  ratio('W2', 'cpu', 'most', cpuMost),
  ratio('W3', 'rate', 'least', 0.7),
  ratio('W3', 'rate', 'least', 0.4, 'plait-iterator'),
  ratio('W3', 'cpu', 'most', cpuMost),
  ratio('W4', 'rate', 'least', 0.95),
  ratio('W4', 'cpu', 'most', cpuMost),
  ratio('W5', 'rate', 'least', 0.25),
  { workload: 'W5', peer: 'plait', metric: 'memoryDial', bound: 'most', value: circuitBytesMost, kind: 'figure' },
  { workload: 'W5', peer: 'plait', metric: 'memoryListen', bound: 'most', value: circuitBytesMost, kind: 'figure' },
  ratio('W6', 'rate', 'least', 0.9),
  ratio('W6', 'cpu', 'most', cpuMost),
  ratio('W6', 'rate', 'least', 0.8, 'plait-topics'),
  ratio('W7', 'p99', 'most', 0.3),
  ratio('W7', 'bulk', 'least', 0.8),
]

/** Each aim that this run can tell about. */
export function verdictsOf(samples: readonly Sample[]): AimVerdict[] {
  return aims.flatMap((aim) => {
    const figure = figureOf(aim, samples)
    if (figure === undefined) return []
    return [{ ...aim, figure, met: aim.bound === 'least' ? figure >= aim.value : figure <= aim.value }]
  })
}

/** The rows, with `aim` and `met` where there is an aim. */
export function withAims(rows: readonly Row[], verdicts: readonly AimVerdict[]): (Row & Partial<AimOfRow>)[] {
  return rows.map((row) => {
    const verdict = verdicts.find(
      ({ workload, peer, metric }) => workload === row.workload && peer === row.peer && metric === row.metric,
    )
    return verdict === undefined ? row : { ...row, aim: aimText(verdict), met: verdict.met }
  })
}

interface AimOfRow {
  readonly aim: string
  readonly met: boolean
}

export function aimsTable(verdicts: readonly AimVerdict[]): string {
  const lines = verdicts.map((verdict) => {
    const figure = verdict.kind === 'ratio' ? `${verdict.figure.toFixed(2)}x` : `${verdict.figure.toFixed(0)} B`
    const words = [`${verdict.workload} ${verdict.metric}`, verdict.peer, aimText(verdict), figure]
    return [...words, verdict.met ? 'met' : 'falls short']
  })
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  return lines
    .map((line) => `  ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
    .join('\n')
}

function aimText({ bound, value, kind }: Aim): string {
  return `${bound === 'least' ? '>=' : '<='} ${value}${kind === 'ratio' ? 'x' : ' B'}`
}

function figureOf({ workload, peer, metric, kind }: Aim, samples: readonly Sample[]): number | undefined {
  if (kind === 'ratio') return ratioBetween(samples, workload, metric, peer, baseline)?.median
  const own = samples.filter((sample) => sample.workload === workload && sample.peer === peer)
  return own.length === 0 ? undefined : spreadOf(own.map((sample) => valueOf(sample, metric))).median
}

function ratio(workload: string, metric: string, bound: Aim['bound'], value: number, peer = 'plait'): Aim {
  return { workload, peer, metric, bound, value, kind: 'ratio' }
}
