import { isUtf8 } from 'node:buffer'
import { lstatSync, readdirSync, type BigIntStats, readlinkSync } from 'node:fs'
import { permissionBits, type ListingRecord, type TreeEntry } from '../entry.ts'
import { childPath, linkTargetProblem, pathProblem, reservedName } from '../tree-path.ts'
import type { Directory } from './directory.ts'
import { failureReason, systemCode } from './file-error.ts'

/** One directory on the way down. */
interface Level {
  readonly directory: Directory
  readonly path: string
  readonly names: readonly string[]
  next: number
  /** Names that really have a replacement character in them; filled when one is met. */
  spelled?: ReadonlySet<string>
}

/**
 * Walks the tree below `root` depth first, in the order of `ListingOrder`, and yields every entry, the root (`''`)
 * first, and with a reason whatever cannot be shared. No file is opened; no symbolic link is followed. Synchronous:
 * the caller paces it.
 */
export function* scanTree(root: Directory): Generator<ListingRecord, void> {
  const levels: Level[] = [{ directory: root, path: '', names: namesIn(root), next: 0 }]
  try {
    yield entryFor('', lstatSync(root.self, { bigint: true }), root, '')
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next]
      level.next += 1
      if (name === undefined) {
        levels.pop()
        if (level.directory !== root) level.directory.close()
        continue
      }
      const record = examine(level, name)
      if (record === undefined) continue
      if (record.kind !== 'directory') yield record
      else yield enter(levels, level, name, record)
    }
  } finally {
    for (const level of levels) if (level.directory !== root) level.directory.close()
  }
}

/** Goes into a directory: its entry, or why it cannot be read. */
function enter(levels: Level[], level: Level, name: string, entry: TreeEntry): ListingRecord {
  let directory: Directory | undefined
  try {
    directory = level.directory.open(name)
    levels.push({ directory, path: entry.path, names: namesIn(directory), next: 0 })
    return entry
  } catch (error) {
    directory?.close()
    return { kind: 'skipped', path: entry.path, reason: failureReason(error) }
  }
}

/** What one name is; undefined for what is plait's own and for what has vanished meanwhile. */
function examine(level: Level, name: string): ListingRecord | undefined {
  if (name.toLowerCase() === reservedName) return undefined
  const path = childPath(level.path, name)
  if (name.includes('\ufffd') && !isSpelledSo(level, name))
    return { kind: 'skipped', path, reason: 'has a name that is not valid UTF-8' }
  const problem = pathProblem(path)
  if (problem !== undefined) return { kind: 'skipped', path, reason: problem }
  try {
    return entryFor(path, lstatSync(level.directory.at(name), { bigint: true }), level.directory, name)
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : { kind: 'skipped', path, reason: failureReason(error) }
  }
}

function entryFor(path: string, stats: BigIntStats, directory: Directory, name: string): ListingRecord {
  const facts = { path, mode: Number(stats.mode) & permissionBits, mtimeNs: stats.mtimeNs }
  if (stats.isFile()) return { kind: 'file', ...facts, size: Number(stats.size) }
  if (stats.isDirectory()) return { kind: 'directory', ...facts }
  if (!stats.isSymbolicLink())
    return { kind: 'skipped', path, reason: `is ${specialKind(stats)}, which cannot be shared` }
  const bytes = readlinkSync(directory.at(name), 'buffer')
  const target = String(bytes)
  if (!isUtf8(bytes)) return { kind: 'skipped', path, reason: 'is a symbolic link whose target is not valid UTF-8' }
  const problem = linkTargetProblem(path, target)
  return problem === undefined ? { kind: 'symlink', ...facts, target } : { kind: 'skipped', path, reason: problem }
}

function specialKind(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a FIFO'
  if (stats.isSocket()) return 'a socket'
  return 'a device'
}

/** Sorted as `ListingOrder` wants them. */
function namesIn(directory: Directory): readonly string[] {
  return readdirSync(directory.self).sort()
}

/**
 * Whether a name with a replacement character really is spelled with it; names that are not UTF-8 are shown with it
 * too.
 */
function isSpelledSo(level: Level, name: string): boolean {
  level.spelled ??= new Set(readdirSync(level.directory.self, 'buffer').filter(isUtf8).map(String))
  // Of several names that look alike, the first is taken for the one that is spelled so; the others are reported.
  return level.spelled.has(name) && level.names[level.next - 2] !== name
}
