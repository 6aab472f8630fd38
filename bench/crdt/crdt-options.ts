import { parseWorkloadOptions, type WorkloadOptions } from '../harness/workload-options.ts'
import { metadataWorkloads } from './metadata-workload.ts'
import { setToolNames } from './set-tool-names.ts'
import { setWorkloads } from './set-workload.ts'
import type { CrdtWorkload } from './workload.ts'

const workloads: readonly CrdtWorkload[] = [...metadataWorkloads, ...setWorkloads]
const names = workloads.map(({ name }) => name)

export type CrdtBenchOptions = WorkloadOptions<CrdtWorkload>

export const crdtUsage: string = `npm run bench:crdt -- [--only M-turns,S-merge-10k] [--tools plait,yjs] [--repeat 3] [--scale 1] [--folder DIR] [--json out.json] [--profile] [--allow-missing]
workloads: ${names.join(', ')}
tools: ${setToolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseCrdtOptions(args: readonly string[]): CrdtBenchOptions {
  return parseWorkloadOptions(args, { workloads, tools: setToolNames, repeat: 3, canMiss: true })
}
