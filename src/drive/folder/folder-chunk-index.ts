import type { ChunkIndex, FilePlace, IndexedContent } from '../content/chunk-index.ts'
import { placesMax } from '../content/chunk-index.ts'
import { isOneChunk } from '../content/chunker.ts'
import type { ContentName } from '../content/manifest-walk.ts'
import { reservedName } from '../tree-path.ts'
import type { DiskIndex } from './disk-index.ts'

/**
 * Where chunks are in a folder. What is one chunk stands in the index of files anyhow, so that a folder of small files costs no row for
 * each of them; the chunks of large files, and those of the history, stand in an index of their own.
 */
export class FolderChunkIndex implements ChunkIndex {
  readonly #files: DiskIndex
  readonly #rest: RestIndex

  constructor(files: DiskIndex, rest: RestIndex) {
    this.#files = files
    this.#rest = rest
  }

  async places(hash: Uint8Array): Promise<readonly FilePlace[]> {
    const paths = this.#files.filesOf(hash, placesMax)
    if (paths.length === 0) return this.#rest.isEmpty ? [] : this.#rest.places(hash)
    return paths.map((path) => ({ path, offset: 0, length: this.#files.at(path)?.size ?? 0 }))
  }

  async page(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#rest.isEmpty ? undefined : this.#rest.page(hash)
  }

  async content(path: string): Promise<ContentName | undefined> {
    const indexed = this.#files.at(path)
    return indexed === undefined ? this.#rest.content(path) : { size: indexed.size, root: indexed.root }
  }

  async put(contents: readonly IndexedContent[]): Promise<void> {
    const large: IndexedContent[] = []
    for (const content of contents) {
      if (isInFolder(content.path) && isOneChunk(content.size)) await this.forget(content.path)
      else large.push(content)
    }
    if (large.length > 0) await this.#rest.put(large)
  }

  async move(from: string, to: string): Promise<void> {
    const whole = this.#files.at(from)
    if (whole !== undefined && isOneChunk(whole.size)) {
      if (!isInFolder(to)) await this.#rest.put([{ path: to, size: whole.size, root: whole.root, pages: [] }])
    } else if (!this.#rest.isEmpty) await this.#rest.move(from, to)
  }

  async forget(path: string): Promise<void> {
    if (!this.#rest.isEmpty) await this.#rest.forget(path)
  }

  async forgetPlace(hash: Uint8Array, place: FilePlace): Promise<void> {
    this.#files.disbelieve(place.path, hash)
    if (!this.#rest.isEmpty) await this.#rest.forgetPlace(hash, place)
  }
}

/** An index that may know that there is nothing in it. */
export interface RestIndex extends ChunkIndex {
  readonly isEmpty: boolean
}

/** What is put aside in plait's own folder is not looked at again. */
function isInFolder(path: string): boolean {
  return path !== reservedName && !path.startsWith(`${reservedName}/`)
}
