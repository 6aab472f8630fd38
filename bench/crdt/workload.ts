import type { CrdtResult } from './job.ts'

/** What a table of the bench of replicated values does. */
export interface CrdtWorkload {
  readonly name: string
  readonly about: string
  /** The columns: tools, or counts of members. */
  readonly columns: readonly string[]
  /** Untimed, once before a column is measured. */
  prepare?(column: string, conditions: Conditions): Promise<unknown>
  /** Once, in a process of its own. */
  measure(column: string, conditions: Conditions & { readonly repeat: number }): Promise<CrdtResult>
}

export interface Conditions {
  /** For files, which are gone when the bench ends. */
  readonly folder: string
  /** 1 for the full counts. */
  readonly scale: number
  /** Sample the processes, which slows them. */
  readonly profiled: boolean
}
