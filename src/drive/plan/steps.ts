/** Work that can stop between any two of its steps: each takes well under a millisecond. What is returned is the result. */
export type Steps<Result> = Generator<void, Result>

/** How many things are looked at in one step. */
const things = 64

/** Whether a step ends with the `count`th thing. */
export function endsStep(count: number): boolean {
  return count % things === 0
}

/** All steps one after the other, in this turn. */
export function allAtOnce<Result>(steps: Steps<Result>): Result {
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** What says when a turn's time is spent: `Pace`. */
export interface Pauses {
  /** A promise to wait for then. */
  pause(): Promise<void> | undefined
}

/** All steps, in as many turns as they need, of what nobody changes meanwhile. */
export async function paced<Result>(steps: Steps<Result>, pace: Pauses | undefined): Promise<Result> {
  let step = steps.next()
  while (step.done !== true) {
    const turn = pace?.pause()
    if (turn !== undefined) await turn
    step = steps.next()
  }
  return step.value
}

/** How often steps are begun again because what they look at has changed under them. */
const beginningsMax = 4

export interface TurnsOptions {
  readonly pace: Pauses
  /** Another value whenever what the steps look at has changed. */
  readonly revision: () => unknown
  /** Resolves when what the steps look at is whole; waited for before each beginning, which is in the turn in which it resolves. */
  readonly ready?: () => Promise<void>
  readonly signal?: AbortSignal
}

/**
 * All steps, in as many turns as they need. A plan of two moments would be wrong: what is moved meanwhile would be found twice or not at
 * all. So the steps are begun again when what they look at changes between two turns; after some times of that they are taken in one
 * turn. Rejects with `signal.reason`.
 */
export async function inTurns<Result>(begin: () => Steps<Result>, options: TurnsOptions): Promise<Result> {
  const { pace, revision, ready, signal } = options
  for (let beginnings = 0; beginnings < beginningsMax; beginnings += 1) {
    await pace.pause()
    await ready?.()
    signal?.throwIfAborted()
    const seen = revision()
    const steps = begin()
    let step = steps.next()
    while (step.done !== true && revision() === seen) {
      const turn = pace.pause()
      if (turn !== undefined) await turn
      signal?.throwIfAborted()
      if (revision() === seen) step = steps.next()
    }
    if (step.done === true) return step.value
  }
  await ready?.()
  signal?.throwIfAborted()
  return allAtOnce(begin())
}
