import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { inOwnProcess } from './end-process.ts'
import type { SetJob, SetMeasurement } from './job.ts'
import { pairsOf, setToolNames } from './set-tool-names.ts'
import type { Conditions, CrdtWorkload } from './workload.ts'

const sizes = [
  ['100', 100],
  ['10k', 10_000],
  ['1M', 1_000_000],
] as const

const abouts: Readonly<Record<SetMeasurement, string>> = {
  local: 'prepare, carry out and encode one operation',
  remote: "decode and carry out one operation of another's, additions and removals in turn",
  merge: 'decode and take over a state of as many elements, of which half are here already',
}

export const setWorkloads: readonly CrdtWorkload[] = sizes.flatMap(([size, elements]) =>
  (['local', 'remote', 'merge'] as const).map((kind) => ({
    name: `S-${kind}-${size}`,
    about: `a set of ${elements.toLocaleString('en')} elements: ${abouts[kind]}`,
    columns: setToolNames,
    prepare: async (tool: string, conditions: Conditions) => {
      const job = jobOf('prepare', tool, elements, conditions)
      if (existsSync(job.folder)) return
      mkdirSync(job.folder)
      await inOwnProcess(job)
    },
    measure: (tool: string, conditions: Conditions) => inOwnProcess(jobOf(kind, tool, elements, conditions)),
  })),
)

const elementsLeast = 10
const pairsLeast = 3

function jobOf(kind: SetJob['kind'], tool: string, full: number, { folder, scale, profiled }: Conditions): SetJob {
  // Half of them are common to both that are merged.
  const elements = 2 * Math.max(elementsLeast / 2, Math.round((full * scale) / 2))
  const pairs = Math.max(pairsLeast, Math.round(pairsOf(tool, full) * Math.min(1, scale)))
  return { kind, tool, elements, pairs, folder: join(folder, `${tool}-${full}`), profiled }
}
