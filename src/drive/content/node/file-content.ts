import { readSync } from 'node:fs'
import { assert } from '../../../base/assert.ts'
import { sha256 } from '../../../feed/node/sha256.ts'
import { Chunker, chunkBytesMax, isOneChunk } from '../chunker.ts'
import { ManifestBuilder } from '../manifest-builder.ts'
import type { NamedPage } from '../manifest-builder.ts'
import type { ContentName } from '../manifest-walk.ts'

/** The name of a content, and the pages that lead to its chunks: none when it is one chunk. */
export interface FileContent extends ContentName {
  readonly pages: readonly NamedPage[]
}

/** Read at a time; and what a `ContentReading` needs for it, with the chunk that goes on from one read to the next. */
const readBytes = 1024 * 1024
export const readingBytes: number = chunkBytesMax + readBytes

/** Hashes the `size` bytes of a small file, in this turn. Undefined when there are fewer. Throws errors of the system. */
export function readChunk(fd: number, size: number): FileContent | undefined {
  assert(isOneChunk(size), 'a small file is one chunk')
  const bytes = chunkBuffer.subarray(0, size)
  return fill(fd, bytes, 0) ? { size, root: sha256.digest(bytes), pages: [] } : undefined
}

/** Cuts and hashes the first `size` bytes of an open file that is larger, as far at a time as one likes. */
export class ContentReading {
  readonly #fd: number
  readonly #size: number
  readonly #buffer: Uint8Array
  readonly #pages: NamedPage[] = []
  readonly #builder = new ManifestBuilder(
    (bytes) => sha256.digest(bytes),
    (page) => this.#pages.push(page),
  )
  readonly #chunker = new Chunker()
  /** Read so far, of the file. */
  #offset = 0
  /** At the front of the buffer, of a chunk that goes on: so each is hashed in one piece. */
  #kept = 0

  /** `buffer` has `readingBytes`, and is lent for as long as there is something to be read. */
  constructor(fd: number, size: number, buffer: Uint8Array) {
    this.#fd = fd
    this.#size = size
    this.#buffer = buffer
  }

  get offset(): number {
    return this.#offset
  }

  get isDone(): boolean {
    return this.#offset === this.#size
  }

  /** Reads on for about a MiB, in this turn; false when the file ends before. Throws errors of the system. */
  step(): boolean {
    const buffer = this.#buffer
    const end = this.#kept + Math.min(readBytes, this.#size - this.#offset)
    if (!fill(this.#fd, buffer.subarray(this.#kept, end), this.#offset)) return false
    this.#offset += end - this.#kept
    let start = 0
    for (let cut = this.#cut(this.#kept, end); cut !== undefined; cut = this.#cut(start, end)) {
      this.#add(start, cut)
      start = cut
    }
    this.#kept = end - start
    if (!this.isDone) buffer.copyWithin(0, start, end)
    else if (start < end) this.#add(start, end)
    return true
  }

  /** When all has been read. */
  finish(): FileContent {
    return { size: this.#size, root: this.#builder.finish(), pages: this.#pages }
  }

  #cut(at: number, end: number): number | undefined {
    return this.#chunker.next(this.#buffer, at, end)
  }

  #add(start: number, end: number): void {
    this.#builder.add(sha256.digest(this.#buffer.subarray(start, end)), end - start)
  }
}

/** False when the file ends before. */
function fill(fd: number, place: Uint8Array, offset: number): boolean {
  for (let filled = 0; filled < place.length;) {
    const count = readSync(fd, place, filled, place.length - filled, offset + filled)
    if (count === 0) return false
    filled += count
  }
  return true
}

/** Used by one call at a time, each within its turn. */
const chunkBuffer = new Uint8Array(chunkBytesMax)
