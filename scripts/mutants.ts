import { parseArgs } from 'node:util'
import { readMutants, testFolders, worldOf, type Mutant } from './mutants/mutant.ts'
import { endPrograms } from './mutants/program.ts'
import { TreeCopy } from './mutants/tree-copy.ts'
import { runSeeds, runTests, type Verdict } from './mutants/trial.ts'

// Plants each bug of test/mutants/ in a copy of the tree, and sees who finds it: the unit tests of its layer, or else the seeds of
// its world. What finds it must find nothing without it.
//
//   npm run mutants                              all of them
//   npm run mutants -- --only close-overtakes-data,epoch-ignored
//   npm run mutants -- --seeds 200               fewer than the 2,000 seeds that count

interface Row {
  readonly name: string
  readonly killed: boolean
  readonly by: string
  readonly seconds: number
}

const { values } = parseArgs({ options: { only: { type: 'string' }, seeds: { type: 'string', default: '2000' } } })
const seeds = Number(values.seeds)
if (!Number.isSafeInteger(seeds) || seeds < 1) stop(`--seeds ${values.seeds}: expected a number of seeds`)
const mutants = chosen(readMutants(), values.only)
const copy = new TreeCopy()
const passedFolders = new Map<string, Verdict>()
process.once('SIGINT', () => {
  endPrograms()
  copy.remove()
  process.exit(130)
})
try {
  process.exitCode = await run()
} finally {
  copy.remove()
}

async function run(): Promise<number> {
  const width = Math.max(...mutants.map(({ name }) => name.length))
  print('mutant'.padEnd(width), 'seconds', 'killed by')
  const rows: Row[] = []
  for (const mutant of mutants) {
    const row = { name: mutant.name, ...(await judge(mutant)) }
    rows.push(row)
    print(row.name.padEnd(width), row.seconds.toFixed(1).padStart(7), row.by)
  }
  const alive = rows.filter(({ killed }) => !killed).map(({ name }) => name)
  print(`${rows.length - alive.length} killed, ${alive.length} not${alive.length > 0 ? `: ${alive.join(', ')}` : ''}`)
  return alive.length > 0 ? 1 : 0
}

/** Who kills it: the tests of its layer, which are quick, or else the seeds. */
async function judge(mutant: Mutant): Promise<Omit<Row, 'name'>> {
  const startedAt = performance.now()
  const misfit = copy.plant(mutant)
  if (misfit !== undefined) return { killed: false, by: `DOES NOT APPLY: ${misfit}`, seconds: 0 }
  const folders = testFolders(mutant)
  const world = ['--world', worldOf(mutant)]
  let verdict: Verdict
  try {
    verdict = await runTests(copy.folder, folders)
    if (verdict.kind === 'passed') verdict = await runSeeds(copy.folder, ['--seeds', String(seeds), '--stop', ...world])
  } finally {
    copy.restore(mutant)
  }
  const seconds = (performance.now() - startedAt) / 1_000
  const alive = (why: string): Omit<Row, 'name'> => ({ killed: false, by: `NOBODY: ${why}`, seconds })
  if (verdict.kind === 'passed') return alive(`it survives the tests and ${seeds} seeds`)
  if (verdict.kind === 'broken') return alive(`it does not run\n${verdict.why}`)
  const without = await withoutIt(verdict, folders, world)
  if (without.kind === 'passed') return { killed: true, by: verdict.by, seconds }
  return alive(`not known; without it fails too: ${without.kind === 'failed' ? without.by : without.why}`)
}

/** Whether what has found something finds nothing in the tree as it is. */
async function withoutIt(
  verdict: Verdict & { kind: 'failed' },
  folders: readonly string[],
  world: readonly string[],
): Promise<Verdict> {
  if (verdict.seed !== undefined) return runSeeds(copy.folder, ['--seed', String(verdict.seed), ...world])
  const key = folders.join(' ')
  const passed = passedFolders.get(key) ?? (await runTests(copy.folder, folders))
  passedFolders.set(key, passed)
  return passed
}

function chosen(all: readonly Mutant[], only: string | undefined): readonly Mutant[] {
  if (only === undefined) return all
  return only.split(',').map((part) => {
    const name = part.trim()
    return all.find((mutant) => mutant.name === name) ?? stop(`--only ${name}: there is no test/mutants/${name}.patch`)
  })
}

function print(...columns: string[]): void {
  process.stdout.write(`${columns.join('  ')}\n`)
}

function stop(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
