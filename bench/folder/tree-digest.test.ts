import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { digestTree, isSameTree } from './tree-digest.ts'

const exact = 0n

function makeTree(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-tree-digest-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'directory'))
  writeFileSync(join(folder, 'directory', 'file'), 'one')
  chmodSync(join(folder, 'directory', 'file'), 0o644)
  utimesSync(join(folder, 'directory', 'file'), 1_700_000_000, 1_700_000_000)
  return folder
}

test('equal trees are, whatever a tool keeps in them for itself', () => {
  const [one, other] = [makeTree(), makeTree()]
  mkdirSync(join(other, '.plait'))
  writeFileSync(join(other, '.plait', 'marker'), 'own')
  expect(isSameTree(digestTree(one), digestTree(other), exact)).toBe(true)
})

test.for<[string, (folder: string) => void]>([
  ['a content', (folder) => (writeFileSync(join(folder, 'directory', 'file'), 'two'), restoreTime(folder))],
  ['a mode', (folder) => chmodSync(join(folder, 'directory', 'file'), 0o600)],
  ['the mode of a directory', (folder) => chmodSync(join(folder, 'directory'), 0o700)],
  ['a time', (folder) => utimesSync(join(folder, 'directory', 'file'), 1_700_000_001, 1_700_000_001)],
  ['a file more', (folder) => writeFileSync(join(folder, 'more'), '')],
  ['an empty directory more', (folder) => mkdirSync(join(folder, 'more'))],
])('%s makes a difference', ([, change]) => {
  const [one, other] = [makeTree(), makeTree()]
  change(other)
  expect(isSameTree(digestTree(one), digestTree(other), exact)).toBe(false)
})

test('a time may be off by what a tool does not carry, and by no more', () => {
  const [one, other] = [makeTree(), makeTree()]
  utimesSync(join(other, 'directory', 'file'), 1_700_000_000.5, 1_700_000_000.5)
  expect(isSameTree(digestTree(one), digestTree(other), 500_000_000n)).toBe(true)
  expect(isSameTree(digestTree(one), digestTree(other), 499_999_999n)).toBe(false)
})

function restoreTime(folder: string): void {
  utimesSync(join(folder, 'directory', 'file'), 1_700_000_000, 1_700_000_000)
}
