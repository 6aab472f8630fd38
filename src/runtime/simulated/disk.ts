import { PlaitError } from '../../base/error.ts'
import { checkDiskPath } from '../disk-path.ts'
import type { Disk, DiskFile } from '../disk.ts'
import { Contents } from './disk-contents.ts'
import { Directory, type Survives, type Unsynced } from './disk-directory.ts'

export type DiskOperation =
  | 'open'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'list'
  | 'makeDirectory'
  | 'rename'
  | 'remove'
  | 'syncDirectory'

export interface SimulatedDiskOptions {
  /** How long an operation takes; none at all when absent. */
  readonly delay?: (operation: DiskOperation, path: string) => Promise<void>
  /**
   * Asked before each operation: an error to fail with, or nothing. A sync that fails leaves what it was to write readable, and no later
   * sync writes it.
   */
  readonly fault?: (operation: DiskOperation, path: string) => PlaitError | undefined
  /** Room for the contents of all files together; writes beyond it fail with `NO_SPACE`. Without an end when absent. */
  readonly capacityBytes?: number
}

/**
 * A disk in memory that promises what POSIX promises and no more: a write is durable after `sync` of its file, a new, renamed
 * or removed name after `syncDirectory` of its directory.
 */
export class SimulatedDisk implements Disk {
  capacityBytes: number
  readonly #options: SimulatedDiskOptions
  #root = new Directory()
  /** Counts the ends of processes: files that were open before one are not usable after it. */
  #boot = 0
  #openFiles = 0

  constructor(options: SimulatedDiskOptions = {}) {
    this.#options = options
    this.capacityBytes = options.capacityBytes ?? Number.POSITIVE_INFINITY
  }

  /**
   * A power cut. Unsynced changes reach the disk all the same as far as `survives` says, each for itself: writes whole, torn, out of
   * order, names out of order. Nothing does when it is absent.
   */
  crash(survives: Survives = () => false): void {
    this.closeAll()
    this.#root.crash(survives)
  }

  /** The process ends that had files open: they are not usable after it. */
  closeAll(): void {
    this.#boot += 1
    this.#openFiles = 0
  }

  /** The disk as a power cut would leave it, with this one as it is: full speed, no faults, unless options say otherwise. */
  afterCrash(survives: Survives = () => false, options: SimulatedDiskOptions = {}): SimulatedDisk {
    const disk = new SimulatedDisk(options)
    disk.#root = this.#root.afterCrash(survives)
    return disk
  }

  /** All that a power cut might lose. */
  unsynced(): readonly Unsynced[] {
    return this.#root.unsynced('')
  }

  /** Of all files together. */
  get bytes(): number {
    return this.#root.bytes()
  }

  /** Files that are open. */
  get openFiles(): number {
    return this.#openFiles
  }

