import { constants } from 'node:fs'
import { mkdir, open, readdir, rename, rm, rmdir, lstat, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import type { Disk, DiskFile } from '../disk.ts'
import { checkDiskPath } from '../disk-path.ts'
import { allocateUncleared } from './memory.ts'

/** The part of the file system below `root`, an existing directory. Files are made with mode 0600, directories with 0700. */
export function systemDisk(root: string): Disk {
  return new SystemDisk(root)
}

class SystemDisk implements Disk {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  async open(path: string, options: { readonly create: boolean }): Promise<DiskFile> {
    const { O_RDWR, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants
    const full = this.#resolve(path)
    // O_NONBLOCK: opening a FIFO would otherwise occupy a thread of the pool until somebody opens its other end.
    const flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | (options.create ? O_CREAT : 0)
    return attempt('open', path, async () => {
      const handle = await open(full, flags, 0o600)
      try {
        if (!(await handle.stat()).isFile()) throw new PlaitError('PATH_REFUSED', `${path} is not a regular file`)
      } catch (error) {
        await handle.close()
        throw error
      }
      return new SystemFile(handle, path)
    })
  }

  list(directory: string): Promise<readonly string[]> {
    return attempt('list', directory, async () => (await readdir(this.#resolve(directory))).sort())
  }

  async makeDirectory(path: string): Promise<void> {
    await attempt('make directory', path, () => mkdir(this.#resolve(path), { recursive: true, mode: 0o700 }))
  }

  rename(from: string, to: string): Promise<void> {
    return attempt('rename', from, () => rename(this.#resolve(from), this.#resolve(to)))
  }

  remove(path: string): Promise<void> {
    const full = this.#resolve(path)
    return attempt('remove', path, async () => ((await lstat(full)).isDirectory() ? rmdir(full) : rm(full)))
  }

  syncDirectory(path: string): Promise<void> {
    const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
    return attempt('sync directory', path, async () => {
      await using handle = await open(this.#resolve(path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      await handle.sync()
    })
  }

  #resolve(path: string): string {
    checkDiskPath(path)
    return join(this.#root, path)
  }
}

class SystemFile implements DiskFile {
  readonly #handle: FileHandle
  readonly #path: string

  constructor(handle: FileHandle, path: string) {
    this.#handle = handle
    this.#path = path
  }

  size(): Promise<number> {
    return attempt('stat', this.#path, async () => (await this.#handle.stat()).size)
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return attempt('read', this.#path, async () => {
      // Not longer than the file: a length that was read from a damaged header must not allocate gigabytes.
      const isShort = length <= unaskedBytesMax
      const left = isShort ? length : Math.max(0, (await this.#handle.stat()).size - offset)
      const bytes = allocateUncleared(Math.min(length, left))
      let filled = 0
      while (filled < bytes.length) {
        const { bytesRead } = await this.#handle.read(bytes, filled, bytes.length - filled, offset + filled)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return filled === bytes.length ? bytes : bytes.slice(0, filled)
    })
  }

  write(offset: number, bytes: Uint8Array): Promise<void> {
    return attempt('write', this.#path, async () => {
      let written = 0
      while (written < bytes.length) {
        const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, offset + written)
        written += bytesWritten
      }
    })
  }

  truncate(length: number): Promise<void> {
    return attempt('truncate', this.#path, () => this.#handle.truncate(length))
  }

  /** `fdatasync`: contents and length, which is all that reading needs; it spares the write of the file's times. */
  sync(): Promise<void> {
    return attempt('sync', this.#path, () => this.#handle.datasync())
  }

  close(): Promise<void> {
    return attempt('close', this.#path, () => this.#handle.close())
  }
}

/** So much is read without looking how much there is: each look is one more way to another thread and back. */
const unaskedBytesMax = 2 * 1024 * 1024

/** Runs `work` and turns what the system reports into a `PlaitError` with the system's code in `facts.reason`. */
async function attempt<Result>(verb: string, path: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (PlaitError.is(error)) throw error
    const reason = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown'
    const options = { cause: error, facts: { path, reason } }
    if (reason === 'ENOSPC' || reason === 'EDQUOT') {
      throw new PlaitError('NO_SPACE', `cannot ${verb} ${path}: the disk is full; make room and try again`, options)
    }
    if (reason === 'ELOOP')
      throw new PlaitError('PATH_REFUSED', `cannot ${verb} ${path}: it is a symbolic link`, options)
    throw new PlaitError(
      'FILE_FAILED',
      `cannot ${verb} ${path}: ${error instanceof Error ? error.message : reason}`,
      options,
    )
  }
}
