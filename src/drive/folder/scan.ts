import { emptyBytes } from '../../base/bytes.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Directory } from '../disk/directory.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import { failureReason, systemCode } from '../disk/file-error.ts'
import { SourceFile } from '../disk/source-file.ts'
import type { Pace } from '../pace.ts'
import type { Disk } from '../plan/match.ts'
import { baseName, parentPath } from '../tree-path.ts'
import type { DiskEntry, KnownEntry } from './disk-entry.ts'
import type { DiskIndex } from './disk-index.ts'
import type { PathRules } from './path-rules.ts'
import { walkFolder } from './walk.ts'
import type { SkippedPath, WalkStep } from './walk.ts'

/** Reads a file and names its content. The content layer's: it knows the chunks then. */
export type ContentRoot = (file: SourceFile, path: string) => Promise<Uint8Array>

export interface ScanOptions {
  readonly index: DiskIndex
  readonly rules: PathRules
  readonly pace: Pace
  readonly clock: Clock
  readonly rootOf: ContentRoot
  readonly signal?: AbortSignal
}

/** What is in the folder. */
export interface Scan extends Disk {
  readonly skipped: readonly SkippedPath[]
  /** Files that were read. */
  readonly read: number
}

/** A file that changes under every reading is left for the next scan. */
const readingsMax = 3

/**
 * Looks at everything in the folder, and reads what may have changed since the index was written. What cannot be read is named, and counts
 * as not seen: nothing is concluded from its absence. The event loop goes on meanwhile. Rejects with `signal.reason`, or with an error of
 * the system when the folder itself cannot be read.
 */
export async function scanFolder(root: Directory, options: ScanOptions): Promise<WholeScan> {
  const { index, rules, pace } = options
  const scan = new ScanState(root, options)
  await scan.takeAll(walkFolder(root, rules))
  await scan.readDoubtful()
  const whole = scan.end()
  for (const _step of index.retain(scan.files, (path) => whole.entries.has(path) || !whole.isSeen(path))) {
    const turn = pace.pause()
    if (turn !== undefined) await turn
  }
  return whole
}

/** A scan, with all that another one can go on from. */
export interface WholeScan extends Scan {
  readonly entries: Map<string, KnownEntry>
  readonly holding: ReadonlySet<string>
}

/** What is known of the folder while it is looked at. */
export class ScanState {
  readonly entries: Map<string, KnownEntry>
  skipped: SkippedPath[]
  /** Files that the index knows. */
  files = 0
  readonly #holding: Set<string>
  readonly #doubtful: DiskEntry[] = []
  readonly #root: Directory
  readonly #options: ScanOptions

  /** `last`: goes on from there. */
  constructor(root: Directory, options: ScanOptions, last?: WholeScan) {
    this.#root = root
    this.#options = options
    this.entries = new Map(last?.entries)
    this.skipped = [...(last?.skipped ?? [])]
    this.#holding = new Set(last?.holding)
  }

  async takeAll(walk: Generator<WalkStep, void>): Promise<void> {
    const { pace, signal } = this.#options
    try {
      for (let step = walk.next(); step.done !== true; step = walk.next()) {
        this.take(step.value)
        const turn = pace.pause()
        if (turn !== undefined) await turn
        signal?.throwIfAborted()
      }
    } finally {
      walk.return()
    }
  }

  take(step: WalkStep): void {
    if ('skipped' in step) this.skipped.push(step.skipped)
    else if ('passed' in step) this.#hold(parentPath(step.passed))
    else {
      const { entry } = step
      const known = entry.kind === 'file' ? this.#options.index.rootOf(entry) : emptyBytes
      if (known === undefined) this.#doubtful.push(entry)
      else this.entries.set(entry.path, withRoot(entry, known))
      if (known !== undefined && entry.kind === 'file') this.files += 1
    }
  }

  async readDoubtful(): Promise<void> {
    const reader = new Reader(this.#root, this.#options)
    try {
      for (const entry of this.#doubtful) {
        this.#options.signal?.throwIfAborted()
        const result = await reader.read(entry)
        if (result === undefined) continue
        if ('reason' in result) this.skipped.push({ path: entry.path, reason: result.reason, isWhole: true })
        else {
          this.entries.set(entry.path, result)
          this.files += 1
        }
      }
    } finally {
      reader.close()
    }
  }

  end(): WholeScan {
    const { entries, skipped } = this
    const { rules } = this.#options
    const unseen = new Set(skipped.filter(({ isWhole }) => isWhole).map(({ path }) => path))
    for (const path of unseen) this.#hold(parentPath(path))
    return {
      ...{ entries, skipped, holding: this.#holding, read: this.#doubtful.length },
      isSeen: (path) => entries.has(path) || isSeen(path, unseen, rules),
      isLeftOut: (path) => !entries.has(path) && isLeftOut(path, rules),
      holdsUnseen: (path) => this.#holding.has(path),
    }
  }

  #hold(directory: string): void {
    for (let path = directory; path !== '' && !this.#holding.has(path); path = parentPath(path)) this.#holding.add(path)
  }
}

function withRoot(
  { path, kind, mode, size, mtimeNs, ctimeNs, inode, target }: DiskEntry,
  root: Uint8Array,
): KnownEntry {
  return { path, kind, mode, size, mtimeNs, ctimeNs, inode, target, root }
}

function isSeen(path: string, unseen: ReadonlySet<string>, rules: PathRules): boolean {
  for (let above = path; above !== ''; above = parentPath(above)) if (unseen.has(above)) return false
  return !isLeftOut(path, rules)
}

/** Whether it were a file or a directory. */
function isLeftOut(path: string, rules: PathRules): boolean {
  return rules.leavesOut(path, false) || rules.leavesOut(path, true)
}

/** Reads the files that the index does not know. */
class Reader {
  readonly #tree: DirectoryTree
  readonly #options: ScanOptions

  constructor(root: Directory, options: ScanOptions) {
    this.#tree = new DirectoryTree(root)
    this.#options = options
  }

  /** The file with its root, or why there is none; undefined when it has vanished. */
  async read(entry: DiskEntry): Promise<KnownEntry | { readonly reason: string } | undefined> {
    try {
      for (let reading = 0; reading < readingsMax; reading += 1) {
        const known = await this.#readOnce(entry)
        if (known !== undefined) return known
      }
      return { reason: 'is being written to, and is looked at again later' }
    } catch (error) {
      return systemCode(error) === 'ENOENT' ? undefined : { reason: failureReason(error) }
    }
  }

  close(): void {
    this.#tree.clear()
  }

  async #readOnce(entry: DiskEntry): Promise<KnownEntry | undefined> {
    const { index, clock, rootOf } = this.#options
    const file = SourceFile.open(this.#tree.open(parentPath(entry.path)), baseName(entry.path))
    try {
      const isSettled = file.settled(clock.wallMs())
      const facts = file.stats()
      const root = await rootOf(file, entry.path)
      if (!file.unchanged()) return undefined
      const { inode, size, mtimeNs, ctimeNs } = facts
      index.set(entry.path, { inode, size, mtimeNs, ctimeNs, root, isSettled })
      return { ...facts, path: entry.path, target: '', root }
    } finally {
      file.close()
    }
  }
}
