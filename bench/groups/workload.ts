import type { BenchFolder } from '../feeds/bench-folder.ts'
import type { Measure } from '../workloads/workload.ts'

/** What a row of the table does. */
export interface GroupWorkload {
  readonly name: string
  readonly about: string
  /** Those that have the means. */
  readonly tools: readonly string[]
  /** Once, in processes of its own. */
  measure(tool: string, conditions: Conditions): Promise<GroupResult>
}

export interface Conditions {
  readonly folder: BenchFolder
  /** 1 for the full counts. */
  readonly scale: number
  /** Sample the processes, which slows them. */
  readonly profiled: boolean
}

export interface GroupResult {
  readonly measures: readonly Measure[]
  readonly version: string
  readonly settings: string
  /** Why the figures must not be used. */
  readonly reasonsVoid: readonly string[]
  /** Lines of text by the name of the process; only when profiled. */
  readonly profiles: Readonly<Record<string, readonly string[]>>
}

export const us = 'plait'
export const toolNames: readonly string[] = ['file', 'tls', 'tls-file', us]
