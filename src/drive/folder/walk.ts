import { isUtf8 } from 'node:buffer'
import { lstatSync, readdirSync, readlinkSync, type BigIntStats } from 'node:fs'
import type { Directory } from '../disk/directory.ts'
import { failureReason, systemCode } from '../disk/file-error.ts'
import { permissionBits } from '../version.ts'
import { asideFolder } from '../plan/item.ts'
import { baseName, childPath, childPathProblem, linkTargetProblem, parentPath, reservedName } from '../tree-path.ts'
import type { EntryKind } from '../version.ts'
import type { DiskEntry } from './disk-entry.ts'
import type { PathRules } from './path-rules.ts'
import { readRules, rulesName } from './rules-file.ts'

/** Something in the folder that is not shared, or not all of it. */
export interface SkippedPath {
  /** For people: not necessarily a path that exists. */
  readonly path: string
  /** The end of a sentence that begins with the path. */
  readonly reason: string
  /** Whether nothing of it is shared. If not, only what the reason names is left out. */
  readonly isWhole: boolean
}

export type WalkStep =
  | { readonly entry: DiskEntry }
  | { readonly skipped: SkippedPath }
  /** The path of something that is there and has no part in the folder. */
  | Passed

interface Passed {
  readonly passed: string
}

/** One directory on the way down. */
interface Level {
  readonly directory: Directory
  readonly path: string
  /** How many names its path has. */
  readonly depth: number
  readonly names: readonly string[]
  next: number
  /** Names that really have a replacement character in them; filled when one is met. */
  spelled?: ReadonlySet<string>
}

/**
 * Walks the folder depth first, a directory before what is in it, and what waits aside. Yields everything that can be shared, and with a
 * reason what cannot. No file is opened but those with patterns, no symbolic link followed, and every name looked up in its open directory.
 * What the rules leave out is passed. Synchronous: the caller paces it.
 */
export function* walkFolder(root: Directory, rules: PathRules): Generator<WalkStep, void> {
  yield* walkTree(root, '', rules)
  let aside: Directory | undefined
  try {
    aside = openBelow(root, asideFolder)
    if (aside !== undefined) yield* walkTree(aside, asideFolder, undefined)
  } finally {
    aside?.close()
  }
}

function* walkTree(root: Directory, path: string, rules: PathRules | undefined): Generator<WalkStep, void> {
  const levels: Level[] = [levelOf(root, path, path === '' ? 0 : path.split('/').length, rules)]
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const name = level.names[level.next]
      level.next += 1
      if (name === undefined) {
        levels.pop()
        if (level.directory !== root) level.directory.close()
        continue
      }
      const step = examine(level, name, rules)
      if (step === undefined) continue
      if (!('entry' in step) || step.entry.kind !== 'directory') yield step
      else yield enter(levels, level, name, step, rules)
      const note = 'entry' in step ? step.note : undefined
      if (note !== undefined) yield { skipped: note }
    }
  } finally {
    for (const level of levels) if (level.directory !== root) level.directory.close()
  }
}

type Examined = { readonly entry: DiskEntry; readonly note?: SkippedPath } | { readonly skipped: SkippedPath } | Passed

/** Goes into a directory: its entry, or why it cannot be read. */
function enter(
  levels: Level[],
  level: Level,
  name: string,
  step: { readonly entry: DiskEntry },
  rules: PathRules | undefined,
): WalkStep {
  const { path } = step.entry
  let directory: Directory | undefined
  try {
    directory = level.directory.open(name)
    levels.push(levelOf(directory, path, level.depth + 1, rules))
    return { entry: step.entry }
  } catch (error) {
    directory?.close()
    return skipped(path, failureReason(error))
  }
}

function levelOf(directory: Directory, path: string, depth: number, rules: PathRules | undefined): Level {
  const names = readdirSync(directory.self).sort()
  if (rules !== undefined) rules.enter(path, names.includes(rulesName) ? readRules(directory) : undefined)
  return { directory, path, depth, names, next: 0 }
}

