import { parseWorkloadOptions, type WorkloadOptions } from '../harness/workload-options.ts'
import { appendWorkloads } from './append-workload.ts'
import { replicationWorkloads } from './replication-workload.ts'
import { storeWorkloads } from './store-workload.ts'
import { toolNames } from './tool-names.ts'
import type { FeedWorkload } from './workload.ts'

export const feedWorkloads: readonly FeedWorkload[] = [...appendWorkloads, ...replicationWorkloads, ...storeWorkloads]
const names = feedWorkloads.map(({ name }) => name)

export type FeedBenchOptions = WorkloadOptions<FeedWorkload>

export const feedUsage: string = `npm run bench:feeds -- [--only A2-awaited,R1] [--tools hypercore,plait] [--repeat 5] [--scale 1] [--folder DIR] [--json out.json] [--profile] [--allow-missing]
workloads: ${names.join(', ')}
tools: ${toolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseFeedOptions(args: readonly string[]): FeedBenchOptions {
  return parseWorkloadOptions(args, { workloads: feedWorkloads, tools: toolNames, repeat: 5, canMiss: true })
}
