import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileLinesMax, functionLinesMax } from './layers.ts'
import { root } from './tree.ts'

/** A file, and the rules of oxlint.config.ts that must refuse it: exactly these. */
export interface LintCase {
  readonly path: string
  readonly text: string
  readonly expected: readonly string[]
}

const globals = 'eslint(no-restricted-globals)'
const imports = 'eslint(no-restricted-imports)'
const properties = 'eslint(no-restricted-properties)'

export const lintCases: readonly LintCase[] = [
  // Doors: refused outside, let pass behind the door and in tests.
  refused('src/session/date.ts', 'export const now = (): number => Date.now()', globals),
  refused('src/session/performance.ts', 'export const now = (): number => performance.now()', globals),
  refused('src/node/timeout.ts', 'export const later = (run: () => void): void => void setTimeout(run, 1)', globals),
  refused('src/node/interval.ts', 'export const often = (run: () => void): void => void setInterval(run, 1)', globals),
  refused('src/node/immediate.ts', 'export const soon = (run: () => void): void => void setImmediate(run)', globals),
  refused('src/node/microtask.ts', 'export const soon = (run: () => void): void => queueMicrotask(run)', globals),
  refused('src/node/process.ts', 'export const pid: number = process.pid', globals),
  refused('src/wire/buffer.ts', "export const bytes: Uint8Array = Buffer.from('a')", globals),
  refused('src/wire/crypto.ts', 'export const id: string = crypto.randomUUID()', globals),
  refused('src/wire/global.ts', 'export const now = (): number => globalThis.performance.now()', globals),
  refused('src/testing/date.ts', 'export const now = (): number => Date.now()', globals),
  refused('src/link/tcp/date.ts', 'export const now = (): number => Date.now()', globals),
  refused('src/wire/random.ts', 'export const chance = (): number => Math.random()', properties),
  refused('src/node/deadline.ts', 'export const deadline = (): AbortSignal => AbortSignal.timeout(1)', properties),
  refused('src/session/random.ts', "import { randomBytes } from 'node:crypto'\nexport const r = randomBytes", imports),
  refused('src/store/time.ts', "import { readFileSync } from 'node:fs'\nexport const read = readFileSync", imports),
  refused('src/drive/list.ts', "import { readdirSync } from 'node:fs'\nexport const list = readdirSync", imports),
  refused(
    'src/runtime/simulated/random.ts',
    "import { randomBytes } from 'node:crypto'\nexport const r = randomBytes",
    imports,
  ),
  passed('src/runtime/system/date.ts', 'export const now = (): number => Date.now() + Math.random()'),
  passed('src/identity/random.ts', "import { randomBytes } from 'node:crypto'\nexport const id = randomBytes(8)"),
  passed('src/cli/pid.ts', 'export const pid: number = process.pid'),
  passed('src/link/tcp/server.ts', "import { createServer } from 'node:tls'\nexport const server = createServer"),
  passed(
    'src/drive/disk/read.ts',
    "import { readSync } from 'node:fs'\nexport const read = Buffer.from(String(readSync))",
  ),
  passed('src/store/node/base.ts', "import { DatabaseSync } from 'node:sqlite'\nexport const Base = DatabaseSync"),
  passed('src/session/date.test.ts', 'export const now = (): number => Date.now()'),
  passed(
    'conformance/date.ts',
    "import { createServer } from 'node:tls'\nexport const now = (): unknown[] => [Date.now(), createServer]",
  ),

  // Direction.
  refused('src/wire/upward.ts', "import { now } from '../session/date.ts'\nexport const a = now", imports),
  refused('src/base/upward.ts', "import type { Clock } from '../runtime/clock.ts'\nexport type A = Clock", imports),
  refused(
    'src/runtime/simulated/upward.ts',
    "import { frame } from '../../wire/frame.ts'\nexport const a = frame",
    imports,
  ),
  refused('src/link/tcp/upward.ts', "import { now } from '../../session/date.ts'\nexport const a = now", imports),
  refused('src/node/barrel.ts', "import { all } from '../index.ts'\nexport const a = all", imports),
  refused('src/node/tested.ts', "import { pair } from '../testing/pair.ts'\nexport const a = pair", imports),
  refused('src/testing/program.ts', "import { pid } from '../cli/pid.ts'\nexport const a = pid", imports),
  passed('src/session/downward.ts', "import { chance } from '../wire/random.ts'\nexport const a = chance"),
  passed('src/testing/downward.ts', "import { now } from '../session/date.ts'\nexport const a = now"),
  refused(
    'src/base/one.ts',
    "import { two } from './two.ts'\nexport const one = (): unknown => two",
    'import(no-cycle)',
  ),
  refused(
    'src/base/two.ts',
    "import { one } from './one.ts'\nexport const two = (): unknown => one",
    'import(no-cycle)',
  ),

  // Lengths.
  passed('src/base/whole.ts', lines(fileLinesMax)),
  refused('src/base/long.ts', lines(fileLinesMax + 1), 'eslint(max-lines)'),
  passed('src/base/seventy.ts', functionOf(functionLinesMax)),
  refused('src/base/seventy-one.ts', functionOf(functionLinesMax + 1), 'eslint(max-lines-per-function)'),

  // Promises, types, exports, tests.
  refused('src/base/floating.ts', floating('work()'), 'typescript(no-floating-promises)'),
  passed('src/base/void.ts', floating('void work()')),
  refused('src/base/misused.ts', misused(), 'typescript(no-misused-promises)'),
  refused('src/base/any.ts', 'export const a = (b: any): unknown => b', 'typescript(no-explicit-any)'),
  refused(
    'src/link/tcp/signature.ts',
    'export const a = (b: Buffer): Uint8Array => b',
    'typescript(no-restricted-types)',
  ),
  refused('src/base/default.ts', 'export default 1', 'import(no-default-export)'),
  passed('some.config.ts', 'export default 1'),
  refused('src/base/throws.ts', "export const a = (): never => {\n  throw 'text'\n}", 'typescript(only-throw-error)'),
  refused('src/base/prints.ts', "export const a = (): void => console.log('text')", 'eslint(no-console)'),
  refused('src/base/skipped.test.ts', tests("it.skip('is', () => expect(1).toBe(1))"), 'vitest(no-disabled-tests)'),
  refused('src/base/single.test.ts', tests("it.only('is', () => expect(1).toBe(1))"), 'vitest(no-focused-tests)'),
  refused('src/base/empty.test.ts', tests("it('is', () => void expect)"), 'vitest(expect-expect)'),
]

