import type { Measure } from '../workloads/workload.ts'

/** What one process of the bench of replicated values does. */
export type CrdtJob = MetadataJob | SetJob

export interface MetadataJob {
  readonly kind: 'metadata'
  /** The name of a workload of metadata. */
  readonly pattern: string
  readonly members: number
  readonly seed: number
}

export interface SetJob {
  /** `prepare` makes the states and operations that the others read. */
  readonly kind: 'prepare' | SetMeasurement
  readonly tool: string
  /** Of a whole state. */
  readonly elements: number
  /** Additions, and as many removals. */
  readonly pairs: number
  readonly folder: string
  /** Sample the timed part, which slows it. */
  readonly profiled: boolean
}

export type SetMeasurement = 'local' | 'remote' | 'merge'

export interface CrdtResult {
  readonly measures: readonly Measure[]
  readonly version: string
  readonly settings: string
  /** Fingerprints of the elements that were there before the clock started, and after it; empty where there are none. */
  readonly before: string
  readonly after: string
  /** Lines of text; empty when it was not profiled. */
  readonly profile: readonly string[]
}

export type CrdtMessage = { readonly result: CrdtResult } | { readonly failed: string }
