import { closeSync, constants, existsSync, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileError } from './file-error.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** On Linux a path through an open directory's descriptor means that directory, wherever its name points meanwhile. */
const descriptors = '/proc/self/fd'
const confined = existsSync(descriptors)

/**
 * An open directory of a tree that others may be changing, and the only way to the names in it: no name above it is
 * looked at again, so that nobody can lead us out of the tree by putting a symbolic link in the place of a directory.
 * Where the system does not offer that (everywhere but Linux), each directory is checked when it is opened.
 */
export class Directory {
  readonly fd: number
  readonly #prefix: string
  #closed = false

  private constructor(fd: number, path: string) {
    this.fd = fd
    this.#prefix = confined ? `${descriptors}/${fd}` : path
  }

  /**
   * The root of a tree; the user's choice, so that symbolic links on the way to it are followed. Throws `FILE_FAILED`.
   */
  static root(path: string): Directory {
    try {
      return new Directory(openSync(path, O_RDONLY | O_DIRECTORY), path)
    } catch (error) {
      throw fileError(error, path)
    }
  }

  /** A path for one name in this directory, good until `close`. */
  at(name: string): string {
    return `${this.#prefix}/${name}`
  }

  /** This directory's own path, good until `close`. */
  get self(): string {
    return confined ? `${this.#prefix}/.` : this.#prefix
  }

  /** Opens a directory in this one; a symbolic link is refused (ELOOP or ENOTDIR). Throws errors of the system. */
  open(name: string): Directory {
    const path = this.at(name)
    // Without O_NOFOLLOW's guarantee for all names above, at least each of them has been a real directory when it was
    // opened.
    if (!confined && !lstatSync(path).isDirectory())
      throw Object.assign(new Error(`${path} is not a directory`), { code: 'ENOTDIR' })
    return new Directory(openSync(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW), join(this.#prefix, name))
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    closeSync(this.fd)
  }
}
