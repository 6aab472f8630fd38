import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import type { DirectoryEntry, FileEntry } from '../entry.ts'
import { Target } from './target.ts'

const facts = { mode: 0o640, mtimeNs: 1_700_000_000_500_000_000n }
const directory = (path: string, mode = 0o755): DirectoryEntry => ({
  kind: 'directory',
  path,
  mode,
  mtimeNs: facts.mtimeNs,
})
const file = (path: string, size: number): FileEntry => ({ kind: 'file', path, ...facts, size })

const systemError = (code: string): Error => expect.objectContaining({ code }) as Error

let base: string
let root: string
let target: Target

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'plait-target-'))
  root = join(base, 'root')
  mkdirSync(root)
  mkdirSync(join(base, 'outside'))
  target = new Target(root, { fresh: true })
})
afterEach(() => {
  target.close()
  rmSync(base, { recursive: true, force: true })
})

const mtimeNs = (path: string): bigint => lstatSync(join(root, path), { bigint: true }).mtimeNs
const mode = (path: string): number => lstatSync(join(root, path)).mode & 0o7777
const finish = (): readonly unknown[] => [...target.finishDirectories()].filter((failure) => failure !== undefined)

it('puts files, links and directories where they belong, with modes and times', () => {
  for (const entry of [directory('', 0o750), directory('a', 0o500), directory('a/b', 0o711)]) target.directory(entry)
  target.place('a/b/file', facts, new TextEncoder().encode('hello'))
  expect(target.link({ kind: 'symlink', path: 'a/link', mode: 0o777, mtimeNs: 7_000_000_000n, target: 'b/file' })).toBe(
    false,
  )
  expect(finish()).toEqual([])
  expect(readFileSync(join(root, 'a/link'), 'utf8')).toBe('hello')
  expect([mode('a/b/file'), mode('a'), mode('a/b'), mode('')]).toEqual([0o640, 0o500, 0o711, 0o750])
  expect([mtimeNs('a/b/file'), mtimeNs('a'), mtimeNs('a/b'), mtimeNs('')]).toEqual(
    Array.from({ length: 4 }, () => facts.mtimeNs),
  )
  expect(mtimeNs('a/link')).toBe(7_000_000_000n)
  expect(readdirSync(join(root, '.plait/tmp'))).toEqual([])
})

it('keeps times from before 1970, and none in a file that plain Node would take for now', () => {
  const old = { mode: 0o600, mtimeNs: -86_400_000_000_000n }
  target.place('old', old, new Uint8Array(1))
  expect(mtimeNs('old')).toBe(old.mtimeNs)
})

it("leaves the mode of a folder that is the user's own", () => {
  target.close()
  target = new Target(root, { fresh: false })
  chmodSync(root, 0o700)
  target.directory(directory('', 0o777))
  expect(finish()).toEqual([])
  expect(mode('')).toBe(0o700)
})

it('compares by size and time, and leaves doubt to the hash', async () => {
  target.place('file', facts, new Uint8Array(3))
  expect(target.compare(file('file', 3))).toBe('same')
  expect(target.compare(file('file', 4))).toBe('different')
  expect(target.compare({ ...file('file', 3), mtimeNs: 0n })).toBe('doubtful')
  expect(target.compare({ ...file('file', 3), mtimeNs: facts.mtimeNs + 300n })).toBe('same')
  expect(target.compare(file('none', 0))).toBe('different')
  const read = target.read('file')
  expect(Buffer.from(await read.hash()).toString('hex')).toBe(
    createHash('sha256').update(new Uint8Array(3)).digest('hex'),
  )
  read.close()
  target.adjust('file', { mode: 0o604, mtimeNs: 9_000_000_000n })
  expect([mode('file'), mtimeNs('file')]).toEqual([0o604, 9_000_000_000n])
})

