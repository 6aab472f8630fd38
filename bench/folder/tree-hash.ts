import { createHash } from 'node:crypto'
import { closeSync, lstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { FolderTool } from './tool.ts'

const blockBytes = 1024 * 1024
/** What tools keep in a folder for themselves. */
const own = new Set(['.plait', '.stfolder', '.stignore', '.stversions'])

/** SHA-256 over names, modes, times and contents of all files and over names and modes of all directories, in order of their paths. */
export function hashTree(folder: string, times: FolderTool['times']): string {
  const hash = createHash('sha256')
  const block = new Uint8Array(blockBytes)
  for (const path of pathsIn(folder)) {
    const stat = lstatSync(join(folder, path), { bigint: true })
    const mode = stat.mode.toString(8)
    if (stat.isDirectory()) hash.update(`directory ${path} ${mode}\n`)
    else {
      const time = times === 'seconds' ? stat.mtimeNs / 1_000_000_000n : stat.mtimeNs
      hash.update(`file ${path} ${stat.size} ${mode} ${time}\n`)
      hashFile(join(folder, path), block, (bytes) => hash.update(bytes))
    }
  }
  return hash.digest('hex')
}

/** What a user sees in a folder, without what tools keep there. */
export function pathsIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => !own.has(path.split('/')[0] ?? ''))
    .toSorted()
}

function hashFile(path: string, block: Uint8Array, update: (bytes: Uint8Array) => void): void {
  const file = openSync(path, 'r')
  try {
    for (let read = readSync(file, block); read > 0; read = readSync(file, block)) update(block.subarray(0, read))
  } finally {
    closeSync(file)
  }
}
