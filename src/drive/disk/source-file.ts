import { closeSync, constants, fchmodSync, fstatSync, openSync, read, readSync, type BigIntStats } from 'node:fs'
import type { DiskFacts } from '../folder/disk-entry.ts'
import { permissionBits, type VersionFacts } from '../version.ts'
import type { Directory } from './directory.ts'
import { setFileTime } from './file-times.ts'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants

/**
 * The clock of file times ticks every 1 to 10 ms: what was changed less than this ago may change again without a trace
 * in the times.
 */
const unsettledMs = 30

/** Two seconds is the coarsest that a file system has. */
const coarseUnsettledMs = 2_100

/** A regular file that is open for reading, and the version of it that was there when it was opened. */
export class SourceFile {
  readonly size: number
  readonly facts: VersionFacts
  readonly #fd: number
  readonly #opened: BigIntStats

  private constructor(fd: number, stats: BigIntStats) {
    this.#fd = fd
    this.#opened = stats
    this.size = Number(stats.size)
    this.facts = { mode: Number(stats.mode) & permissionBits, mtimeNs: stats.mtimeNs }
  }

  /**
   * Opens without following a link and without waiting for the other end of a FIFO. Throws errors of the system; ENXIO
   * for what is not a file.
   */
  static open(directory: Directory, name: string): SourceFile {
    const fd = openSync(directory.at(name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = fstatSync(fd, { bigint: true })
      if (!stats.isFile()) throw Object.assign(new Error(`${name} is not a regular file`), { code: 'ENXIO' })
      return new SourceFile(fd, stats)
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }

  /**
   * Whether the version can be told from the next one: its last change is not of this very moment. The time of the last change of any kind
   * counts as well, because that of the content can be set. Where times are whole seconds they say less.
   */
  settled(wallMs: number): boolean {
    const { mtimeNs, ctimeNs } = this.#opened
    const isCoarse = mtimeNs % 1_000_000_000n === 0n && ctimeNs % 1_000_000_000n === 0n
    return [mtimeNs, ctimeNs].every((timeNs) => {
      const ageMs = wallMs - Number(timeNs) / 1e6
      const tooYoungMs = isCoarse ? coarseUnsettledMs : unsettledMs
      return ageMs > tooYoungMs || ageMs < -tooYoungMs
    })
  }

  /** What the system said of it when it was opened. */
  stats(): DiskFacts {
    const { ctimeNs, ino: inode } = this.#opened
    return { kind: 'file', ...this.facts, size: this.size, ctimeNs, inode }
  }

  /** Whether the file still is the version that was opened, so that what was read until now is true. */
  unchanged(): boolean {
    const stats = fstatSync(this.#fd, { bigint: true })
    const opened = this.#opened
    return stats.size === opened.size && stats.mtimeNs === opened.mtimeNs && stats.ctimeNs === opened.ctimeNs
  }

  /** For who reads it in another thread; good until `close`. */
  get descriptor(): number {
    return this.#fd
  }

  /** Reads into `place` from `offset` on, in this turn; returns how many bytes there were. For a few of them. */
  readNow(place: Uint8Array, offset: number): number {
    let filled = 0
    while (filled < place.length) {
      const count = readSync(this.#fd, place, filled, place.length - filled, offset + filled)
      if (count === 0) break
      filled += count
    }
    return filled
  }

  /** Reads into `place` from `offset` on; resolves to how many bytes there were. `place` is lent until then. */
  read(place: Uint8Array, offset: number): Promise<number> {
    return new Promise((resolve, reject) => {
      read(this.#fd, place, 0, place.length, offset, (error, count) => {
        if (error) reject(error)
        else resolve(count)
      })
    })
  }

  /** Gives the file another mode and time. */
  adjust(facts: VersionFacts): void {
    fchmodSync(this.#fd, facts.mode)
    setFileTime(this.#fd, facts.mtimeNs)
  }

  close(): void {
    closeSync(this.#fd)
  }
}
