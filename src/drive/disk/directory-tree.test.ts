import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { lstatSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { DirectoryTree } from './directory-tree.ts'
import { Directory } from './directory.ts'
import { setFileTime } from './file-times.ts'

let base: string
let root: Directory
let tree: DirectoryTree

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'plait-directories-'))
  mkdirSync(join(base, 'root/a/b'), { recursive: true })
  mkdirSync(join(base, 'outside/b'), { recursive: true })
  root = Directory.root(join(base, 'root'))
  tree = new DirectoryTree(root)
})
afterEach(() => {
  tree.clear()
  root.close()
  rmSync(base, { recursive: true, force: true })
})

/** Whatever else this process has open. */
function openBelow(path: string): number {
  const links = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`)
    } catch {
      return ''
    }
  })
  return links.filter((link) => link.startsWith(path)).length
}

it('keeps more directories in use than it keeps open', () => {
  for (let index = 0; index < 200; index += 1) mkdirSync(join(base, `root/d${index}`))
  for (let round = 0; round < 2; round += 1)
    for (let index = 0; index < 200; index += 1) writeFileSync(tree.open(`d${index}`).at(`f${round}`), '')
  expect(openBelow(base)).toBeLessThan(100)
  expect(readdirSync(join(base, 'root/d199'))).toEqual(['f0', 'f1'])
})

it('goes through no symbolic link, neither one that was there nor one that comes later', () => {
  symlinkSync('../outside', join(base, 'root/there'))
  expect(() => tree.open('there')).toThrow()
  expect(() => tree.open('there/b')).toThrow()
  const open = tree.open('a/b')
  renameSync(join(base, 'root/a'), join(base, 'root/moved'))
  symlinkSync('../outside', join(base, 'root/a'))
  // What is open stays what it was, wherever its name leads now.
  writeFileSync(open.at('file'), '')
  expect(readdirSync(join(base, 'root/moved/b'))).toEqual(['file'])
  tree.clear()
  expect(() => tree.open('a/b')).toThrow()
  expect(readdirSync(join(base, 'outside/b'))).toEqual([])
})

it('gives times from before 1970 too, which plain Node would take for now', () => {
  const path = join(base, 'root/file')
  const fd = openSync(path, 'w')
  for (const mtimeNs of [-1_500_000_000n, -1_000_000_000n, 0n, 1_700_000_000_500_000_000n]) {
    setFileTime(fd, mtimeNs)
    expect(lstatSync(path, { bigint: true }).mtimeNs).toBe(mtimeNs)
  }
  closeSync(fd)
})
