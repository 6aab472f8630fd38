import { bytesEqual, emptyBytes } from '../../base/bytes.ts'
import { bool, bytes, decode, encode, struct, u8, varint } from '../../wire/schema.ts'
import type { View, ViewChange } from '../../store/view.ts'
import { endsStep, paced } from '../plan/steps.ts'
import type { Pauses, Steps } from '../plan/steps.ts'
import type { DiskEntry } from './disk-entry.ts'
import { WholeFiles } from './whole-files.ts'

/** What a file was when it was hashed. */
export interface Indexed {
  readonly inode: bigint
  readonly size: number
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
  readonly root: Uint8Array
  /** Whether it was old enough then that another change would show in its times. */
  readonly isSettled: boolean
}

/** The roots of files by their paths, kept in a view: derived, and made again from the folder when it is lost. */
export class DiskIndex {
  readonly #view: View
  readonly #indexedByPath: Map<string, Indexed>
  readonly #changes = new Map<string, Indexed | undefined>()
  readonly #pathByInode = new Map<bigint, string>()
  /** Of files of one chunk: who is asked for it need not look anywhere else. */
  readonly #wholeFiles = new WholeFiles()
  #forgotten: string[] = []
  /** Told of files that are found elsewhere, because a directory above them has another name. */
  onMoved: (from: string, to: string) => void = () => undefined

  private constructor(view: View, indexedByPath: Map<string, Indexed>) {
    this.#view = view
    this.#indexedByPath = indexedByPath
    for (const [path, indexed] of indexedByPath) {
      this.#pathByInode.set(indexed.inode, path)
      this.#wholeFiles.add(path, indexed)
    }
  }

  static async open(view: View): Promise<DiskIndex> {
    const indexedByPath = new Map<string, Indexed>()
    for (const { key, value } of await view.entries(table)) {
      const [path, indexed] = [decoder.decode(key), readIndexed(value)]
      indexedByPath.set(path, indexed)
    }
    return new DiskIndex(view, indexedByPath)
  }

  /** The root of what is at a path, if it is still what was hashed, as far as the system can tell. */
  rootOf(entry: DiskEntry): Uint8Array | undefined {
    const indexed = this.#indexedByPath.get(entry.path)
    if (indexed !== undefined) return isSame(indexed, entry) ? indexed.root : undefined
    // Of a file whose directory was renamed nothing has changed but the path.
    const from = this.#pathByInode.get(entry.inode)
    const moved = from === undefined ? undefined : this.#indexedByPath.get(from)
    if (from === undefined || moved === undefined || !isSame(moved, entry)) return undefined
    this.set(entry.path, moved)
    this.onMoved(from, entry.path)
    return moved.root
  }

  /** What was last found at a path. */
  at(path: string): Indexed | undefined {
    return this.#indexedByPath.get(path)
  }

  /** Files that were found to be this very chunk, `max` at most. */
  filesOf(root: Uint8Array, max: number): readonly string[] {
    return this.#wholeFiles
      .paths(root)
      .filter((path) => {
        const indexed = this.#indexedByPath.get(path)
        return indexed !== undefined && bytesEqual(indexed.root, root)
      })
      .slice(0, max)
  }

  /** A file is not that chunk, whatever its times say. */
  disbelieve(path: string, root: Uint8Array): void {
    this.#wholeFiles.remove(path, root)
  }

  set(path: string, indexed: Indexed): void {
    const before = this.#indexedByPath.get(path)
    if (before !== undefined) this.#wholeFiles.remove(path, before.root)
    this.#wholeFiles.add(path, indexed)
    this.#indexedByPath.set(path, indexed)
    this.#pathByInode.set(indexed.inode, path)
    this.#changes.set(path, indexed)
  }

  /** Forgets what is not in the folder any more, in steps. `present`: how many of those it knows are. */
  *retain(present: number, isPresent: (path: string) => boolean): Steps<void> {
    if (present === this.#indexedByPath.size) return
    let count = 0
    for (const path of this.#indexedByPath.keys()) {
      count += 1
      if (endsStep(count)) yield
      if (!isPresent(path)) this.#forget(path)
    }
  }

  /** Forgets files that are not in the folder any more. */
  forget(paths: Iterable<string>): void {
    for (const path of paths) if (this.#indexedByPath.has(path)) this.#forget(path)
  }

  /** Paths that are not in the folder any more, since the last call. */
  takeForgotten(): readonly string[] {
    const forgotten = this.#forgotten
    this.#forgotten = []
    return forgotten
  }

  /** Writes what has changed to the view. What is written of one file does not depend on any other. */
  async save(pace?: Pauses): Promise<void> {
    while (this.#changes.size > 0) {
      const changes = await paced(this.#takeChanges(), pace)
      await this.#view.transact(this.#view.cursor, changes)
    }
  }

  #forget(path: string): void {
    const indexed = this.#indexedByPath.get(path)
    if (indexed === undefined) return
    if (this.#pathByInode.get(indexed.inode) === path) this.#pathByInode.delete(indexed.inode)
    this.#wholeFiles.remove(path, indexed.root)
    this.#indexedByPath.delete(path)
    this.#forgotten.push(path)
    this.#changes.set(path, undefined)
  }

  *#takeChanges(): Steps<readonly ViewChange[]> {
    const changes: ViewChange[] = []
    for (const [path, indexed] of this.#changes) {
      this.#changes.delete(path)
      const value = indexed === undefined ? undefined : writeIndexed(indexed)
      changes.push({ table, key: encoder.encode(path), value })
      if (changes.length === changesMax) break
      if (endsStep(changes.length)) yield
    }
    return changes
  }
}

/** Of one transaction. */
const changesMax = 4_096

function isSame({ isSettled, inode, size, mtimeNs, ctimeNs }: Indexed, entry: DiskEntry): boolean {
  if (!isSettled || inode !== entry.inode || size !== entry.size) return false
  return mtimeNs === entry.mtimeNs && ctimeNs === entry.ctimeNs
}

const table = 'disk'
const encoder = new TextEncoder()
const decoder = new TextDecoder()

const stored = struct({
  format: u8,
  isSettled: bool,
  size: varint,
  times: bytes({ max: 24 }),
  root: bytes({ max: 32 }),
})

function writeIndexed({ inode, size, mtimeNs, ctimeNs, root, isSettled }: Indexed): Uint8Array {
  const times = new Uint8Array(24)
  const view = new DataView(times.buffer)
  view.setBigUint64(0, inode, true)
  view.setBigInt64(8, mtimeNs, true)
  view.setBigInt64(16, ctimeNs, true)
  return encode(stored, { format: 1, isSettled, size, times, root })
}

function readIndexed(value: Uint8Array): Indexed {
  const { isSettled, size, times, root } = decode(stored, value)
  const view = new DataView(times.buffer, times.byteOffset, 24)
  const [inode, mtimeNs, ctimeNs] = [view.getBigUint64(0, true), view.getBigInt64(8, true), view.getBigInt64(16, true)]
  return { inode, size, mtimeNs, ctimeNs, root: root.length === 0 ? emptyBytes : root.slice(), isSettled }
}
