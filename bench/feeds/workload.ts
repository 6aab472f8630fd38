import type { Measure } from '../workloads/workload.ts'
import type { BenchFolder } from './bench-folder.ts'
import type { LinkProof } from './tool.ts'

/** What a row of the table does. */
export interface FeedWorkload {
  readonly name: string
  readonly about: string
  /** Those that have the means. */
  readonly tools: readonly string[]
  /** Once, in processes of its own. */
  measure(tool: string, conditions: Conditions): Promise<FeedResult>
}

export interface Conditions {
  readonly folder: BenchFolder
  /** 1 for the full counts. */
  readonly scale: number
  /** Sample the processes, which slows them. */
  readonly profiled: boolean
}

export interface FeedResult {
  readonly measures: readonly Measure[]
  /** Of the tool, as each process of the run has it. */
  readonly versions: readonly string[]
  /** Of both ends, in rows that have a connection; those that are encrypted between the two name each other. */
  readonly links?: { readonly serve: readonly LinkProof[]; readonly fetch: readonly LinkProof[] }
  /** Bytes that went through a relay, and those of the blocks. */
  readonly relayed?: { readonly bytes: number; readonly payloadBytes: number }
  /** Lines of text by the name of the process; only when profiled. */
  readonly profiles: Readonly<Record<string, readonly string[]>>
}
