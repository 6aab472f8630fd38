import { randomFillSync } from 'node:crypto'
import { closeSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { scaled } from '../workloads/workload.ts'
import { makeSourceTree } from './source-tree.ts'

/** A folder to copy. */
export interface TreeKind {
  readonly about: string
  make(folder: string, scale: number): void
}

export type TreeName = 'D1' | 'D2' | 'D3' | 'D4'

export const treeKinds: Readonly<Record<TreeName, TreeKind>> = {
  D1: { about: '10,000 files of 1 to 8 KiB in 500 directories', make: makeSmallFiles },
  D2: { about: 'one random file of 1 GiB', make: makeLargeFile },
  D3: { about: 'a source tree of 4,098 files, 31 MB', make: makeSourceFiles },
  D4: { about: '100,000 files of 16 to 271 bytes in 1,000 directories', make: makeTinyFiles },
}

const blockBytes = 1024 * 1024
const large = 'large'

/** Of D2. */
export function largeFileIn(folder: string): string {
  return join(folder, large)
}

/** A time in the past and on a whole second, so that a copy that lost it is seen. */
export function age(path: string, number: number): void {
  const seconds = 1_700_000_000 + number
  utimesSync(path, seconds, seconds)
}

function makeSmallFiles(folder: string, scale: number): void {
  const shape = { files: scaled(10_000, scale), directories: scaled(500, scale) }
  makeFiles(folder, shape, (number) => 1024 + ((number * 7_919) % (7 * 1024 + 1)))
}

function makeTinyFiles(folder: string, scale: number): void {
  const shape = { files: scaled(100_000, scale), directories: scaled(1_000, scale) }
  makeFiles(folder, shape, (number) => 16 + ((number * 7_919) % 256))
}

function makeFiles(
  folder: string,
  { files, directories }: { readonly files: number; readonly directories: number },
  bytesOf: (number: number) => number,
): void {
  const content = new Uint8Array(8 * 1024)
  for (let number = 0; number < directories; number += 1) mkdirSync(join(folder, `directory-${number}`))
  for (let number = 0; number < files; number += 1) {
    const path = join(folder, `directory-${number % directories}`, `file-${number}`)
    const bytes = content.subarray(0, bytesOf(number))
    writeFileSync(path, randomFillSync(bytes))
    age(path, number)
  }
}

function makeLargeFile(folder: string, scale: number): void {
  const path = largeFileIn(folder)
  const file = openSync(path, 'w')
  const block = new Uint8Array(blockBytes)
  for (let written = 0; written < scaled(1_024, scale); written += 1) writeSync(file, randomFillSync(block))
  closeSync(file)
  age(path, 0)
}

function makeSourceFiles(folder: string, scale: number): void {
  makeSourceTree(folder, { files: scaled(4_098, scale), bytes: scaled(31_000_000, scale) }, age)
}
