import { PlaitError } from '../base/error.ts'
import { invocation, onUnhandledRejection, printLine, type Invocation } from '../runtime/system/invocation.ts'
import { createWorld, type World } from './world.ts'

/**
 * A story that is told in a fresh world: it adds nodes, lets time pass, and checks what must hold, by `world.violation` or by throwing.
 * All that it draws comes from `world.random`, so that it follows from the seed.
 */
export type Scenario = (world: World) => Promise<void>

/** What came of one seed. */
export interface SeedResult {
  readonly seed: number | string
  /** Of all that has happened: the same seed has the same one, always and everywhere. */
  readonly hash: string
  /** What must never happen and has; none when all is well. */
  readonly violations: readonly string[]
  /** How long the world has lived, in virtual milliseconds. */
  readonly virtualMs: number
  readonly faults: number
  /** How often the scenario has called `world.mark`, by label. */
  readonly marks: ReadonlyMap<string, number>
}

/** What `runSeeds` is to do. */
export interface SeedRun {
  /** Seeds to run, above 0. */
  readonly count: number
  /** The first of them; 1 when absent. */
  readonly from?: number
  readonly scenario: Scenario
  /** Labels that the scenario has to `mark` in some seed at least: proof that the seeds reach what they are meant to test. */
  readonly reaches?: readonly string[]
  /** Stops after so many failing seeds. 10 when absent. */
  readonly failuresMax?: number
  /** Runs this scenario again, for the line that says how to replay; what was started here when absent. */
  readonly command?: string
  /** Given each line for people, instead of the standard output. */
  readonly print?: (line: string) => void
}

/** What `runSeeds` rejects with when something is not as it must be. Its message names the seeds, and how to replay the first. */
export class SeedError extends Error {
  override readonly name = 'SeedError'
  readonly #failures: readonly SeedResult[]

  constructor(message: string, failures: readonly SeedResult[]) {
    super(message)
    this.#failures = failures
  }

  /** Results with violations; empty when it is something else that is wrong with the run. */
  get failures(): readonly SeedResult[] {
    return this.#failures
  }
}

/**
 * Runs one scenario in the world of one seed, until it has settled. Never rejects: what it throws, and a promise that rejects with nobody
 * listening, is a violation. `print` is given a line for each event of the trace.
 */
export async function runSeed(
  seed: number | string,
  scenario: Scenario,
  print?: (line: string) => void,
): Promise<SeedResult> {
  const world = createWorld({ seed, ...(print === undefined ? {} : { print }) })
  const stop = onUnhandledRejection((error) => world.violation(`unhandled rejection: ${described(error)}`))
  try {
    await scenario(world)
  } catch (error) {
    world.violation(`thrown: ${described(error)}`)
  } finally {
    stop()
  }
  return {
    seed,
    hash: world.hash(),
    violations: world.violations,
    virtualMs: world.now,
    faults: world.faults,
    marks: world.marks,
  }
}

/**
 * Runs a scenario over many seeds, one after the other, and resolves to their results when all is well. Prints each seed that fails with
 * the command that replays it, and last a summary; rejects with a `SeedError` then. The first seed is run twice: a scenario that does not
 * follow from its seed is an error too.
 *
 * When the environment has `PLAIT_SEED`, that seed alone is run; its violations and its trace hash are printed, and with `PLAIT_TRACE=1`
 * a line for each event.
 */
export async function runSeeds(run: SeedRun): Promise<readonly SeedResult[]> {
  if (!Number.isSafeInteger(run.count) || run.count < 1)
    throw new PlaitError('INVALID_ARGUMENT', `${run.count} seeds cannot be run; say a whole number above 0`)
  const here = invocation()
  return here.seed === undefined ? explore(run, here) : [await replay(run, here, here.seed)]
}

async function explore(run: SeedRun, here: Invocation): Promise<readonly SeedResult[]> {
  const { from = 1, count, scenario, failuresMax = 10, print = printLine } = run
  const results: SeedResult[] = []
  const failures: SeedResult[] = []
  for (let seed = from; seed < from + count && failures.length < failuresMax; seed += 1) {
    const result = await runSeed(seed, scenario)
    results.push(result)
    if (seed === from) await repeat(result, scenario)
    if (result.violations.length === 0) continue
    failures.push(result)
    for (const line of report(result)) print(line)
    print(`to replay: ${replayCommand(run, here, seed)}`)
  }
  print(`${results.length} seeds, ${failures.length} failed; faults ${sum(results.map(({ faults }) => faults))}`)
  const [first] = failures
  if (first !== undefined) {
    const what = `${failures.length} of ${results.length} seeds failed: ${failures.map(({ seed }) => seed).join(', ')}`
    throw new SeedError(
      [what, ...report(first), `to replay: ${replayCommand(run, here, first.seed)}`].join('\n'),
      failures,
    )
  }
  const missed = (run.reaches ?? []).filter((label) => !results.some(({ marks }) => marks.has(label)))
  if (missed.length > 0)
    throw new SeedError(
      `none of ${results.length} seeds has reached: ${missed.join(', ')}; run more, or other faults`,
      [],
    )
  return results
}

/** Runs the first seed once more. */
async function repeat({ seed, hash }: SeedResult, scenario: Scenario): Promise<void> {
  const again = await runSeed(seed, scenario)
  if (again.hash === hash) return
  const advice = 'take time, timers and chance from the world, and keep nothing between two runs'
  throw new SeedError(`seed ${seed} was run twice and gave two traces, ${hash} and ${again.hash}: ${advice}`, [])
}

async function replay(run: SeedRun, here: Invocation, seed: string): Promise<SeedResult> {
  const { scenario, print = printLine } = run
  const number = Number(seed)
  const result = await runSeed(String(number) === seed ? number : seed, scenario, here.traces ? print : undefined)
  for (const line of report(result)) print(line)
  print(`seed ${seed}: ${Math.round(result.virtualMs)} virtual ms, ${result.faults} faults, trace hash ${result.hash}`)
  if (result.violations.length > 0) throw new SeedError(report(result).join('\n'), [result])
  return result
}

const violationsShown = 5

function report({ seed, violations }: SeedResult): string[] {
  const lines = violations.slice(0, violationsShown).map((violation) => `seed ${seed}: ${violation}`)
  const rest = violations.length - lines.length
  return rest > 0 ? [...lines, `seed ${seed}: and ${rest} more`] : lines
}

function replayCommand({ command }: SeedRun, here: Invocation, seed: number | string): string {
  return `PLAIT_SEED=${seed} ${command ?? here.command}`
}

function described(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
