import type { Directory } from '../disk/directory.ts'
import { DirectoryTree } from '../disk/directory-tree.ts'
import { baseName, parentPath } from '../tree-path.ts'
import { rulesName } from './rules-file.ts'
import { ScanState } from './scan.ts'
import type { ScanOptions, WholeScan } from './scan.ts'
import { examinePath, walkBelow } from './walk.ts'
import type { WalkStep } from './walk.ts'

/**
 * Looks again at some paths of a folder that was scanned before, and at the directories that they are in. Undefined when all of it has to
 * be looked at: the patterns have changed, or a directory cannot be opened. Rejects as `scanFolder`.
 */
export async function rescan(
  root: Directory,
  last: WholeScan,
  paths: ReadonlySet<string>,
  options: ScanOptions,
): Promise<WholeScan | undefined> {
  const all = new Set<string>()
  for (const path of paths) {
    if (baseName(path) === rulesName) return undefined
    if (path !== '') all.add(path)
    if (parentPath(path) !== '') all.add(parentPath(path))
  }
  if (all.size === 0) return last
  const work = new Rescan(root, last, options)
  // A directory comes before what is in it.
  for (const path of [...all].sort()) if (!(await work.look(path))) return undefined
  return work.end()
}

class Rescan {
  readonly #state: ScanState
  readonly #tree: DirectoryTree
  readonly #options: ScanOptions
  readonly #before: WholeScan
  readonly #removed: string[] = []
  /** Directories of which everything was just looked at. */
  readonly #walked = new Set<string>()

  constructor(root: Directory, last: WholeScan, options: ScanOptions) {
    this.#state = new ScanState(root, options, last)
    this.#tree = new DirectoryTree(root)
    this.#options = options
    this.#before = last
  }

  /** Returns whether that was possible. */
  async look(path: string): Promise<boolean> {
    const parent = parentPath(path)
    if (this.#isWalked(parent)) return true
    const { rules } = this.#options
    const isIn = parent === '' || this.#state.entries.get(parent)?.kind === 'directory'
    let steps: readonly WalkStep[]
    try {
      steps = isIn ? examinePath(this.#tree.open(parent), path, rules) : []
    } catch {
      return false
    }
    const [first] = steps
    const known = this.#state.entries.get(path)
    const entry = first !== undefined && 'entry' in first ? first.entry : undefined
    const isSame = entry?.kind === 'directory' && known?.kind === 'directory' && entry.inode === known.inode
    if (!isSame) this.#remove(path)
    this.#state.skipped = this.#state.skipped.filter((skipped) => skipped.path !== path)
    for (const step of steps) this.#state.take(step)
    if (entry?.kind !== 'directory' || isSame) return true
    return this.#walk(path)
  }

  async end(): Promise<WholeScan> {
    this.#tree.clear()
    await this.#state.readDoubtful()
    const scan = this.#state.end()
    this.#options.index.forget(this.#removed.filter((path) => !scan.entries.has(path) && scan.isSeen(path)))
    return scan
  }

  async #walk(path: string): Promise<boolean> {
    this.#walked.add(path)
    let directory: Directory
    try {
      directory = this.#tree.open(parentPath(path)).open(baseName(path))
    } catch {
      return false
    }
    try {
      await this.#state.takeAll(walkBelow(directory, path, this.#options.rules))
      return true
    } finally {
      directory.close()
    }
  }

  #isWalked(directory: string): boolean {
    for (let path = directory; path !== ''; path = parentPath(path)) if (this.#walked.has(path)) return true
    return false
  }

  /** With all that was in it. */
  #remove(path: string): void {
    const known = this.#state.entries.get(path)
    if (known === undefined) return
    this.#state.entries.delete(path)
    if (known.kind === 'file') this.#removed.push(path)
    if (known.kind !== 'directory') return
    const prefix = `${path}/`
    for (const below of this.#before.entries.values()) {
      if (!below.path.startsWith(prefix) || !this.#state.entries.delete(below.path)) continue
      if (below.kind === 'file') this.#removed.push(below.path)
    }
    this.#state.skipped = this.#state.skipped.filter((skipped) => !skipped.path.startsWith(prefix))
  }
}
