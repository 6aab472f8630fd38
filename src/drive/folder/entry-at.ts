import { lstatSync, readlinkSync } from 'node:fs'
import type { Directory } from '../disk/directory.ts'
import { baseName } from '../tree-path.ts'
import type { DiskFacts } from './disk-entry.ts'
import { factsOf } from './walk.ts'

/** What is at a path, whose directory is open; undefined: nothing. Throws errors of the system; ENXIO for what no drive can have. */
export function entryAt(directory: Directory, path: string): (DiskFacts & { readonly target: string }) | undefined {
  const at = directory.at(baseName(path))
  const stats = lstatSync(at, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return undefined
  if (stats.isSymbolicLink()) return { ...factsOf(stats, 'link'), target: readlinkSync(at) }
  if (stats.isDirectory()) return { ...factsOf(stats, 'directory'), target: '' }
  if (stats.isFile()) return { ...factsOf(stats, 'file'), target: '' }
  throw Object.assign(new Error(`${path} is not a regular file`), { code: 'ENXIO' })
}
