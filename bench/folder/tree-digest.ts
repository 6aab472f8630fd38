import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

const blockBytes = 1024 * 1024
/** What tools keep in a folder for themselves. */
const own = new Set(['.plait', '.stfolder', '.stignore', '.stversions'])

/** A tree at one moment. */
export interface TreeDigest {
  /** SHA-256 over names, modes and contents of all files and over names and modes of all directories, in order of their paths. */
  readonly hash: string
  /** When each file was changed, in the same order. */
  readonly timesNs: readonly bigint[]
}

export function digestTree(folder: string): TreeDigest {
  const hash = createHash('sha256')
  const block = new Uint8Array(blockBytes)
  const timesNs: bigint[] = []
  for (const path of pathsIn(folder)) {
    const stat = lstatSync(join(folder, path), { bigint: true })
    const mode = stat.mode.toString(8)
    if (stat.isDirectory()) hash.update(`directory ${path} ${mode}\n`)
    else {
      hash.update(`file ${path} ${stat.size} ${mode}\n`)
      hashFile(join(folder, path), block, (bytes) => hash.update(bytes))
      timesNs.push(stat.mtimeNs)
    }
  }
  return { hash: hash.digest('hex'), timesNs }
}

/** Whether one is the copy of the other, made by a tool that carries times as exactly as that. */
export function isSameTree(one: TreeDigest, other: TreeDigest, withinNs: bigint): boolean {
  if (one.hash !== other.hash) return false
  return one.timesNs.every((time, index) => isSameTime(time, other.timesNs[index] ?? -1n, withinNs))
}

export function isSameTime(one: bigint, other: bigint, withinNs: bigint): boolean {
  const difference = one > other ? one - other : other - one
  return difference <= withinNs
}

/** What a user sees in a folder, without what tools keep there. */
export function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !own.has(path.split('/')[0] ?? ''))
    .toSorted()
}

/** SHA-256 over the content of one file. */
export function hashContent(path: string): string {
  const hash = createHash('sha256')
  hashFile(path, new Uint8Array(blockBytes), (bytes) => hash.update(bytes))
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
