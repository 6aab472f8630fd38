import type { DiskFile } from '../../runtime/disk.ts'

/** What is written in one call: each call costs a thread its way here and back. */
const batchBytes = 1024 * 1024

/** Writes pieces of a file that mostly follow one another in few calls, one of them under way while the next pieces come. */
export class SequentialWriter {
  readonly #file: Pick<DiskFile, 'read' | 'write'>
  #offset = 0
  #length = 0
  #place = new Uint8Array(0)
  #writing: Promise<void> = Promise.resolve()
  #failure: { readonly reason: unknown } | undefined

  constructor(file: Pick<DiskFile, 'read' | 'write'>) {
    this.#file = file
  }

  /** Takes a piece, whose bytes stay the caller's; resolves when there is room for the next. Rejects with why nothing can be written. */
  async write(offset: number, bytes: Uint8Array): Promise<void> {
    const isNext = offset === this.#offset + this.#length
    if (this.#length > 0 && (!isNext || this.#length + bytes.length > batchBytes)) await this.#begin()
    if (this.#length === 0) this.#offset = offset
    if (this.#place.length === 0) this.#place = new Uint8Array(Math.max(batchBytes, bytes.length))
    this.#place.set(bytes, this.#length)
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
    const bytes = this.#place.subarray(0, this.#length)
    this.#writing = this.#file.write(this.#offset, bytes).catch((reason: unknown) => {
      this.#failure = { reason }
    })
    this.#offset += this.#length
    this.#length = 0
    // It is being read while the next pieces come.
    this.#place = new Uint8Array(0)
  }

  async #settled(): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure.reason
  }
}
