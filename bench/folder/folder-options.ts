import { parseWorkloadOptions, type WorkloadOptions } from '../harness/workload-options.ts'
import { changeWorkloads } from './change-workload.ts'
import { firstWorkloads } from './first-workload.ts'
import { killedWorkload } from './killed-workload.ts'
import { quietWorkloads } from './quiet-workload.ts'
import { saveWorkload } from './save-workload.ts'
import { toolNames } from './tool-names.ts'
import type { FolderWorkload } from './workload.ts'

export const folderWorkloads: readonly FolderWorkload[] = [
  ...firstWorkloads,
  ...quietWorkloads,
  ...changeWorkloads,
  saveWorkload,
  killedWorkload,
]
const names = folderWorkloads.map(({ name }) => name)
/** Memory, not a disk: what is measured is the tools. */
const memoryFolder = '/dev/shm'

export type FolderBenchOptions = WorkloadOptions<FolderWorkload>

export const folderUsage: string = `npm run bench:folder -- [--only D1-first,D1-save] [--tools rsync,plait] [--repeat 5] [--scale 1] [--folder DIR] [--json out.json] [--profile] [--allow-missing]
workloads: ${names.join(', ')}
tools: ${toolNames.join(', ')}`

/** Throws an `Error` with a sentence for the user. */
export function parseFolderOptions(args: readonly string[]): FolderBenchOptions {
  const given = args.some((arg) => arg.startsWith('--folder')) ? args : [...args, '--folder', memoryFolder]
  return parseWorkloadOptions(given, { workloads: folderWorkloads, tools: toolNames, repeat: 5, canMiss: true })
}
