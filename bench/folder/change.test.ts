import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Change, insertion, onePercent, oneSave, renaming } from './change.ts'
import { treeKinds } from './tree.ts'

function makeFolders(tree: 'D1' | 'D2', scale: number): { near: string; far: string; scratch: string } {
  const folder = mkdtempSync(join(tmpdir(), 'plait-change-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [near = '', far = '', scratch = ''] = ['near', 'far', 'scratch'].map((name) => join(folder, name))
  for (const path of [near, far, scratch]) mkdirSync(path)
  treeKinds[tree].make(near, scale)
  return { near, far, scratch }
}

test.for<[string, 'D1' | 'D2', () => Change, number]>([
  ['one file in a hundred', 'D1', onePercent, 5],
  ['a save', 'D1', () => oneSave(3), 1],
  ['a renamed directory', 'D1', () => renaming, 251],
  ['an insertion', 'D2', insertion, 1],
])('%s has its signs at the near end, and none of what must come at an empty one', ([, tree, changeOf, signs]) => {
  const { near, far, scratch } = makeFolders(tree, tree === 'D1' ? 0.05 : 0.002)
  const change = changeOf()
  change.arrange?.(near)
  change.prepare?.(near, scratch)
  change.apply(near)
  const all = change.signs(near)
  expect(all).toHaveLength(signs)
  expect(all.every((sign) => sign(near, 0n))).toBe(true)
  expect(all[0]?.(far, 0n)).toBe(false)
})

test('an insertion puts 1 KiB into the middle and leaves the rest', () => {
  const { near, scratch } = makeFolders('D2', 0.003)
  const before = readFileSync(join(near, 'large'))
  const change = insertion()
  change.prepare?.(near, scratch)
  change.apply(near)
  const after = readFileSync(join(near, 'large'))
  const half = before.length / 2
  expect(after).toHaveLength(before.length + 1_024)
  expect(after.subarray(0, half).equals(before.subarray(0, half))).toBe(true)
  expect(after.subarray(half + 1_024).equals(before.subarray(half))).toBe(true)
})

test('a rewritten file keeps its length', () => {
  const { near } = makeFolders('D1', 0.01)
  const path = join(near, 'directory-0', 'file-0')
  const { size } = statSync(path)
  const before = readFileSync(path)
  onePercent().apply(near)
  expect(statSync(path).size).toBe(size)
  expect(readFileSync(path).equals(before)).toBe(false)
  expect(readdirSync(near)).toHaveLength(5)
})

test('a source tree has as many files and bytes as it is told, and is the same each time', () => {
  const { near, far } = makeFolders('D1', 0.01)
  const [one, other] = [join(near, 'source'), join(far, 'source')]
  for (const folder of [one, other]) {
    mkdirSync(folder)
    writeFileSync(join(folder, 'first'), '')
    treeKinds.D3.make(folder, 0.01)
  }
  const files = readdirSync(one, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(one, path)).isFile(),
  )
  expect(files).toHaveLength(42)
  expect(files.reduce((sum, path) => sum + statSync(join(one, path)).size, 0)).toBe(310_000)
  expect(files.every((path) => readFileSync(join(one, path)).equals(readFileSync(join(other, path))))).toBe(true)
})