/** Runs lint once over all cases, in a folder of their own with the project's configuration. */
export function lintReports(): ReadonlyMap<string, string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'plait-tidy-'))
  try {
    for (const { path, text } of lintCases) write(join(folder, path), `${text}\n`)
    for (const path of ['oxlint.config.ts', 'tsconfig.json', 'test/tidy/layers.ts']) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      cpSync(join(root, path), join(folder, path))
    }
    write(join(folder, 'package.json'), '{ "type": "module" }')
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'), 'dir')
    return lint(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Diagnostics {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[]
}

function lint(folder: string): ReadonlyMap<string, string[]> {
  const program = join(root, 'node_modules/oxlint/bin/oxlint')
  const run = spawnSync(process.execPath, [program, '--type-aware', '--deny-warnings', '--format=json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  if (!run.stdout.startsWith('{')) throw new Error(`oxlint failed: ${run.stdout}${run.stderr}`)
  const reports = new Map<string, string[]>()
  for (const { code, filename } of (JSON.parse(run.stdout) as Diagnostics).diagnostics) {
    const codes = reports.get(filename) ?? []
    if (!codes.includes(code)) codes.push(code)
    reports.set(filename, codes.sort())
  }
  return reports
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function refused(path: string, text: string, ...expected: string[]): LintCase {
  return { path, text, expected }
}

function passed(path: string, text: string): LintCase {
  return { path, text, expected: [] }
}

/** A file of `count` lines; the last is added when it is written. */
function lines(count: number): string {
  return Array.from({ length: count }, (_, index) => `export const line${index} = ${index}`).join('\n')
}

function functionOf(count: number): string {
  return `export function long(): number {\n${'  // a line\n'.repeat(count - 3)}  return 1\n}`
}

function floating(call: string): string {
  return `const work = async (): Promise<void> => {}\nexport function begin(): void {\n  ${call}\n}`
}

function tests(body: string): string {
  return `import { expect, it } from 'vitest'\n${body}`
}

function misused(): string {
  return 'export function all(list: number[]): void {\n  list.forEach(async (one) => {\n    await Promise.resolve(one)\n  })\n}'
}