  /** What each file holds, by path. */
  files(): ReadonlyMap<string, Uint8Array> {
    return new Map([...this.#root.files('')].map(([path, contents]) => [path, contents.read(0, contents.length)]))
  }

  /** Rot: changes one bit of a file, in what is on the disk already too. */
  flip(path: string, bit: number): void {
    this.#root.files('').get(path)?.flip(bit)
  }

  async open(path: string, options: { readonly create: boolean }): Promise<DiskFile> {
    await this.#begin('open', path)
    const { directory, name } = this.#parent(path)
    let entry = directory.entry(name)
    if (entry === undefined && options.create) directory.put(name, (entry = new Contents()))
    if (entry === undefined) throw notFound(path)
    if (entry instanceof Directory) throw new PlaitError('PATH_REFUSED', `${path} is not a regular file`)
    return this.#file(path, entry)
  }

  async list(path: string): Promise<readonly string[]> {
    await this.#begin('list', path)
    return this.#directory(path).names
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#begin('makeDirectory', path)
    let directory = this.#root
    for (const name of namesOf(path)) {
      let entry = directory.entry(name)
      if (entry === undefined) directory.put(name, (entry = new Directory()))
      if (!(entry instanceof Directory)) throw failed(path, 'EEXIST', 'a file is in the way')
      directory = entry
    }
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#begin('rename', from)
    checkDiskPath(to)
    const source = this.#parent(from)
    const target = this.#parent(to)
    const entry = source.directory.entry(source.name)
    if (entry === undefined) throw notFound(from)
    const replaced = target.directory.entry(target.name)
    if (replaced instanceof Directory !== entry instanceof Directory && replaced !== undefined) {
      throw failed(to, 'EISDIR', 'a file and a directory cannot replace each other')
    }
    if (source.directory === target.directory) return source.directory.rename(source.name, target.name)
    source.directory.remove(source.name)
    target.directory.put(target.name, entry)
  }

  async remove(path: string): Promise<void> {
    await this.#begin('remove', path)
    const { directory, name } = this.#parent(path)
    const entry = directory.entry(name)
    if (entry === undefined) throw notFound(path)
    if (entry instanceof Directory && entry.size > 0) throw failed(path, 'ENOTEMPTY', 'the directory is not empty')
    directory.remove(name)
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#begin('syncDirectory', path)
    this.#directory(path).sync()
  }

  #file(path: string, contents: Contents): DiskFile {
    const boot = this.#boot
    const begin = async (operation: DiskOperation): Promise<void> => {
      await this.#begin(operation, path)
      if (!isOpen || boot !== this.#boot) throw failed(path, 'EBADF', 'the file is closed')
    }
    let isOpen = true
    this.#openFiles += 1
    return {
      size: async () => {
        await begin('size')
        return contents.length
      },
      read: async (offset, length) => {
        await begin('read')
        return contents.read(offset, length)
      },
      write: async (offset, bytes) => {
        await begin('write')
        this.#reserve(path, Math.max(0, offset + bytes.length - contents.length))
        contents.change({ kind: 'write', offset, bytes: bytes.slice() })
      },
      truncate: async (length) => {
        await begin('truncate')
        this.#reserve(path, Math.max(0, length - contents.length))
        contents.change({ kind: 'truncate', length })
      },
      sync: async () => {
        const changes = contents.changes
        try {
          await begin('sync')
        } catch (error) {
          contents.failSync(changes)
          throw error
        }
        contents.sync(changes)
      },
      close: async () => {
        if (isOpen && boot === this.#boot) this.#openFiles -= 1
        isOpen = false
      },
    }
  }

  async #begin(operation: DiskOperation, path: string): Promise<void> {
    checkDiskPath(path)
    const boot = this.#boot
    await this.#options.delay?.(operation, path)
    if (boot !== this.#boot) throw failed(path, 'EIO', 'the power was cut')
    const fault = this.#options.fault?.(operation, path)
    if (fault !== undefined) throw fault
  }

  #reserve(path: string, bytes: number): void {
    if (bytes === 0 || this.#root.bytes() + bytes <= this.capacityBytes) return
    throw new PlaitError('NO_SPACE', `cannot write ${path}: the disk is full; make room and try again`, {
      facts: { path, reason: 'ENOSPC' },
    })
  }

  #directory(path: string): Directory {
    let directory = this.#root
    for (const name of namesOf(path)) {
      const entry = directory.entry(name)
      if (!(entry instanceof Directory))
        throw entry === undefined ? notFound(path) : failed(path, 'ENOTDIR', 'it is not a directory')
      directory = entry
    }
    return directory
  }

  #parent(path: string): { readonly directory: Directory; readonly name: string } {
    const cut = path.lastIndexOf('/')
    if (path === '') throw new PlaitError('PATH_REFUSED', 'the root itself cannot be opened, renamed or removed')
    return { directory: this.#directory(cut < 0 ? '' : path.slice(0, cut)), name: path.slice(cut + 1) }
  }
}

function namesOf(path: string): readonly string[] {
  return path === '' ? [] : path.split('/')
}

function notFound(path: string): PlaitError {
  return failed(path, 'ENOENT', 'there is no such file')
}

function failed(path: string, reason: string, sentence: string): PlaitError {
  return new PlaitError('FILE_FAILED', `cannot use ${path}: ${sentence}`, { facts: { path, reason } })
}
