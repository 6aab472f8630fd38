import { emptyBytes } from '../base/bytes.ts'
import type { DiskFile } from '../runtime/disk.ts'

/** A part of a file in memory, that moves along it. */
export class FileWindow {
  bytes: Uint8Array = emptyBytes
  /** Where in the file `bytes` begins. */
  start = 0
  readonly #file: DiskFile
  readonly #end: number
  readonly #stepBytes: number

  /** Looks at the file up to `end`, so many bytes at a time or as many more as are asked for. */
  constructor(file: DiskFile, end: number, stepBytes: number = 1024 * 1024) {
    this.#file = file
    this.#end = end
    this.#stepBytes = stepBytes
  }

  covers(offset: number, length: number): boolean {
    return offset >= this.start && offset + length <= this.start + this.bytes.length
  }

  /** Moves to `offset`. It covers `length` bytes then, unless the file has not so many. */
  async move(offset: number, length: number): Promise<void> {
    const wanted = Math.max(0, Math.min(Math.max(length, this.#stepBytes), this.#end - offset))
    this.bytes = await this.#file.read(offset, wanted)
    this.start = offset
  }
}
