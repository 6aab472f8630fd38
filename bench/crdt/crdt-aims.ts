import { aligned } from '../feeds/feed-table.ts'
import { type Figure, spreadOf, valueOf } from '../harness/rows.ts'
import { memberColumns } from './metadata-workload.ts'

/** What the metadata of an operation is to take when members write in turn. */
const inTurnBytesMost = 25
const inTurn = ['M-turns', 'M-turns-by-chance']

export interface CrdtVerdict {
  readonly workload: string
  readonly column: string
  readonly metric: string
  readonly most: number
  readonly figure: number
  readonly holds: boolean
}

/** Each aim that this run can tell about. */
export function crdtVerdictsOf(samples: readonly Figure[]): CrdtVerdict[] {
  return inTurn.flatMap((workload) =>
    memberColumns.flatMap((column) => {
      const own = samples.filter((sample) => sample.workload === workload && sample.peer === column)
      if (own.length === 0) return []
      const figure = spreadOf(own.map((sample) => valueOf(sample, 'mean'))).median
      return [{ workload, column, metric: 'mean', most: inTurnBytesMost, figure, holds: figure <= inTurnBytesMost }]
    }),
  )
}

export function crdtAimsTable(verdicts: readonly CrdtVerdict[]): string {
  return aligned(
    verdicts.map(({ workload, column, metric, most, figure, holds }) => [
      `${workload}, ${column}: ${metric}`,
      `<= ${most} B`,
      `${figure.toFixed(2)} B`,
      holds ? 'holds' : 'falls short',
    ]),
  )
}
