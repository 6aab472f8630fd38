import type { Channel, Peer } from '../peers/peer.ts'

/** One figure of one end. */
export interface Measure {
  readonly metric: string
  readonly unit: string
  readonly value: number
}

/** What a workload is given in either process. */
export interface End {
  readonly peer: Peer
  /** 1 for the full counts. */
  readonly scale: number
}

/** The listening process: takes what comes, checks it, answers. What it throws ends the run. */
export interface ListenEnd {
  accept(channel: Channel): void
  /** Just before the timed part, and just after it. */
  begin?(): void
  finish?(): readonly Measure[]
}

/** The dialling process: drives the workload and holds the clock. */
export interface DialEnd {
  begin?(): void
  run(): Promise<DialResult>
  finish?(): readonly Measure[]
}

export interface DialResult {
  readonly measures: readonly Measure[]
  /** What the CPU seconds of both ends are divided by, and the unit that gives. */
  readonly work: {
    readonly amount: number
    readonly unit: string
    /** How many of what a second of CPU of both ends is good for, where that is a figure too. */
    readonly perSecond?: { readonly amount: number; readonly unit: string }
  }
}

/** What each file `w*.ts` of this folder exports as `workload`. */
export interface Workload {
  /** One line for the table. */
  readonly about: string
  listen(end: End): ListenEnd
  /** Connects and warms up, outside the timed part. */
  dial(end: End, address: string): Promise<DialEnd>
}

/** A full count at this scale; never less than `least`. */
export function scaled(count: number, scale: number, least = 1): number {
  return Math.max(least, Math.round(count * scale))
}
