import type { Measure } from '../workloads/workload.ts'
import { baseline } from './names.ts'
import type { PairResult } from './pair.ts'

/** One repeat of one workload over one peer, or of one folder by one tool. */
export interface Figure {
  readonly workload: string
  readonly peer: string
  readonly repeat: number
  readonly measures: readonly Measure[]
}

export interface Sample extends Figure, PairResult {
  /** 1 for the full counts. */
  readonly scale: number
}

/** What stands in the JSON where a peer has no figures for a workload: it cannot, is not installed, or failed. */
export interface AbsentRow {
  readonly workload: string
  readonly peer: string
  readonly absent: string
  readonly metric: null
  readonly unit: null
  readonly median: null
  readonly min: null
  readonly max: null
  readonly ratioToTls: null
}

/** One metric of one workload over one peer, as it stands in the JSON. */
export interface Row {
  readonly workload: string
  readonly peer: string
  readonly metric: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  /** Median over the repeats of this peer's value divided by that of `tls` in the same repeat; null where tls did not run. */
  readonly ratioToTls: number | null
  readonly ratioMin: number | null
  readonly ratioMax: number | null
  readonly repeats: number
  readonly scale: number
  readonly version: string
  readonly settings: string
}

export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** One row for each metric, in the order in which the samples came. */
export function rowsOf(samples: readonly Sample[]): Row[] {
  const groups = new Map<string, Sample[]>()
  for (const sample of samples) {
    const name = `${sample.workload} ${sample.peer}`
    groups.set(name, [...(groups.get(name) ?? []), sample])
  }
  return [...groups.values()].flatMap((group) => {
    const first = group[0] as Sample
    return first.measures.map(({ metric, unit }): Row => {
      const { workload, peer, scale, version, settings } = first
      const spread = spreadOf(group.map((sample) => valueOf(sample, metric)))
      const ratio = ratioBetween(samples, workload, metric, peer, baseline)
      return {
        workload,
        peer,
        metric,
        unit,
        ...spread,
        ratioToTls: ratio?.median ?? null,
        ratioMin: ratio?.min ?? null,
        ratioMax: ratio?.max ?? null,
        repeats: group.length,
        scale,
        version,
        settings,
      }
    })
  })
}

export function absentRow(workload: string, peer: string, absent: string): AbsentRow {
  const nothing = { metric: null, unit: null, median: null, min: null, max: null, ratioToTls: null }
  return { workload, peer, absent, ...nothing }
}

/** Spread over the repeats of ours(i) / theirs(i); undefined when there is no repeat that both ran. */
export function ratioBetween(
  samples: readonly Figure[],
  workload: string,
  metric: string,
  ours: string,
  theirs: string,
): Spread | undefined {
  const ratios: number[] = []
  const of = (peer: string): Figure[] =>
    samples.filter((sample) => sample.workload === workload && sample.peer === peer)
  const others = of(theirs)
  for (const sample of of(ours)) {
    const other = others.find(({ repeat }) => repeat === sample.repeat)
    if (other !== undefined) ratios.push(valueOf(sample, metric) / valueOf(other, metric))
  }
  return ratios.length === 0 ? undefined : spreadOf(ratios)
}

/** Of an even number of values the median is the mean of the middle two. */
export function spreadOf(values: readonly number[]): Spread {
  if (values.length === 0) throw new Error('no values')
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] as number
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2
  return { median, min: sorted[0] as number, max: sorted.at(-1) as number }
}

export function valueOf(sample: Figure, metric: string): number {
  const measure: Measure | undefined = sample.measures.find((candidate) => candidate.metric === metric)
  if (measure === undefined) throw new Error(`${sample.workload} over ${sample.peer} measured no ${metric}`)
  return measure.value
}
