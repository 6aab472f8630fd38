import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { runProgram } from './program.ts'

/** What came of running tests or seeds on a copy of the tree. */
export type Verdict =
  | { readonly kind: 'passed' }
  /** `by`: the test or the seed that has found something. */
  | { readonly kind: 'failed'; readonly by: string; readonly seed?: number }
  /** Nothing could be tried; `why` is the output. */
  | { readonly kind: 'broken'; readonly why: string }

interface Assertion {
  readonly ancestorTitles: readonly string[]
  readonly title: string
  readonly status: string
}

interface Report {
  readonly numTotalTests: number
  readonly testResults: readonly {
    readonly name: string
    readonly assertionResults: readonly Assertion[]
  }[]
}

const testTimeoutMs = 10 * 60_000
const seedsTimeoutMs = 40 * 60_000

/** Runs the unit tests in some folders of a copy, up to the first one that fails. */
export async function runTests(folder: string, paths: readonly string[]): Promise<Verdict> {
  const file = join(folder, 'report.tmp')
  rmSync(file, { force: true })
  const args = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', '--bail', '1']
  // What is kept for the next run stands in `node_modules`, which is the checkout's.
  args.push('--cache=false', '--fsModuleCache=false', '--reporter=json', `--outputFile=${file}`, ...paths)
  const { code, late, output } = await runProgram(process.execPath, args, { folder, timeoutMs: testTimeoutMs })
  if (late) return { kind: 'failed', by: `the tests in ${paths.join(' and ')}, which never end` }
  const report = readReport(file)
  if (report === undefined || report.numTotalTests === 0) return { kind: 'broken', why: output }
  for (const { name, assertionResults } of report.testResults) {
    const failed = assertionResults.find(({ status }) => status === 'failed')
    if (failed === undefined) continue
    const titles = [...failed.ancestorTitles, failed.title]
    return { kind: 'failed', by: `${relative(folder, name)}: ${titles.join(' > ')}` }
  }
  if (code === 0) return { kind: 'passed' }
  return { kind: 'failed', by: `an error outside of the tests in ${paths.join(' and ')}` }
}

/** Runs seeds of the simulation on a copy, up to the first violation. */
export async function runSeeds(folder: string, args: readonly string[]): Promise<Verdict> {
  const program = ['test/simulation/main.ts', ...args]
  const { code, late, output } = await runProgram(process.execPath, program, { folder, timeoutMs: seedsTimeoutMs })
  const [, seed, what] = /^seed (\d+): (.*)$/m.exec(output) ?? []
  if (seed !== undefined) return { kind: 'failed', by: `seed ${seed}: ${what}`, seed: Number(seed) }
  if (late) return { kind: 'failed', by: 'the seeds, which never end' }
  return code === 0 ? { kind: 'passed' } : { kind: 'broken', why: output }
}

function readReport(file: string): Report | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    return undefined
  }
}
