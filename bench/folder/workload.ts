import type { Measure } from '../workloads/workload.ts'
import type { FolderTool } from './tool.ts'
import type { TreeStore } from './tree-store.ts'

/** What a row of the table does. */
export interface FolderWorkload {
  readonly name: string
  readonly about: string
  /** Those that have the means, by name. */
  readonly tools: readonly string[]
  /** Once, in processes of its own. Throws when a copy is not the original. */
  measure(tool: FolderTool, conditions: Conditions): Promise<FolderResult>
}

export interface Conditions {
  readonly store: TreeStore
  /** 1 for the full counts. */
  readonly scale: number
  /** Sample the processes, which slows them. */
  readonly profiled: boolean
}

export interface FolderResult {
  readonly measures: readonly Measure[]
  readonly version: string
  /** Of what can be packed by nobody and had to go over; what was counted must be more. */
  readonly payloadBytes?: number
  /** Lines of text by the name of the end; only when profiled. */
  readonly profiles: Readonly<Record<string, readonly string[]>>
}
