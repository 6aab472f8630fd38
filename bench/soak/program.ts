import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { aligned } from '../feeds/feed-table.ts'
import { positive } from '../harness/options.ts'
import { type Course, isFlat } from './course.ts'

export interface SoakOptions {
  readonly folder: string
  /** For how long something is done. */
  readonly seconds: number
  /** From when on what is looked at is judged: before that caches fill, and code is compiled. */
  readonly judgedFromSeconds: number
  readonly seed: number
  /** Told of everything that is done. */
  readonly say: (line: string) => void
}

export interface SoakReport {
  readonly courses: readonly Course[]
  /** What was done, and what there was in the end. */
  readonly summary: string
  readonly failures: readonly string[]
}

export interface SoakProgram {
  /** `npm run soak:NAME`. */
  readonly name: string
  /** Whether what grows is a failure, or is only told. */
  readonly isFlatAsked: boolean
  readonly run: (options: SoakOptions) => Promise<SoakReport>
}

/** Does something for minutes and prints how memory and the like have gone. Exit code 1: something failed, or grows and should not. */
export async function soak(program: SoakProgram): Promise<void> {
  try {
    process.exitCode = await run(program)
  } catch (error) {
    const usage = `npm run soak:${program.name} -- [--minutes 10] [--warm-up 20] [--seed 1] [--folder DIR] [--quiet] [--keep]`
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
    process.exitCode = 1
  }
}

async function run({ name, isFlatAsked, run: runSoak }: SoakProgram): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      'warm-up': { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      folder: { type: 'string', default: tmpdir() },
      quiet: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  })
  const judgedFromSeconds = 60 * positive('--warm-up', values['warm-up'], Number.isFinite)
  const seconds = judgedFromSeconds + 60 * positive('--minutes', values.minutes, Number.isFinite)
  const seed = positive('--seed', values.seed, Number.isSafeInteger)
  const folder = mkdtempSync(join(values.folder, `plait-soak-${name}-`))
  const began = performance.now()
  const say = (line: string): void => {
    if (!values.quiet) console.log(`${((performance.now() - began) / 1_000).toFixed(0).padStart(4)} s  ${line}`)
  }
  try {
    const report = await runSoak({ folder, seconds, judgedFromSeconds, seed, say })
    print(report, values.minutes)
    return report.failures.length > 0 || (isFlatAsked && !report.courses.every(isFlat)) ? 1 : 0
  } finally {
    if (values.keep) console.log(`kept: ${folder}`)
    else rmSync(folder, { recursive: true, force: true })
  }
}

function print({ courses, summary, failures }: SoakReport, minutes: string): void {
  const load = loadavg().map((one) => one.toFixed(1))
  console.log(`${summary}; load ${load.join(' ')}`)
  const lines = courses.map((course) => {
    const isCount = course.quantity === 'descriptors'
    const text = (value: number): string => (isCount ? value.toFixed(1) : `${(value / 1024).toFixed(0)} KiB`)
    return [
      `${course.name} ${course.quantity}`,
      text(course.mean),
      text(course.growth),
      `${(100 * course.growthShare).toFixed(1)} %`,
      isFlat(course) ? 'flat' : 'grows',
    ]
  })
  console.log(aligned([[`last ${minutes} minutes`, 'mean', 'growth', '', ''], ...lines]))
  for (const failure of failures) console.log(`FAILED: ${failure}`)
}
