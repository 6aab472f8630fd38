import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

// The conformance scenarios at their full counts, one after another, each with how long it took.
//
//   npm run torture                          all of them
//   npm run torture -- --only C4,C9          those whose title begins with these names
//   npm run torture -- --only C4 --seed 7    with the seed that a failed run has printed

interface Report {
  readonly testResults: readonly { readonly assertionResults: readonly Assertion[] }[]
}

interface Assertion {
  readonly fullName: string
  readonly status: string
  readonly duration?: number | null
}

const { values } = parseArgs({ options: { only: { type: 'string' }, seed: { type: 'string' } } })
const seed = values.seed ?? String(1 + Math.floor(Math.random() * 0xfffffffe))
const names = values.only === undefined ? [] : values.only.split(',').map((name) => name.trim())
for (const name of names) {
  if (!/^[A-Za-z]+[0-9]+[a-z]?$/.test(name))
    stop(`--only ${name}: expected names of scenarios, for example --only C4,C9`)
}
process.exitCode = run()

function run(): number {
  const folder = mkdtempSync(join(tmpdir(), 'plait-torture-'))
  try {
    const reportFile = join(folder, 'report.json')
    const args = [
      'run',
      '--project',
      'conformance*',
      '--reporter=default',
      '--reporter=json',
      `--outputFile=${reportFile}`,
    ]
    if (names.length > 0) args.push('--testNamePattern', `\\b(${names.join('|')})\\b`)
    process.stdout.write(`seed ${seed}\n`)
    const child = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, PLAIT_COUNTS: '1', PLAIT_SEED: seed },
    })
    return summarize(reportFile, child.status ?? 1)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function summarize(reportFile: string, status: number): number {
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report
  const all = report.testResults.flatMap((file) => file.assertionResults)
  const ran = all.filter((test) => test.status === 'passed' || test.status === 'failed')
  process.stdout.write('\n')
  for (const test of ran) {
    const seconds = ((test.duration ?? 0) / 1000).toFixed(1).padStart(8)
    process.stdout.write(`${test.status === 'passed' ? 'passed' : 'FAILED'} ${seconds} s  ${test.fullName}\n`)
  }
  const failed = ran.filter((test) => test.status === 'failed').length
  process.stdout.write(`${ran.length - failed} passed, ${failed} failed, seed ${seed}\n`)
  if (ran.length === 0) stop(`no scenario is named ${names.join(' or ')}`)
  return failed > 0 ? 1 : status
}

function stop(message: string): never {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
