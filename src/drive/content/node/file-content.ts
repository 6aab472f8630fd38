import { readSync } from 'node:fs'
import { sha256 } from '../../../feed/node/sha256.ts'
import { Chunker, chunkBytesMax, isOneChunk } from '../chunker.ts'
import { ManifestBuilder } from '../manifest-builder.ts'
import type { NamedPage } from '../manifest-builder.ts'
import type { ContentName } from '../manifest-walk.ts'

/** The name of a content, and the pages that lead to its chunks: none when it is one chunk. */
export interface FileContent extends ContentName {
  readonly pages: readonly NamedPage[]
}

export interface ReadingOptions {
  /** Asked before each read: true ends it. */
  readonly isEnded?: () => boolean
  /** Bytes that have been read so far, about once for each MiB. */
  readonly progress?: (bytes: number) => void
}

const readBytes = 1024 * 1024

/**
 * Cuts and hashes the first `size` bytes of an open file, in this turn: for small files, and for workers. Undefined when there are fewer,
 * or it was ended. Throws errors of the system.
 */
export function readContent(fd: number, size: number, options: ReadingOptions = {}): FileContent | undefined {
  return isOneChunk(size) ? readChunk(fd, size) : readManifest(fd, size, options)
}

function readChunk(fd: number, size: number): FileContent | undefined {
  const bytes = smallBuffer.subarray(0, size)
  return fill(fd, bytes, 0) ? { size, root: sha256.digest(bytes), pages: [] } : undefined
}

function readManifest(fd: number, size: number, { isEnded, progress }: ReadingOptions): FileContent | undefined {
  const pages: NamedPage[] = []
  const builder = new ManifestBuilder(
    (bytes) => sha256.digest(bytes),
    (page) => pages.push(page),
  )
  const chunker = new Chunker()
  // The chunk that goes on in the next read is moved to the front, so that each is hashed in one piece.
  largeBuffer ??= new Uint8Array(chunkBytesMax + readBytes)
  const buffer = largeBuffer
  let kept = 0
  for (let offset = 0; offset < size;) {
    if (isEnded?.() === true) return undefined
    const end = kept + Math.min(readBytes, size - offset)
    if (!fill(fd, buffer.subarray(kept, end), offset)) return undefined
    offset += end - kept
    let start = 0
    let at = kept
    for (let cut = chunker.next(buffer, at, end); cut !== undefined; cut = chunker.next(buffer, at, end)) {
      builder.add(sha256.digest(buffer.subarray(start, cut)), cut - start)
      start = at = cut
    }
    kept = end - start
    if (offset === size && kept > 0) builder.add(sha256.digest(buffer.subarray(start, end)), kept)
    else buffer.copyWithin(0, start, end)
    progress?.(offset)
  }
  return { size, root: builder.finish(), pages }
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
const smallBuffer = new Uint8Array(chunkBytesMax)
let largeBuffer: Uint8Array | undefined
