/**
 * How much of each scenario runs. Every scenario is written with its full counts; `npm test` runs a part of them,
 * `npm run torture` all, both through the environment variable `PLAIT_COUNTS`, a factor above 0 and up to 1.
 */
const smallFactor = 0.02

export const countFactor: number = factorFrom(process.env['PLAIT_COUNTS'])

/** True when the full counts run; for scenarios with more than one size. */
export const fullCounts: boolean = countFactor === 1

/** Why a scenario is skipped that says how well a bench measures, and nothing of the product. */
export const benchOnly = 'tests a bench and not the product: at full counts only'

/**
 * The part of `full` that this run does: rounded up, and never below `least`, the smallest count at which the test still
 * proves its point.
 */
export function count(full: number, least: number = 1): number {
  return Math.min(full, Math.max(least, Math.ceil(full * countFactor)))
}

/**
 * An upper bound on time: what the scenario gives at full counts, which run on a quiet machine; five times as much for `npm test`,
 * which may run on any, whatever else it does.
 */
export function withinMs(limitMs: number): number {
  return fullCounts ? limitMs : 5 * limitMs
}

function factorFrom(text: string | undefined): number {
  if (text === undefined || text === '') return smallFactor
  const factor = Number(text)
  if (factor > 0 && factor <= 1) return factor
  throw new Error(`PLAIT_COUNTS is ${text}; it must be a number above 0 and up to 1, for example ${smallFactor} or 1`)
}
