import type { ErrorCode } from '../../src/base/error.ts'
import type { Limits } from '../../src/base/limits.ts'

/** What came of an attempt, at both ends. */
export interface Outcome {
  /** What has ended. `link`: a link that has not led to a session. */
  readonly closed: 'nothing' | 'circuit' | 'session' | 'link'
  /** Why; with `nothing`: what the caller was told. */
  readonly code?: ErrorCode
  /** Where more is no offence: how much of it there is in the end. */
  readonly kept?: number
}

/** One limit: how to reach it, and what follows when it is exceeded. */
export interface Row {
  readonly limit: keyof Limits
  /** What exactly is counted, where one limit bounds more than one thing. */
  readonly what?: string
  /** Other values than the defaults, where those would make the attempt dear or impossible. */
  readonly limits?: Partial<Limits>
  /** Tries `amount` of it. Asserts besides that whoever has no part in it does not notice. */
  readonly attempt: (amount: number, limits: Partial<Limits>) => Outcome | Promise<Outcome>
  readonly within: (amount: number) => Outcome
  readonly beyond: (amount: number, limit: number) => Outcome
  /** How much more than one it takes to be beyond: clocks that tick in seconds. 1 when absent. */
  readonly step?: number
}

/** An attempt that changes nothing, or closes something. */
export function closing(closed: Outcome['closed'], code: ErrorCode): Pick<Row, 'within' | 'beyond'> {
  return { within: () => ({ closed: 'nothing' }), beyond: () => ({ closed, code }) }
}

/** More than the limit is not kept, and closes nothing. */
export const capping: Pick<Row, 'within' | 'beyond'> = {
  within: (amount) => ({ closed: 'nothing', kept: amount }),
  beyond: (_amount, limit) => ({ closed: 'nothing', kept: limit }),
}
