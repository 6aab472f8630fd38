import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import ignore from 'ignore'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { systemRuntime } from '../../runtime/system/system-runtime.ts'
import { MemoryView } from '../../store/memory-view.ts'
import { Directory } from '../disk/directory.ts'
import { Pace } from '../pace.ts'
import { DiskIndex } from './disk-index.ts'
import { PathRules } from './path-rules.ts'
import { scanFolder } from './scan.ts'
import type { Scan, ScanOptions } from './scan.ts'
import { FolderScanner } from './scanner.ts'

const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants
const { clock, timers } = systemRuntime()
const { signal } = new AbortController()
let root: Directory
let path: string

beforeEach(() => {
  path = realpathSync(mkdtempSync(join(tmpdir(), 'plait-scanner-')))
  root = Directory.root(path)
})
afterEach(() => {
  root.close()
  rmSync(path, { recursive: true, force: true })
})

async function scanning(): Promise<Omit<ScanOptions, 'signal'> & { readonly read: string[] }> {
  const read: string[] = []
  return {
    index: await DiskIndex.open(new MemoryView()),
    rules: new PathRules({ patternSet: () => ignore(), ignore: ['left-out'] }),
    pace: new Pace({ clock, timers }),
    clock,
    rootOf: async (file, name) => {
      read.push(name)
      const bytes = new Uint8Array(32)
      file.readNow(bytes, 0)
      return bytes
    },
    read,
  }
}

function shown({ entries, skipped }: Scan): unknown {
  const reasons = skipped.map((one) => `${one.path} ${one.reason}`).sort()
  return { entries: [...entries.values()].sort((left, right) => (left.path < right.path ? -1 : 1)), reasons }
}

/** Each directory stands before what is in it. */
function expectInOrder({ entries }: Scan): void {
  const seen = new Set([''])
  for (const { path: one } of entries.values()) {
    expect(seen).toContain(one.includes('/') ? one.slice(0, one.lastIndexOf('/')) : '')
    seen.add(one)
  }
}

const names = ['a', 'b', 'c', 'left-out', `bad\\name`]

/** Changes something, and says where as a watcher does: the names that have come or gone, or hold something else. */
function change(random: SeededRandom, directories: readonly string[]): readonly string[] {
  const at = (): string => [random.pick(directories), random.pick(names)].filter((name) => name !== '').join('/')
  const [one, other] = [at(), at()]
  const place = (name: string): string => join(path, name)
  try {
    switch (random.integer(0, 5)) {
      case 0:
        write(place(one), String(random.integer(0, 1_000_000)))
        return [one]
      case 1:
        mkdirSync(place(one))
        return [one]
      case 2:
        renameSync(place(one), place(other))
        return [one, other]
      case 3:
        rmSync(place(one), { recursive: true })
        return [one]
      case 4:
        symlinkSync(random.pick(['a', '/outside']), place(one))
        return [one]
      default:
        mkdirSync(place(one))
        writeFileSync(place(`${one}/a`), 'in a new directory')
        return [one, `${one}/a`]
    }
  } catch {
    // It was not possible: perhaps a part of it was.
    return [one, other]
  }
}

/** Not through a link: a watcher tells where that leads. */
function write(place: string, text: string): void {
  const file = openSync(place, O_CREAT | O_WRONLY | O_TRUNC | O_NOFOLLOW)
  writeSync(file, text)
  closeSync(file)
}

it('sees the same where something has changed as everywhere', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const random = new SeededRandom(`scanner ${seed}`)
    const [options, others] = [await scanning(), await scanning()]
    const scanner = new FolderScanner(root, options)
    let scan = await scanner.look(true, signal)
    for (let turn = 0; turn < 12; turn += 1) {
      for (let count = random.integer(1, 4); count > 0; count -= 1) {
        const directories = [...scan.entries.values()].filter(({ kind }) => kind === 'directory')
        scanner.note(change(random, ['', ...directories.map((directory) => directory.path)]))
      }
      scan = await scanner.look(false, signal)
      expect([seed, turn, shown(scan)]).toEqual([seed, turn, shown(await scanFolder(root, others))])
      expectInOrder(scan)
    }
    rmSync(path, { recursive: true })
    mkdirSync(path)
    root.close()
    root = Directory.root(path)
  }
})

it('looks at nothing else, and forgets what is gone', async () => {
  mkdirSync(join(path, 'd'))
  for (const name of ['d/1', 'd/2', 'e']) writeFileSync(join(path, name), name)
  const options = await scanning()
  const scanner = new FolderScanner(root, options)
  await scanner.look(true, signal)
  for (const name of ['d/1', 'e']) writeFileSync(join(path, name), 'another')
  rmSync(join(path, 'd/2'))
  scanner.note(['d/1', 'd/2'])
  options.read.length = 0
  const scan = await scanner.look(false, signal)
  expect(options.read).toEqual(['d/1'])
  expect([...scan.entries.keys()].sort()).toEqual(['d', 'd/1', 'e'])
  expect(options.index.takeForgotten()).toEqual(['d/2'])
})

it('sees what is in a directory that took the place of another one', async () => {
  for (const name of ['d', 'other']) mkdirSync(join(path, name))
  writeFileSync(join(path, 'd/old'), 'old')
  writeFileSync(join(path, 'other/new'), 'new')
  const scanner = new FolderScanner(root, await scanning())
  await scanner.look(true, signal)
  renameSync(join(path, 'd'), join(path, 'away'))
  renameSync(join(path, 'other'), join(path, 'd'))
  scanner.note(['d', 'away', 'other'])
  const scan = await scanner.look(false, signal)
  expect([...scan.entries.keys()].sort()).toEqual(['away', 'away/old', 'd', 'd/new'])
})

it('looks at everything when the patterns have changed, or anything may be another', async () => {
  writeFileSync(join(path, 'secret'), 'x')
  writeFileSync(join(path, 'open'), 'x')
  const scanner = new FolderScanner(root, await scanning())
  await scanner.look(true, signal)
  writeFileSync(join(path, '.plaitignore'), 'secret\n')
  scanner.note(['.plaitignore'])
  const scan = await scanner.look(false, signal)
  expect([...scan.entries.keys()].sort()).toEqual(['.plaitignore', 'open'])
  writeFileSync(join(path, 'new'), 'x')
  scanner.note(undefined)
  expect((await scanner.look(false, signal)).entries.has('new')).toBe(true)
})
