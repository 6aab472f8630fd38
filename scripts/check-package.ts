import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

// Packs the package as it would be published, and uses it as a stranger would: installed from the tarball into an empty project,
// imported, compiled against, started. What only works in this checkout fails here.

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'plait-package-'))
/** This Node first, so that the installed program finds it, whatever stands in the system's path. */
const env = { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env['PATH'] ?? ''}` }

try {
  const tarball = pack()
  run('publint', process.execPath, ['node_modules/publint/src/cli.js', 'run', tarball, '--strict'], root)
  const project = install(tarball)
  importIt(project)
  compileAgainstIt(project)
  startIt(project)
  console.log('the package is whole')
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function pack(): string {
  run('npm pack', 'npm', ['pack', '--pack-destination', folder], root)
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack left no tarball')
  const listed = run('tar', 'tar', ['-tzf', join(folder, tarball)], root).split('\n')
  const stray = listed.filter(
    (name) => name !== '' && !/^package\/(dist\/.*(\.js|\.d\.ts)|package\.json|README\.md|LICENSE)$/.test(name),
  )
  if (stray.length > 0) throw new Error(`the tarball holds what no user needs: ${stray.join(', ')}`)
  return join(folder, tarball)
}

function install(tarball: string): string {
  const project = join(folder, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "stranger", "private": true, "type": "module" }')
  run('npm install', 'npm', ['install', '--no-audit', '--no-fund', tarball], project)
  return project
}

function importIt(project: string): void {
  const names = run(
    'import',
    process.execPath,
    ['-p', "import('plait').then((m) => console.log(Object.keys(m).join(' ')))"],
    project,
  )
  if (!names.includes('createNode')) throw new Error(`importing plait gives ${names}, and no createNode`)
  const testing = run(
    'import',
    process.execPath,
    ['-p', "import('plait/testing').then((m) => console.log(Object.keys(m).join(' ')))"],
    project,
  )
  for (const name of ['createWorld', 'runSeeds', 'linkSuite'])
    if (!testing.includes(name)) throw new Error(`importing plait/testing gives ${testing}, and no ${name}`)
}

/** Its declarations must be whole by themselves, so they are checked too; then what was compiled against them is run. */
function compileAgainstIt(project: string): void {
  const text = [
    "import { createNode, PlaitError, type Circuit, type PlaitNode } from 'plait'",
    "import { linkSuite, runSeeds, type LinkPair, type Scenario, type World } from 'plait/testing'",
    'export const node: Promise<PlaitNode> = createNode()',
    'export const codes = (error: PlaitError, circuit: Circuit): string[] => [error.code, circuit.remote]',
    "const scenario: Scenario = async (world: World) => void world.addNode('here', { resumeMs: 0 }, (node) => void node.id)",
    'export const hashes = async (): Promise<string[]> => (await runSeeds({ count: 3, scenario })).map(({ hash }) => hash)',
    'export const suite = (pair: () => Promise<LinkPair>): void =>',
    "  linkSuite('mine', pair, { describe: (_name, body) => body(), it: (_name, body) => void body() })",
    'console.log((await hashes()).length)',
  ]
  writeFileSync(join(project, 'use.ts'), `${text.join('\n')}\n`)
  const types = join(root, 'node_modules/@types')
  const options = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--module', 'nodenext', '--target', 'es2023']
  const lib = ['--lib', 'es2023,esnext.disposable', '--typeRoots', types, '--types', 'node', 'use.ts']
  run('tsc', process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...options, ...lib], project)
  const said = run('use.ts', process.execPath, ['use.ts'], project)
  if (said.trim() !== '3 seeds, 0 failed; faults 0\n3') throw new Error(`running three seeds printed ${said}`)
}

function startIt(project: string): void {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
  const printed = run('plait', join(project, 'node_modules/.bin/plait'), ['--version'], project).trim()
  if (printed !== version) throw new Error(`plait --version printed ${printed}, expected ${version}`)
}

/** Runs to the end and returns what was printed; what failed says all it knows. */
function run(what: string, command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
  if (status === 0) return stdout
  throw new Error(
    `${what} failed (${command} ${args.join(' ')}): ${error?.message ?? `exit code ${status}`}\n${stdout}${stderr}`,
  )
}
