// The last line of .ci/run, from what its steps left behind: `node scripts/summarize.mjs FOLDER STEP...`. Runs on any Node, so
// that there is a line also when nothing could be installed. Ends with 1 when anything failed.
import { existsSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'

const [folder = '.', ...steps] = process.argv.slice(2)
const problems = []
const skipped = read('skipped.json') ?? []
let passed = 0
let failed = 0

for (const step of steps) {
  const code = codeOf(step)
  if (step === 'test') countTests(code)
  else if (code === 0) passed += 1
  else fail(code === undefined ? `${step}: did not run` : `${step}: exit code ${code}`)
}

for (const { name, reason } of skipped) {
  if (reason === '') fail(`${name}: skipped without a reason`)
  else print(`skipped: ${name}: ${reason}`)
}
for (const problem of problems) print(`failed: ${problem}`)
print(`${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ''}`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

/** Each test counts; so does the command itself, when it failed and no test says why. @param {number | undefined} code */
function countTests(code) {
  const report = read('tests.json')
  const files = report?.testResults ?? []
  let failedTests = 0
  for (const file of files) {
    const tests = file.assertionResults
    passed += tests.filter((test) => test.status === 'passed').length
    const broken = tests.filter((test) => test.status === 'failed')
    const name = relative('.', file.name)
    for (const test of broken) fail(`${name}: ${test.fullName}`)
    if (file.status === 'failed' && broken.length === 0) fail(`${name}: ${file.message}`)
    if (file.status === 'failed') failedTests += 1
  }
  if (report === undefined) fail('test: there is no report')
  else if (code !== 0 && failedTests === 0) fail(`test: exit code ${code ?? 'unknown: it did not run to its end'}`)
  else if (code === 0) passed += 1
}

/** @param {string} step */
function codeOf(step) {
  const file = join(folder, `${step}.code`)
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

/** @param {string} name */
function read(name) {
  const file = join(folder, name)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** @param {string} problem */
function fail(problem) {
  failed += 1
  problems.push(problem)
}

/** @param {string} line */
function print(line) {
  process.stdout.write(`${line}\n`)
}
