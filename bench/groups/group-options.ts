import { parseWorkloadOptions, type WorkloadOptions } from '../harness/workload-options.ts'
import { deadWorkloads } from './dead-workload.ts'
import { newcomerWorkloads } from './newcomer-workload.ts'
import { publishWorkloads } from './publish-workload.ts'
import { type GroupWorkload, toolNames } from './workload.ts'

export const groupWorkloads: readonly GroupWorkload[] = [...publishWorkloads, ...deadWorkloads, ...newcomerWorkloads]
const names = groupWorkloads.map(({ name }) => name)

export type GroupBenchOptions = WorkloadOptions<GroupWorkload>

export const groupUsage: string = `npm run bench:groups -- [--only P-one-64,D-1] [--tools file,plait] [--repeat 3] [--scale 1] [--folder DIR] [--json out.json] [--profile]
workloads: ${names.join(', ')}
tools: ${toolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseGroupOptions(args: readonly string[]): GroupBenchOptions {
  return parseWorkloadOptions(args, { workloads: groupWorkloads, tools: toolNames, repeat: 3, canMiss: false })
}
