import { type Figure, ratioBetween, type Spread, spreadOf, valueOf } from '../harness/rows.ts'
import type { CrdtResult } from './job.ts'
import { rivals, us } from './set-tool-names.ts'

/** One repeat of one workload by one tool, or with one count of members. */
export interface CrdtSample extends Figure, CrdtResult {}

/** One metric of one workload in one column, as it stands in the JSON. */
export interface CrdtRow extends Spread {
  readonly workload: string
  readonly column: string
  readonly metric: string
  readonly unit: string
  /** In rows of plait, by rival: the spread over the repeats of plait(i) / rival(i). */
  readonly ratios: Readonly<Record<string, Spread>>
  readonly repeats: number
  readonly scale: number
  readonly version: string
  readonly settings: string
}

export function crdtRowsOf(samples: readonly CrdtSample[], scale: number): CrdtRow[] {
  const names = new Set(samples.map(({ workload, peer }) => `${workload} ${peer}`))
  return [...names].flatMap((name) => {
    const group = samples.filter(({ workload, peer }) => `${workload} ${peer}` === name)
    const { workload, peer, measures, version, settings } = group[0] as CrdtSample
    return measures.map(({ metric, unit }): CrdtRow => {
      const ratios = (peer === us ? rivals : []).flatMap((rival) => {
        const spread = ratioBetween(samples, workload, metric, us, rival)
        return spread === undefined ? [] : [[rival, spread] as const]
      })
      return {
        workload,
        column: peer,
        metric,
        unit,
        ...spreadOf(group.map((sample) => valueOf(sample, metric))),
        ratios: Object.fromEntries(ratios),
        repeats: group.length,
        scale,
        version,
        settings,
      }
    })
  })
}
