import { createHash, randomFillSync } from 'node:crypto'
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { scaled } from '../workloads/workload.ts'

/** A folder to copy. */
export interface TreeKind {
  readonly about: string
  make(folder: string, scale: number): void
}

export const treeKinds: Readonly<Record<string, TreeKind>> = {
  D1: { about: '10,000 files of 1 to 8 KiB in 500 directories', make: makeSmallFiles },
  D2: { about: 'one random file of 1 GiB', make: makeLargeFile },
}

const blockBytes = 1024 * 1024

/** SHA-256 over names, modes, times and contents of all files and over the names of all directories, in order of their paths. */
export function hashTree(folder: string): string {
  const hash = createHash('sha256')
  const block = new Uint8Array(blockBytes)
  const entries = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(
    (path) => path.split('/')[0] !== '.plait',
  )
  for (const path of entries.sort()) {
    const stat = statSync(join(folder, path))
    if (stat.isDirectory()) hash.update(`directory ${path}\n`)
    else {
      hash.update(`file ${path} ${stat.size} ${stat.mode.toString(8)} ${Math.round(stat.mtimeMs / 1_000)}\n`)
      hashFile(join(folder, path), block, (bytes) => hash.update(bytes))
    }
  }
  return hash.digest('hex')
}

function hashFile(path: string, block: Uint8Array, update: (bytes: Uint8Array) => void): void {
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) update(block.subarray(0, read))
  } finally {
    closeSync(file)
  }
}

function makeSmallFiles(folder: string, scale: number): void {
  const directories = scaled(500, scale)
  const files = scaled(10_000, scale)
  const content = randomFillSync(new Uint8Array(8 * 1024))
  for (let number = 0; number < files; number += 1) {
    const directory = join(folder, `directory-${number % directories}`)
    mkdirSync(directory, { recursive: true })
    const path = join(directory, `file-${number}`)
    randomFillSync(content, 0, 64)
    writeFileSync(path, content.subarray(0, 1024 + ((number * 7_919) % (7 * 1024 + 1))))
    age(path, number)
  }
}

function makeLargeFile(folder: string, scale: number): void {
  const path = join(folder, 'large')
  const file = openSync(path, 'w')
  const block = new Uint8Array(blockBytes)
  for (let written = 0; written < scaled(1_024, scale); written += 1) writeSync(file, randomFillSync(block))
  closeSync(file)
  age(path, 0)
}

/** A time in the past and on a whole second, so that a copy that lost it is seen. */
function age(path: string, number: number): void {
  const seconds = 1_700_000_000 + number
  utimesSync(path, seconds, seconds)
}
