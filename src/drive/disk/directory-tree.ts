import { baseName, parentPath } from '../tree-path.ts'
import type { Directory } from './directory.ts'

/** Open directories at a time. */
const openMax = 64

/** The directories of a tree by their paths, each opened step by step from the root; the last ones used stay open. */
export class DirectoryTree {
  readonly root: Directory
  readonly #openByPath = new Map<string, Directory>()
  /** The last one asked for: files of one directory come one after the other. */
  #lastPath: string | undefined
  #last: Directory

  /** `root` stays the caller's. */
  constructor(root: Directory) {
    this.root = root
    this.#last = root
  }

  /** The directory at `path`, a path without problems. Good until the next call. Throws errors of the system. */
  open(path: string): Directory {
    if (path === '') return this.root
    if (path === this.#lastPath) return this.#last
    const known = this.#openByPath.get(path)
    if (known !== undefined) {
      this.#openByPath.delete(path)
      this.#openByPath.set(path, known)
      return this.#use(path, known)
    }
    const directory = this.open(parentPath(path)).open(baseName(path))
    this.#openByPath.set(path, directory)
    if (this.#openByPath.size > openMax) this.#closeOldest()
    return this.#use(path, directory)
  }

  /** Forgets what is open, so that the next call sees the names as they are then. */
  clear(): void {
    for (const directory of this.#openByPath.values()) directory.close()
    this.#openByPath.clear()
    this.#lastPath = undefined
  }

  #use(path: string, directory: Directory): Directory {
    this.#lastPath = path
    this.#last = directory
    return directory
  }

  #closeOldest(): void {
    for (const [path, directory] of this.#openByPath) {
      this.#openByPath.delete(path)
      return directory.close()
    }
  }
}
