import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { describeTree, differences, type TreeDescription } from '../../scripts/demo/tree-description.ts'
import { count } from '../counts.ts'
import { plaitProgram, startProgram } from '../support/process.ts'
import type { Program } from '../support/process.ts'
import { jsonLines, makePlace, runPlait, startShare, type Place } from './place.ts'

// Two programs that keep a folder the same, on two machines as it were: each has a state of its own.

const MiB = 1024 * 1024

interface Pair {
  /** Whose `target` is the folder of the other one. */
  readonly place: Place
  readonly other: Place
  readonly sharing: Program
  cloning: Program
}

async function startPair(fill: (place: Place) => void, target?: (place: Place) => void): Promise<Pair> {
  const place = makePlace()
  const state = { XDG_STATE_HOME: join(place.base, 'other-state'), XDG_RUNTIME_DIR: join(place.base, 'other-run') }
  const other = { ...place, env: state }
  for (const path of [...Object.values(place.env), ...Object.values(state)]) mkdirSync(path, { recursive: true })
  fill(place)
  target?.(place)
  const { program, link } = await startShare(place, ['--write', '--listen', '127.0.0.1:0'])
  const args = ['clone', link, place.target, '--json', '--listen', '127.0.0.1:0']
  const cloning = startProgram(plaitProgram, args, { env: state })
  const pair = { place, other, sharing: program, cloning }
  await untilSame(pair)
  return pair
}

/** The copy begins to be kept in sync again. */
function resume(pair: Pair): void {
  const { place, other } = pair
  pair.cloning = startProgram(plaitProgram, ['sync', place.target, '--json'], { env: other.env })
}

