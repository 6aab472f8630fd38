// Two programs on one machine: one shares a folder, the other one clones it; a file is written on each side, and comes to the
// other. Then both trees are compared by content, mode and time, by a walk that has nothing of plait's in it. `npm run demo --
// DIR` takes a folder of yours instead of a sample.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { corruptOneByte } from './demo/corrupt.ts'
import { makeSampleTree } from './demo/sample-tree.ts'
import { describeTree, differences, type TreeDescription } from './demo/tree-description.ts'

const program = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const linkTimeoutMs = 15_000
const differencesShown = 10
/** What the demo writes on the one side, and on the other; it is removed from a folder of yours. */
const notes = ['plait demo, from here.txt', 'plait demo, from there.txt'] as const
const noteLookMs = 50
const noteTries = 200

const temporary = mkdtempSync(join(tmpdir(), 'plait-demo-'))
/** The demo's keys and secrets are its own, and go with it. */
const environment = { ...process.env, XDG_STATE_HOME: join(temporary, 'state'), XDG_RUNTIME_DIR: temporary }
const children = new Set<ChildProcess>()

for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => {
    cleanUp()
    process.exit(1)
  })
}
try {
  process.exitCode = (await demonstrate(process.argv[2])) ? 0 : 1
} catch (error) {
  say(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
} finally {
  cleanUp()
}

/** Whether both trees are the same in the end. */
async function demonstrate(folder: string | undefined): Promise<boolean> {
  const source = folder === undefined ? join(temporary, 'sample') : resolve(folder)
  const copy = join(temporary, 'copy', basename(source))
  mkdirSync(join(temporary, 'copy'))
  if (folder === undefined) makeSampleTree(source)
  const forgetMarker = rememberMarker(source)
  try {
    const share = startProgram(['share', source, '--write', '--listen', '127.0.0.1:0'])
    const link = await firstLine(share)
    say(`$ plait share ${source} --write\n${link.replace(/#.*/, '#...')}`)
    say(`$ plait clone 'LINK' ${copy}`)
    const clone = startProgram(['clone', '-', copy, '--once'])
    clone.stdout?.pipe(process.stdout, { end: false })
    // The link holds a secret; as an argument everyone on this machine could read it.
    clone.stdin?.end(`${link}\n`)
    const cloneCode = await exitCode(clone)
    const syncCode = cloneCode === 0 ? await changeBoth(source, copy) : null
    share.kill('SIGINT')
    const shareCode = await exitCode(share)
    const isDone = cloneCode === 0 && syncCode === 0 && shareCode === 0
    if (!isDone) say(`clone ended with ${cloneCode}, sync with ${syncCode}, share with ${shareCode}`)
    if (process.env['PLAIT_DEMO_CORRUPT'] === '1') say(`(one byte of ${corruptOneByte(copy)} flipped, as asked for)`)
    return compare(describeTree(source), describeTree(copy)) && isDone
  } finally {
    if (folder !== undefined) for (const name of notes) rmSync(join(source, name), { force: true })
    forgetMarker()
  }
}

/** Writes a note on each side, and brings both to the other one. The exit code. */
async function changeBoth(source: string, copy: string): Promise<number | null> {
  const [here, there] = [join(source, notes[0]), join(copy, notes[1])]
  for (const path of [here, there]) {
    say(`$ echo 'written by the demo' > '${path}'`)
    writeFileSync(path, 'written by the demo\n', { flag: 'wx' })
  }
  say(`$ plait sync ${copy} --once`)
  const sync = startProgram(['sync', copy, '--once'])
  sync.stdout?.pipe(process.stdout, { end: false })
  const code = await exitCode(sync)
  // The other side takes it a moment later.
  for (let tries = 0; !existsSync(join(source, notes[1])) && tries < noteTries; tries += 1) await sleep(noteLookMs)
  return code
}

function compare(source: TreeDescription, copy: TreeDescription): boolean {
  say(`source ${source.hash}  ${source.summary}`)
  say(`copy   ${copy.hash}  ${copy.summary}`)
  const found = differences(source, copy)
  for (const difference of found.slice(0, differencesShown)) say(`  ${difference}`)
  if (found.length > differencesShown) say(`  and ${found.length - differencesShown} more`)
  const same = found.length === 0 && source.hash === copy.hash
  say(same ? 'the same: every name, content, mode and time' : 'NOT the same')
  return same
}

function startProgram(args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [program, ...args], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] })
  children.add(child)
  child.once('exit', () => children.delete(child))
  return child
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('a program without output')
  const timeout = setTimeout(() => child.kill(), linkTimeoutMs)
  try {
    for await (const line of createInterface({ input: child.stdout })) return line
    throw new Error('plait share ended without a link')
  } finally {
    clearTimeout(timeout)
  }
}

async function exitCode(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** What sharing adds to the folder (`.plait/`) is taken away again, unless it has been there. */
function rememberMarker(source: string): () => void {
  const marker = join(source, '.plait')
  const before = existsSync(source) && !existsSync(marker) ? statSync(source) : undefined
  return () => {
    if (before === undefined) return
    rmSync(marker, { recursive: true, force: true })
    utimesSync(source, before.atimeMs / 1_000, before.mtimeMs / 1_000)
  }
}

function cleanUp(): void {
  for (const child of children) child.kill('SIGKILL')
  rmSync(temporary, { recursive: true, force: true })
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}
