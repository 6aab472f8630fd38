import { lstatSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { secondsOf } from './tree-description.ts'

/** Flips one bit of one byte in one file below `root`, and hides it: size and time stay. Returns the file's path. */
export function corruptOneByte(root: string): string {
  const path = firstFile(root)
  if (path === undefined) throw new Error(`${root} has no file to corrupt`)
  const seconds = secondsOf(lstatSync(path, { bigint: true }))
  const bytes = readFileSync(path)
  const middle = Math.floor(bytes.length / 2)
  bytes[middle] = (bytes[middle] ?? 0) ^ 1
  writeFileSync(path, bytes)
  utimesSync(path, seconds, seconds)
  return path
}

function firstFile(directory: string): string | undefined {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isFile() && statSync(path).size > 0) return path
    const inside = entry.isDirectory() && entry.name !== '.plait' ? firstFile(path) : undefined
    if (inside !== undefined) return inside
  }
  return undefined
}
