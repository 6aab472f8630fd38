import {
  closeSync,
  constants,
  existsSync,
  fchmodSync,
  fdatasync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  read,
  renameSync,
  unlinkSync,
  writeSync,
  writev,
} from 'node:fs'
import type { DiskFile } from '../../runtime/disk.ts'
import type { VersionFacts } from '../version.ts'
import type { Directory } from './directory.ts'
import { systemCode } from './file-error.ts'
import { setFileTime } from './file-times.ts'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY } = constants

/** A file of which any part may be written, and any number of pieces in one call. */
export interface PartFile extends Pick<DiskFile, 'size' | 'read' | 'write' | 'truncate'> {
  writeAll(offset: number, pieces: readonly Uint8Array[]): Promise<void>
}

interface Chunk {
  readonly bytes: Uint8Array
  readonly done: () => void
}

/** Errors of file systems that have no hard links, or no more for this file. */
export const withoutLinks: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EMLINK',
  'EXDEV',
])

/** Chunks of one write call. */
const chunksMax = 64

/**
 * A file that is being written, under a name of its own in plait's folder, until it is whole and right. Safe
 * from a power cut when it was synced before it gets its name.
 */
export class TempFile {
  readonly #directory: Directory
  readonly #name: string
  readonly #fd: number
  /** It stays when it is discarded: another run goes on with it. */
  readonly #isPart: boolean
  #open = true
  #waiting: Chunk[] = []
  #writing: Promise<void> | undefined
  #failure: unknown

  private constructor(directory: Directory, name: string, fd: number, isPart: boolean) {
    this.#directory = directory
    this.#name = name
    this.#fd = fd
    this.#isPart = isPart
  }

  /** Throws errors of the system. */
  static create(directory: Directory, name: string): TempFile {
    return new TempFile(
      directory,
      name,
      openSync(directory.at(name), O_CREAT | O_EXCL | O_NOFOLLOW | O_WRONLY, 0o600),
      false,
    )
  }

  /** Goes on with one that an earlier run has left, or begins it. Throws errors of the system; ENXIO for what is not a file. */
  static resume(directory: Directory, name: string): TempFile {
    const fd = openSync(directory.at(name), O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_RDWR, 0o600)
    if (fstatSync(fd).isFile()) return new TempFile(directory, name, fd, true)
    closeSync(fd)
    throw Object.assign(new Error(`${name} is not a regular file`), { code: 'ENXIO' })
  }

  /** The bytes of one that was resumed, at any offset. */
  get part(): PartFile {
    const fd = this.#fd
    return {
      size: () => Promise.resolve(fstatSync(fd).size),
      read: (offset, length) => readPart(fd, offset, length),
      write: (offset, bytes) => writePieces(fd, offset, [bytes]),
      writeAll: (offset, pieces) => writePieces(fd, offset, pieces),
      truncate: (length) => Promise.resolve(ftruncateSync(fd, length)),
    }
  }

  /** Writes all of a small file in this turn. Throws errors of the system. */
  writeNow(content: Uint8Array): void {
    for (let offset = 0; offset < content.length;) offset += writeSync(this.#fd, content, offset)
  }

  /**
   * Takes a chunk, and calls `done` when nobody needs it any more: it has been written, or will not be. Who appends bounds
   * what waits; after a failure nothing is written, and `settled` rejects.
   */
  append(bytes: Uint8Array, done: () => void): void {
    if (this.#failure !== undefined) return done()
    this.#waiting.push({ bytes, done })
    this.#writing ??= this.#write()
  }

  /** Resolves when everything appended is written. Rejects with errors of the system. */
  async settled(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure as Error
  }

  /** Rejects with errors of the system. After `settled`: what was written is on the disk then. */
  sync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }

  /**
   * Gives the file its mode and time, and then its name like `place`, but not in place of anything: EEXIST when something is there.
   * Throws errors of the system.
   */
  placeFresh(facts: VersionFacts, directory: Directory, name: string): void {
    fchmodSync(this.#fd, facts.mode)
    setFileTime(this.#fd, facts.mtimeNs)
    nameFresh(this.#directory.at(this.#name), directory.at(name))
    this.#close()
  }

  /**
   * Gives the file its mode and time, and then its name: it appears there whole, in place of what was there. Throws
   * errors of the system.
   */
  place(facts: VersionFacts, directory: Directory, name: string): void {
    fchmodSync(this.#fd, facts.mode)
    setFileTime(this.#fd, facts.mtimeNs)
    this.#close()
    renameSync(this.#directory.at(this.#name), directory.at(name))
  }

  /** Removes the file, unless it was resumed. Never throws: what cannot be removed is removed by the next run. */
  async discard(): Promise<void> {
    release(this.#waiting.splice(0))
    // The descriptor must not be closed, and perhaps opened for something else, under a write that is still on its way.
    await this.#writing
    this.discardNow()
  }

  /** Like `discard`, for a file that was never appended to. */
  discardNow(): void {
    this.#close()
    if (this.#isPart) return
    try {
      unlinkSync(this.#directory.at(this.#name))
    } catch {
      // It has been placed, or somebody else has removed it.
    }
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const chunks = this.#waiting.splice(0, chunksMax)
      const bytes = chunks.map((chunk) => chunk.bytes)
      try {
        await writeAll(this.#fd, bytes)
      } catch (error) {
        this.#failure = error
        release(this.#waiting.splice(0))
      }
      release(chunks)
    }
    this.#writing = undefined
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    closeSync(this.#fd)
  }
}

/** Gives a file another name, but not in place of anything: throws EEXIST when something is there, and other errors of the system. */
export function nameFresh(temp: string, place: string): void {
  try {
    linkSync(temp, place)
    unlinkSync(temp)
  } catch (error) {
    if (!withoutLinks.has(systemCode(error))) throw error
    // No hard links here: then there is a moment in which somebody could put something there that is lost.
    if (existsSync(place)) throw Object.assign(new Error(`${place} exists`), { code: 'EEXIST' })
    renameSync(temp, place)
  }
}

function readPart(fd: number, offset: number, length: number): Promise<Uint8Array> {
  const place = new Uint8Array(length)
  return new Promise((resolve, reject) => {
    read(fd, place, 0, length, offset, (error, count) => {
      if (error) reject(error)
      else resolve(place.subarray(0, count))
    })
  })
}

async function writePieces(fd: number, offset: number, pieces: readonly Uint8Array[]): Promise<void> {
  let [left, at] = [pieces, offset]
  while (left.length > 0) {
    const written = await new Promise<number>((resolve, reject) => {
      writev(fd, left, at, (error, count) => {
        if (error) reject(error)
        else resolve(count)
      })
    })
    left = behind(left, written)
    at += written
  }
}

function release(chunks: readonly Chunk[]): void {
  for (const { done } of chunks) done()
}

async function writeAll(fd: number, chunks: readonly Uint8Array[]): Promise<void> {
  let left = chunks
  while (left.length > 0) {
    const written = await writeSome(fd, left)
    left = behind(left, written)
  }
}

function writeSome(fd: number, chunks: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    writev(fd, chunks, (error, written) => {
      if (error) reject(error)
      else resolve(written)
    })
  })
}

/** What is left of `chunks` after the first `written` bytes. */
function behind(chunks: readonly Uint8Array[], written: number): readonly Uint8Array[] {
  let skipped = written
  let index = 0
  for (; index < chunks.length; index += 1) {
    const chunk = chunks[index] as Uint8Array
    if (skipped < chunk.length) return [chunk.subarray(skipped), ...chunks.slice(index + 1)]
    skipped -= chunk.length
  }
  return []
}
