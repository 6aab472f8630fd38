import { concatBytes } from '../../base/bytes.ts'
import type { DiskFile } from '../../runtime/disk.ts'

/** What is written in one call: each call costs a thread its way here and back. */
const batchBytes = 1024 * 1024
const batchPieces = 256

/** The file, which may be able to write some pieces in one call without their being put together first. */
export interface PieceFile extends Pick<DiskFile, 'read' | 'write'> {
  writeAll?(offset: number, pieces: readonly Uint8Array[]): Promise<void>
}

/** Writes pieces of a file that mostly follow one another in few calls, one of them under way while the next pieces come. */
export class SequentialWriter {
  readonly #file: PieceFile
  #offset = 0
  #length = 0
  #pieces: Uint8Array[] = []
  #writing: Promise<void> = Promise.resolve()
  #failure: { readonly reason: unknown } | undefined

  constructor(file: PieceFile) {
    this.#file = file
  }

  /** Takes a piece, whose bytes must not change any more; resolves when there is room for the next. Rejects with why that cannot be. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const isNext = offset === this.#offset + this.#length
    const isFull = this.#length + bytes.length > batchBytes || this.#pieces.length >= batchPieces
    if (this.#length > 0 && (!isNext || isFull)) await this.#begin()
    if (this.#length === 0) this.#offset = offset
    this.#pieces.push(bytes)
    this.#length += bytes.length
  }

  /** As `DiskFile.read`, of what was written. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.#offset) await this.flush()
    else await this.#settled()
    return this.#file.read(offset, length)
  }

  /** Resolves when everything is written. Rejects with why it is not. */
  async flush(): Promise<void> {
    await this.#begin()
    await this.#settled()
  }

  /** The one before has to be done. */
  async #begin(): Promise<void> {
    await this.#settled()
    if (this.#length === 0) return
    this.#writing = writeAll(this.#file, this.#offset, this.#pieces).catch((reason: unknown) => {
      this.#failure = { reason }
    })
    this.#offset += this.#length
    this.#length = 0
    this.#pieces = []
  }

  async #settled(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.reason
  }
}

function writeAll(file: PieceFile, offset: number, pieces: readonly Uint8Array[]): Promise<void> {
  return file.writeAll?.(offset, pieces) ?? file.write(offset, concatBytes(pieces))
}
