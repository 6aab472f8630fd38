import type { DiskFile } from '../runtime/disk.ts'
import type { LogFolder } from './log-folder.ts'
import type { Segment } from './segment-table.ts'

interface OpenFile {
  readonly file: Promise<DiskFile>
  users: number
}

/** Files of segments, kept open for reading: the latest used ones. */
export class SegmentFiles {
  readonly #folder: LogFolder
  #openMax: number
  /** In the order of their last use. */
  readonly #open = new Map<Segment, OpenFile>()

  constructor(folder: LogFolder, openMax: number) {
    this.#folder = folder
    this.#openMax = openMax
  }

  /** Lends the file of a segment until `use` is done. */
  async use<Result>(segment: Segment, use: (file: DiskFile) => Promise<Result>): Promise<Result> {
    const open = this.#open.get(segment) ?? { file: this.#folder.openSegment(segment.position), users: 0 }
    this.#open.delete(segment)
    this.#open.set(segment, open)
    open.users += 1
    try {
      return await use(await open.file)
    } catch (error) {
      // A file that could not be opened may be there the next time.
      await open.file.catch(() => this.#open.delete(segment))
      throw error
    } finally {
      open.users -= 1
      await this.#closeIdle(this.#openMax)
    }
  }

  /** Closes what is not in use now, and the rest as soon as it is not. */
  close(): Promise<void> {
    this.#openMax = 0
    return this.#closeIdle(0)
  }

  /** For a segment whose file is no longer the one that stands there. */
  async forget(segment: Segment): Promise<void> {
    const open = this.#open.get(segment)
    if (open === undefined || open.users > 0) return
    this.#open.delete(segment)
    await open.file.then((file) => file.close()).catch(() => {})
  }

  async #closeIdle(keep: number): Promise<void> {
    for (const segment of this.#open.keys()) {
      if (this.#open.size <= keep) return
      await this.forget(segment)
    }
  }
}