/** What one name is; undefined for what has vanished meanwhile. */
function examine(level: Level, name: string, rules: PathRules | undefined): Examined | undefined {
  const path = childPath(level.path, name)
  if (name.toLowerCase() === reservedName) return { passed: path }
  if (name.includes('\ufffd') && !isSpelledSo(level, name)) return skipped(path, 'has a name that is not valid UTF-8')
  const problem = rules === undefined ? undefined : childPathProblem(path, name, level.depth + 1)
  try {
    const stats = lstatSync(level.directory.at(name), { bigint: true })
    if (rules?.ignores(path, stats.isDirectory()) === true) return { passed: path }
    return problem === undefined ? entryFor(path, stats, level.directory, name) : skipped(path, problem)
  } catch (error) {
    return systemCode(error) === 'ENOENT' ? undefined : skipped(path, failureReason(error))
  }
}

function entryFor(path: string, stats: BigIntStats, directory: Directory, name: string): Examined {
  if (stats.isFile()) {
    const entry = entryOf(path, stats, 'file', '')
    if ((stats.mode & specialBits) === 0n) return { entry }
    const reason = 'has a setuid, setgid or sticky bit, which is left out'
    return { entry, note: { path, reason, isWhole: false } }
  }
  if (stats.isDirectory()) return { entry: entryOf(path, stats, 'directory', '') }
  if (!stats.isSymbolicLink()) return skipped(path, `is ${specialKind(stats)}, which cannot be shared`)
  const bytes = readlinkSync(directory.at(name), 'buffer')
  const target = String(bytes)
  if (!isUtf8(bytes)) return skipped(path, 'is a symbolic link whose target is not valid UTF-8')
  const problem = linkTargetProblem(path, target)
  return problem === undefined ? { entry: entryOf(path, stats, 'link', target) } : skipped(path, problem)
}

function entryOf(path: string, stats: BigIntStats, kind: EntryKind, target: string): DiskEntry {
  const { mode, size, mtimeNs, ctimeNs, inode } = factsOf(stats, kind)
  return { path, kind, mode, size, mtimeNs, ctimeNs, inode, target }
}

/** What is noted of a name. */
export function factsOf(stats: BigIntStats, kind: EntryKind): Omit<DiskEntry, 'path' | 'target'> {
  return {
    kind,
    mode: Number(stats.mode) & permissionBits,
    size: kind === 'file' ? Number(stats.size) : 0,
    mtimeNs: stats.mtimeNs,
    ctimeNs: stats.ctimeNs,
    inode: stats.ino,
  }
}

const specialBits = 0o7000n

function specialKind(stats: BigIntStats): string {
  if (stats.isFIFO()) return 'a FIFO'
  return stats.isSocket() ? 'a socket' : 'a device'
}

function skipped(path: string, reason: string): { readonly skipped: SkippedPath } {
  return { skipped: { path, reason, isWhole: true } }
}

/** What is at one path, of which the directory is open; undefined when nothing is. What is in a directory is not looked at. */
export function examinePath(directory: Directory, path: string, rules: PathRules): WalkStep[] {
  const above = parentPath(path)
  const depth = above === '' ? 0 : above.split('/').length
  const step = examine({ directory, path: above, depth, names: [], next: 0 }, baseName(path), rules)
  if (step === undefined) return []
  return 'entry' in step && step.note !== undefined ? [step, { skipped: step.note }] : [step]
}

/** Everything below a directory that has no part in what was walked yet. */
export function* walkBelow(directory: Directory, path: string, rules: PathRules): Generator<WalkStep, void> {
  yield* walkTree(directory, path, rules)
}

/** The directory at a path; undefined when there is none. The caller closes it. */
export function openBelow(root: Directory, path: string): Directory | undefined {
  let directory = root
  try {
    for (const name of path.split('/')) {
      const next = directory.open(name)
      if (directory !== root) directory.close()
      directory = next
    }
    return directory
  } catch (error) {
    if (directory !== root) directory.close()
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
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
