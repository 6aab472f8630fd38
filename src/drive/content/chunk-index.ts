import { hashBytes } from '../../feed/hash.ts'
import { isOneChunk } from './chunker.ts'
import type { NamedPage } from './manifest-builder.ts'
import type { ChunkPlace, ContentName } from './manifest-walk.ts'
import { decodePageAlone } from './page.ts'

/** A chunk in a file of this disk, as it was when the file was read. */
export interface FilePlace {
  readonly path: string
  readonly offset: number
  readonly length: number
}

/** What a file was found to hold. */
export interface IndexedContent extends ContentName {
  readonly path: string
  /** Of its manifest, as they were made; none for a file of one chunk. */
  readonly pages: readonly NamedPage[]
}

/** At most so many places of a chunk are told: who finds it at none of them fetches it. */
export const placesMax = 16

/**
 * Where chunks and pages are on this disk. What it says of files is as old as the last look at them: whoever reads a chunk there hashes
 * it. Derived: all of it can be made again from the files. Calls are carried out in the order in which they are made.
 */
export interface ChunkIndex {
  /** Places of a chunk, `placesMax` at most. */
  places(hash: Uint8Array): Promise<readonly FilePlace[]>
  /** The bytes of a page of a file that is indexed; fresh. */
  page(hash: Uint8Array): Promise<Uint8Array | undefined>
  /** What the file at `path` was found to hold; undefined when it is not indexed. */
  content(path: string): Promise<ContentName | undefined>
  /** Takes these for what the files hold, and forgets what they held before. The pages are those of the roots. */
  put(contents: readonly IndexedContent[]): Promise<void>
  /** The file has another name, in place of what was known of that name. */
  move(from: string, to: string): Promise<void>
  /** Nothing is known of the file any more. Its chunks in other files stay. */
  forget(path: string): Promise<void>
  /** The chunk is not at that place any more; the others of the file stay. */
  forgetPlace(hash: Uint8Array, place: FilePlace): Promise<void>
}

/** A chunk in a list of them. */
export interface ListedChunk {
  readonly hash: Uint8Array
  readonly length: number
}

/** The chunks of a file by its pages of level 0, which stand in the order of the file. */
export function* chunksOf({ size, root }: ContentName, leaves: Iterable<Uint8Array>): Generator<ChunkPlace> {
  if (isOneChunk(size)) {
    // Of an empty file there is nothing to be read anywhere.
    if (size > 0) yield { hash: root, length: size, offset: 0 }
    return
  }
  let offset = 0
  for (const leaf of leaves) {
    for (const { hash, length } of chunksOfPage(leaf)) {
      yield { hash, length, offset }
      offset += length
    }
  }
}

export function* chunksOfPage(leaf: Uint8Array): Generator<ListedChunk> {
  const { hashes, lengths } = decodePageAlone(leaf)
  for (const [index, length] of lengths.entries())
    yield { hash: hashes.subarray(index * hashBytes, (index + 1) * hashBytes), length }
}

/** The pages of level 0. */
export function leavesOf(pages: readonly NamedPage[]): readonly Uint8Array[] {
  return pages.filter(({ level }) => level === 0).map(({ bytes }) => bytes)
}
