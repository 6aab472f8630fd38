import { encodeHex } from '../../base/bytes.ts'
import { chunksOf, leavesOf, placesMax } from './chunk-index.ts'
import type { ChunkIndex, FilePlace, IndexedContent } from './chunk-index.ts'
import type { ContentName } from './manifest-walk.ts'

/** What is known of one file, under whatever name it has. */
interface KnownFile {
  path: string
  readonly content: IndexedContent
}

interface KnownPlace {
  readonly file: KnownFile
  readonly offset: number
  readonly length: number
}

/** An index in memory, for simulations and for what is done once. */
export class MemoryChunkIndex implements ChunkIndex {
  readonly #filesByPath = new Map<string, KnownFile>()
  readonly #placesByHash = new Map<string, Set<KnownPlace>>()
  readonly #pagesByHash = new Map<string, { readonly bytes: Uint8Array; readonly files: Set<KnownFile> }>()

  async places(hash: Uint8Array): Promise<readonly FilePlace[]> {
    const known = [...(this.#placesByHash.get(encodeHex(hash)) ?? [])].slice(0, placesMax)
    return known.map(({ file, offset, length }) => ({ path: file.path, offset, length }))
  }

  async page(hash: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#pagesByHash.get(encodeHex(hash))?.bytes.slice()
  }

  async content(path: string): Promise<ContentName | undefined> {
    const content = this.#filesByPath.get(path)?.content
    return content && { size: content.size, root: content.root.slice() }
  }

  async put(contents: readonly IndexedContent[]): Promise<void> {
    for (const content of contents) {
      this.#remove(content.path)
      const file = { path: content.path, content }
      this.#filesByPath.set(content.path, file)
      for (const { hash, bytes } of content.pages) this.#pageOf(hash, bytes).files.add(file)
      for (const { hash, offset, length } of chunksIn(content)) this.#placesOf(hash).add({ file, offset, length })
    }
  }

  async move(from: string, to: string): Promise<void> {
    const file = this.#filesByPath.get(from)
    if (file === undefined || from === to) return
    this.#remove(to)
    this.#filesByPath.delete(from)
    file.path = to
    this.#filesByPath.set(to, file)
  }

  async forget(path: string): Promise<void> {
    this.#remove(path)
  }

  async forgetPlace(hash: Uint8Array, place: FilePlace): Promise<void> {
    this.#dropPlaces(hash, ({ file, offset }) => file.path === place.path && offset === place.offset)
  }

  #remove(path: string): void {
    const file = this.#filesByPath.get(path)
    if (file === undefined) return
    this.#filesByPath.delete(path)
    for (const { hash } of chunksIn(file.content)) this.#dropPlaces(hash, (place) => place.file === file)
    for (const { hash } of file.content.pages) {
      const page = this.#pagesByHash.get(encodeHex(hash))
      page?.files.delete(file)
      if (page?.files.size === 0) this.#pagesByHash.delete(encodeHex(hash))
    }
  }

  #dropPlaces(hash: Uint8Array, isGone: (place: KnownPlace) => boolean): void {
    const key = encodeHex(hash)
    const places = this.#placesByHash.get(key)
    for (const place of places ?? []) if (isGone(place)) places?.delete(place)
    if (places?.size === 0) this.#placesByHash.delete(key)
  }

  #placesOf(hash: Uint8Array): Set<KnownPlace> {
    const key = encodeHex(hash)
    let places = this.#placesByHash.get(key)
    if (places === undefined) this.#placesByHash.set(key, (places = new Set()))
    return places
  }

  #pageOf(hash: Uint8Array, bytes: Uint8Array): { readonly bytes: Uint8Array; readonly files: Set<KnownFile> } {
    const key = encodeHex(hash)
    let page = this.#pagesByHash.get(key)
    if (page === undefined) this.#pagesByHash.set(key, (page = { bytes, files: new Set() }))
    return page
  }
}

function chunksIn(content: IndexedContent): ReturnType<typeof chunksOf> {
  return chunksOf(content, leavesOf(content.pages))
}
