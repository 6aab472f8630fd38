import { type Figure, ratioBetween, spreadOf, valueOf } from '../harness/rows.ts'
import { limit } from './tool-names.ts'
import type { FolderResult } from './workload.ts'

/** One repeat of one workload by one tool. */
export interface FolderSample extends Figure, FolderResult {
  readonly settings: string
}

/** One metric of one workload by one tool, as it stands in the JSON. */
export interface FolderRow {
  readonly workload: string
  readonly tool: string
  readonly metric: string
  readonly unit: string
  readonly median: number
  readonly min: number
  readonly max: number
  /** Median over the repeats of this tool's value divided by that of the rsync daemon in the same repeat; null where that did not run. */
  readonly ratioToRsync: number | null
  readonly ratioMin: number | null
  readonly ratioMax: number | null
  readonly repeats: number
  readonly scale: number
  readonly version: string
  readonly settings: string
}

export function folderRowsOf(samples: readonly FolderSample[], scale: number): FolderRow[] {
  const names = new Set(samples.map(({ workload, peer }) => `${workload} ${peer}`))
  return [...names].flatMap((name) => {
    const group = samples.filter(({ workload, peer }) => `${workload} ${peer}` === name)
    const { workload, peer, measures, version, settings } = group[0] as FolderSample
    return measures.map(({ metric, unit }): FolderRow => {
      const ratio = ratioBetween(samples, workload, metric, peer, limit)
      return {
        workload,
        tool: peer,
        metric,
        unit,
        ...spreadOf(group.map((sample) => valueOf(sample, metric))),
        ratioToRsync: ratio?.median ?? null,
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
