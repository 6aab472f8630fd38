import { PlaitError } from '../base/error.ts'
import type { Disk, DiskFile } from '../runtime/disk.ts'
import { encodeSegmentHeader, segmentName, temporaryName, type SegmentHeader } from './segment.ts'

/** Where the files of a log stand, and how they come to be there so that a power cut leaves all of a file or nothing. */
export class LogFolder {
  readonly disk: Disk
  readonly #directory: string

  constructor(disk: Disk, directory: string) {
    this.disk = disk
    this.#directory = directory
  }

  /** Of the segments. */
  get path(): string {
    return this.pathOf('log')
  }

  pathOf(name: string): string {
    return this.#directory === '' ? name : `${this.#directory}/${name}`
  }

  segmentPath(position: number): string {
    return `${this.path}/${segmentName(position)}`
  }

  /** Makes the folder with all above it, durably. */
  async create(): Promise<void> {
    await this.disk.makeDirectory(this.path)
    const names = this.path.split('/')
    for (let depth = names.length; depth >= 0; depth -= 1) await this.#syncDirectory(names.slice(0, depth).join('/'))
  }

  openSegment(position: number): Promise<DiskFile> {
    return this.disk.open(this.segmentPath(position), { create: false })
  }

  /** A new, empty segment, durably there. */
  async createSegment(header: SegmentHeader): Promise<DiskFile> {
    return this.install(header.position, (file) => file.write(0, encodeSegmentHeader(header)))
  }

  /** Puts what `fill` writes in the place of the segment at a position, whole and durably. */
  async install(position: number, fill: (file: DiskFile) => Promise<void>): Promise<DiskFile> {
    const temporary = `${this.path}/${temporaryName(position)}`
    const file = await this.disk.open(temporary, { create: true })
    try {
      await file.truncate(0)
      await fill(file)
      await synced(file.sync())
      await this.disk.rename(temporary, this.segmentPath(position))
      await this.syncSegments()
      return file
    } catch (error) {
      await file.close().catch(() => {})
      await this.disk.remove(temporary).catch(() => {})
      throw error
    }
  }

  syncSegments(): Promise<void> {
    return this.#syncDirectory(this.path)
  }

  /** Copies a part of a file to `torn/`, and returns where it is. */
  async setAside(file: DiskFile, offset: number, bytes: number, position: number): Promise<string> {
    const folder = this.pathOf('torn')
    await this.disk.makeDirectory(folder)
    const taken = new Set(await this.disk.list(folder))
    const stem = String(position).padStart(16, '0')
    let name = stem
    for (let number = 1; taken.has(name); number += 1) name = `${stem}-${number}`
    const copy = await this.disk.open(`${folder}/${name}`, { create: true })
    try {
      for (let at = 0; at < bytes; at += copyStepBytes) {
        await copy.write(at, await file.read(offset + at, Math.min(copyStepBytes, bytes - at)))
      }
      await synced(copy.sync())
    } finally {
      await copy.close()
    }
    await this.#syncDirectory(folder)
    await this.#syncDirectory(folder.split('/').slice(0, -1).join('/'))
    return `${folder}/${name}`
  }

  #syncDirectory(path: string): Promise<void> {
    return synced(this.disk.syncDirectory(path))
  }
}

/** The failure of a sync, which says that nobody knows what is on the disk, under a code of its own. */
export async function synced(sync: Promise<void>): Promise<void> {
  try {
    await sync
  } catch (error) {
    throw new PlaitError(
      'STORE_FAILED',
      `the disk could not make durable what was written, so the store takes nothing more; see to the disk, then open it again: ${
        error instanceof Error ? error.message : String(error)
      }`,
      { cause: error, ...(PlaitError.is(error) ? { facts: error.facts } : {}) },
    )
  }
}

const copyStepBytes = 1024 * 1024
