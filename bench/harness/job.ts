import type { NodeProof } from '../peers/peer.ts'
import type { DialResult, Measure } from '../workloads/workload.ts'

export type Side = 'listen' | 'dial'

/** What one process is told to do, as JSON in its first argument. */
export interface Job {
  readonly side: Side
  /** Modules that export `workload` and `createPeer`, as URLs. */
  readonly workloadModule: string
  readonly peerModule: string
  readonly scale: number
  /** Sample the timed part. */
  readonly profiled: boolean
  /** Where the other process listens; for the dialling side. */
  readonly address?: string
}

/** What the parent says: begin the timed part (the dialler also runs it), finish it, exit. */
export type Order = 'begin' | 'finish' | 'exit'

/** What a process says, in this order; `failed` at any time. */
export type Report =
  | { readonly step: 'prepared'; readonly address: string; readonly version: string; readonly settings: string }
  | { readonly step: 'begun' }
  | ({ readonly step: 'ran' } & DialResult)
  | {
      readonly step: 'finished'
      readonly cpuSeconds: number
      readonly peakMiB: number
      readonly measures: readonly Measure[]
      readonly proof: readonly NodeProof[]
      /** Lines of text; empty when the job was not profiled. */
      readonly profile: readonly string[]
    }
  | { readonly step: 'failed'; readonly message: string }