async function until(isSo: () => boolean | Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
  for (const end = performance.now() + timeoutMs; !(await isSo());) {
    if (performance.now() > end) throw new Error(`waited ${timeoutMs} ms until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** The time of a directory is when something in it was changed there. */
function shown(folder: string): TreeDescription {
  const { lineByPath, ...rest } = describeTree(folder)
  const entries = [...lineByPath].map(([path, line]) => {
    const isDirectory = line.startsWith('directory')
    return [path, isDirectory ? line.split(' ').slice(0, 2).join(' ') : line] as const
  })
  return { ...rest, lineByPath: new Map(entries) }
}

function untilSame({ place }: Pair): Promise<void> {
  const isSame = (): boolean => {
    try {
      return differences(shown(place.source), shown(place.target)).length === 0
    } catch {
      // Something has gone while it was looked at.
      return false
    }
  }
  return until(isSame, 'both folders are the same', 120_000)
}

/** What the sharing program has sent and received. */
async function wireBytes({ place }: Pair): Promise<number> {
  const { stdout } = await runPlait(place, ['status', '--json'])
  const [status] = jsonLines(stdout) as unknown as readonly [{ stats: { bytes: { sent: number; received: number } } }]
  return status.stats.bytes.sent + status.stats.bytes.received
}

/** Bytes of contents that the copy has fetched. */
function fetchedBytes({ cloning }: Pair): number {
  return Number(jsonLines(cloning.stdout).findLast(({ event }) => event === 'settled')?.['remoteBytes'])
}

it('D3: 1 KiB inserted into a large file takes 1 MiB at most, and a directory that is renamed no content', async () => {
  const size = count(1024, 32) * MiB
  const bytes = Buffer.alloc(size)
  for (let offset = 0; offset < size; offset += MiB) randomBytes(MiB).copy(bytes, offset)
  const pair = await startPair(({ source }) => {
    writeFileSync(join(source, 'large'), bytes)
    mkdirSync(join(source, 'before/deep'), { recursive: true })
    for (let index = 0; index < 200; index += 1)
      writeFileSync(join(source, `before/deep/f${index}`), randomBytes(20_000))
  })
  const { place } = pair
  const before = await wireBytes(pair)
  const middle = Math.floor(size / 2)
  writeFileSync(
    join(place.source, 'large'),
    Buffer.concat([bytes.subarray(0, middle), randomBytes(1024), bytes.subarray(middle)]),
  )
  await untilSame(pair)
  const inserted = await wireBytes(pair)
  expect(inserted - before).toBeLessThan(MiB)
  const inodeOf = (path: string): bigint => statSync(path, { bigint: true }).ino
  const inode = inodeOf(join(place.target, 'before/deep/f7'))
  renameSync(join(place.source, 'before'), join(place.source, 'after'))
  await untilSame(pair)
  expect((await wireBytes(pair)) - inserted).toBeLessThan(MiB / 4)
  // It is the very same file.
  expect(inodeOf(join(place.target, 'after/deep/f7'))).toBe(inode)
  expect(fetchedBytes(pair)).toBeLessThan(size + 200 * 20_000 + MiB)
})

it('D4: what both sides edit is there in both versions on both sides, under names that say whose they are', async () => {
  const pair = await startPair(({ source }) => {
    mkdirSync(join(source, 'notes'))
    writeFileSync(join(source, 'notes/plan.txt'), 'the plan\n')
    for (let index = 0; index < 20; index += 1) writeFileSync(join(source, `f${index}`), `${index}`)
  })
  const { place, sharing } = pair
  await pair.cloning.kill('SIGINT')
  writeFileSync(join(place.source, 'notes/plan.txt'), 'the plan of the one\n')
  writeFileSync(join(place.target, 'notes/plan.txt'), 'the plan of the other\n')
  writeFileSync(join(place.target, 'new'), 'made while nobody looked')
  await sharing.line(/^.*$/)
  resume(pair)
  await untilSame(pair)
  const names = readdirSync(join(place.source, 'notes')).sort()
  expect(names).toEqual([
    expect.stringMatching(/^plan \(conflict of \S+, \d{4}-\d\d-\d\d \d\d\.\d\d\)\.txt$/),
    'plan.txt',
  ])
  const texts = names.map((name) => readFileSync(join(place.target, 'notes', name), 'utf8')).sort()
  expect(texts).toEqual(['the plan of the one\n', 'the plan of the other\n'])
  expect(readFileSync(join(place.source, 'new'), 'utf8')).toBe('made while nobody looked')
  await pair.cloning.line(/"event":"conflict"/)
  // To do away with one of them is to delete it, and both are rid of it.
  rmSync(join(place.target, 'notes', names[0] as string))
  await untilSame(pair)
  expect(readdirSync(join(place.source, 'notes'))).toEqual(['plan.txt'])
})

it('D1: what is done on either side of a live pair comes to the other: edits, renames, deletions, modes', async () => {
  const files = count(2_000, 100)
  const pair = await startPair(({ source }) => {
    for (let index = 0; index < files; index += 1) {
      mkdirSync(join(source, `d${index % 20}`), { recursive: true })
      writeFileSync(join(source, `d${index % 20}/f${index}`), `content ${index}`)
    }
  })
  const { place } = pair
  const sides = [place.source, place.target] as const
  for (let index = 0; index < files; index += 1) {
    const at = join(sides[index % 2] as string, `d${index % 20}`)
    const path = join(at, `f${index}`)
    if (index % 5 === 0) writeFileSync(path, `edited ${index}`)
    if (index % 5 === 1) renameSync(path, join(at, `renamed ${index}`))
    if (index % 10 === 2) rmSync(path)
    if (index % 5 === 3) writeFileSync(join(at, `new ${index}`), `new ${index}`)
  }
  renameSync(join(place.source, 'd7'), join(place.source, 'moved'))
  await untilSame(pair)
  expect(existsSync(join(place.target, 'moved'))).toBe(true)
  const { lineByPath } = describeTree(place.source)
  expect([...lineByPath.values()].filter((line) => line.startsWith('file'))).toHaveLength(
    files + Math.floor((files + 1) / 5) - Math.ceil((files - 2) / 10),
  )
  expect([...lineByPath.keys()].filter((path) => path.includes('conflict'))).toEqual([])
})

it('starts no other program to keep a folder in sync', async () => {
  const { sharing, cloning } = await startPair(({ source }) => writeFileSync(join(source, 'one'), '1'))
  for (const { pid } of [sharing, cloning]) {
    const threads = readdirSync(`/proc/${pid}/task`)
    const children = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8'))
    expect(children.join('')).toBe('')
  }
})

it('D3c: a mount that vanishes under one side deletes nothing on the other, and says why', async ({ skip }) => {
  const mount = (path: string): void => {
    mkdirSync(path, { recursive: true })
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'pipe' })
    } catch {
      skip('it needs to mount a tmpfs, which takes root')
    }
    onTestFinished(() => {
      try {
        execFileSync('umount', ['-l', path], { stdio: 'pipe' })
      } catch {
        // It has vanished already.
      }
    })
  }
  const pair = await startPair(
    ({ source }) => {
      for (let index = 0; index < 30; index += 1) writeFileSync(join(source, `f${index}`), `${index}`)
    },
    ({ target }) => mount(target),
  )
  const { place, other } = pair
  execFileSync('umount', ['-l', place.target])
  writeFileSync(join(place.source, 'one more'), '')
  await pair.cloning.line(/"event":"hold","reason":"marker-gone"/)
  await new Promise((resolve) => setTimeout(resolve, 1_000))
  expect(readdirSync(place.target)).toEqual([])
  expect(readdirSync(place.source)).toHaveLength(32)
  await pair.cloning.kill('SIGINT')
  // Nor when it is begun again where nothing is mounted.
  const again = await runPlait(other, ['sync', place.target, '--once'])
  expect(again.code).toBe(1)
  expect(readdirSync(place.source)).toHaveLength(32)
})

it('D3c: of a folder that was emptied nothing is deleted elsewhere before somebody says so', async () => {
  const pair = await startPair(({ source }) => {
    for (let index = 0; index < 30; index += 1) writeFileSync(join(source, `f${index}`), `${index}`)
  })
  const { place, other } = pair
  await pair.cloning.kill('SIGINT')
  for (const name of readdirSync(place.target)) if (name !== '.plait') rmSync(join(place.target, name))
  const held = await runPlait(other, ['sync', place.target, '--once'])
  expect([held.code, held.stderr]).toEqual([1, expect.stringMatching(/all 30 files are gone.*--allow-deletions/)])
  expect(readdirSync(place.source)).toHaveLength(31)
  const meant = await runPlait(other, ['sync', place.target, '--once', '--allow-deletions'])
  expect(meant.code).toBe(0)
  // The other side is asked, too: somebody there may want them.
  await pair.sharing.line(/^waiting: 30 of 30 files would be deleted/, { stream: 'stderr' })
  expect(readdirSync(place.source)).toHaveLength(31)
})

it('a hundred files that are written one after the other come over, whole, while they are written', async () => {
  const pair = await startPair(({ source }) => writeFileSync(join(source, 'first'), ''))
  const { place } = pair
  const sums = new Map<string, string>()
  for (let index = 0; index < 100; index += 1) {
    const bytes = randomBytes(1 + ((index * 7_919) % 300_000))
    sums.set(`f${index}`, createHash('sha256').update(bytes).digest('hex'))
    writeFileSync(join(index % 2 === 0 ? place.source : place.target, `f${index}`), bytes)
    if (index % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await untilSame(pair)
  for (const [name, sum] of sums)
    expect(
      createHash('sha256')
        .update(readFileSync(join(place.target, name)))
        .digest('hex'),
    ).toBe(sum)
})