it('replaces files and links by rename, and nothing else', () => {
  writeFileSync(join(base, 'outside/victim'), 'untouched')
  symlinkSync('../outside/victim', join(root, 'file'))
  target.place('file', facts, new TextEncoder().encode('new'))
  expect(readFileSync(join(root, 'file'), 'utf8')).toBe('new')
  expect(readFileSync(join(base, 'outside/victim'), 'utf8')).toBe('untouched')
  mkdirSync(join(root, 'full/of'), { recursive: true })
  expect(() => target.place('full', facts, new Uint8Array(1))).toThrow(systemError('EISDIR'))
  expect(() => target.directory(directory('file'))).toThrow(systemError('EEXIST'))
  expect(readdirSync(join(root, '.plait/tmp'))).toEqual([])
})

it('knows a link that is there already', () => {
  const entry = { kind: 'symlink' as const, path: 'link', mode: 0o777, mtimeNs: 0n, target: 'x' }
  expect(target.link(entry)).toBe(false)
  expect(target.link(entry)).toBe(true)
  expect(target.link({ ...entry, target: 'y' })).toBe(false)
  expect(readlinkSync(join(root, 'link'))).toBe('y')
})

it('goes through no symbolic link, neither one that was there nor one that comes later', () => {
  symlinkSync('../outside', join(root, 'a'))
  expect(() => target.directory(directory('a'))).toThrow(systemError('EEXIST'))
  expect(() => target.place('a/x', facts, new Uint8Array(1))).toThrow(systemError('ENOTDIR'))
  target.directory(directory('b'))
  target.directory(directory('b/c'))
  renameSync(join(root, 'b'), join(root, 'moved'))
  symlinkSync('../outside', join(root, 'b'))
  target.place('b/c/x', facts, new Uint8Array(1))
  expect(() => target.directory(directory('b/d/e'))).toThrow(systemError('ENOENT'))
  expect(readdirSync(join(base, 'outside'))).toEqual([])
})

it('takes away what an earlier run has left, and nothing through a link', () => {
  target.close()
  writeFileSync(join(base, 'outside/victim'), '')
  mkdirSync(join(root, '.plait/tmp/deep'), { recursive: true })
  writeFileSync(join(root, '.plait/tmp/1'), 'half')
  symlinkSync('../../../outside', join(root, '.plait/tmp/2'))
  target = new Target(root, { fresh: false })
  expect(readdirSync(join(root, '.plait/tmp'))).toEqual([])
  expect(existsSync(join(base, 'outside/victim'))).toBe(true)
})

it('refuses a folder whose .plait is a symbolic link', () => {
  target.close()
  rmSync(join(root, '.plait'), { recursive: true })
  symlinkSync('../outside', join(root, '.plait'))
  expect(() => new Target(root, { fresh: false })).toThrow(systemError('FILE_FAILED'))
  rmSync(join(root, '.plait'))
  target = new Target(root, { fresh: false })
})

it('writes large files in order, and says of each piece when it is written', async () => {
  const temp = target.temp()
  const hash = createHash('sha256')
  const done: number[] = []
  for (let index = 0; index < 400; index += 1) {
    const chunk = new Uint8Array(63 * 1024).fill(index)
    hash.update(chunk)
    temp.append(chunk, () => done.push(index))
  }
  expect(done).toEqual([])
  await temp.settled()
  expect(done).toEqual(Array.from({ length: 400 }, (_, index) => index))
  target.placeTemp(temp, 'large', facts)
  expect(
    createHash('sha256')
      .update(readFileSync(join(root, 'large')))
      .digest('hex'),
  ).toBe(hash.digest('hex'))
})

it('leaves nothing of a file that is discarded', async () => {
  const temp = target.temp()
  let done = 0
  for (let index = 0; index < 100; index += 1) temp.append(new Uint8Array(100_000), () => (done += 1))
  await temp.discard()
  expect(done).toBe(100)
  expect(readdirSync(join(root, '.plait/tmp'))).toEqual([])
})

it('keeps more directories in use than it keeps open', () => {
  for (let index = 0; index < 200; index += 1) target.directory(directory(`d${index}`))
  for (let round = 0; round < 2; round += 1)
    for (let index = 0; index < 200; index += 1) target.place(`d${index}/f${round}`, facts, new Uint8Array(1))
  expect(readdirSync('/proc/self/fd').length).toBeLessThan(150)
  expect(finish()).toEqual([])
  expect(readdirSync(join(root, 'd199'))).toEqual(['f0', 'f1'])
})
