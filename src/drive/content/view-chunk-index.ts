import { encodeHex } from '../../base/bytes.ts'
import { prefixEnd } from '../../store/view.ts'
import type { View, ViewChange, ViewEntry } from '../../store/view.ts'
import { chunksOf, chunksOfPage, placesMax } from './chunk-index.ts'
import type { ChunkIndex, FilePlace, IndexedContent } from './chunk-index.ts'
import { deadRow, fileRows, idKey, keyOfPage, nextKey, pageRemoval, pageRows, pathKey, placeRow } from './chunk-rows.ts'
import { readFileRow, readId, readPageRow, readPath, readPlaceRow, tables } from './chunk-rows.ts'
import type { FileRow, PageRow } from './chunk-rows.ts'
import { isOneChunk } from './chunker.ts'
import type { ContentName } from './manifest-walk.ts'

/** Rows of one transaction: what a large file needs does not hold everything else up. */
const batchRows = 4_096
/** Chunks of about two gigabytes. */
const nearMax = 32_768
/** Pages that are removed in one transaction. */
const batchPages = 8
/** Numbers of files are taken in blocks, so that few transactions have to say so. */
const blockIds = 1_000

/** An index in tables of a view, which may have others, too; its cursor stays what it is. */
export class ViewChunkIndex implements ChunkIndex {
  readonly #view: View
  #turn: Promise<unknown> = Promise.resolve()
  /** Until the last file that was moved is known by its new name. */
  #moving: Promise<unknown> | undefined
  /** Chunks of pages that were given lately, until anything changes. */
  readonly #nearByHash = new Map<string, FilePlace>()
  #nextId = 0
  #idsEnd = 0
  /** No file was ever in it: most folders of small files have none. */
  isEmpty = true

  private constructor(view: View) {
    this.#view = view
  }

  /** Removes what an interrupted run has left. */
  static async open(view: View): Promise<ViewChunkIndex> {
    const index = new ViewChunkIndex(view)
    const stored = await view.read(tables.next, nextKey)
    index.#nextId = index.#idsEnd = stored === undefined ? 0 : readId(stored)
    index.isEmpty = stored === undefined
    await index.#sweep()
    return index
  }

  async places(hash: Uint8Array): Promise<readonly FilePlace[]> {
    // What has another name on the disk already is looked for under that.
    await this.#moving
    const near = this.#nearByHash.get(encodeHex(hash))
    if (near !== undefined) return [near]
    const places: FilePlace[] = []
    for (const { key, value } of await this.#below(tables.place, hash, placesMax)) {
      const { id, offset, length } = readPlaceRow(key, value)
      const path = await this.#view.read(tables.path, idKey(id))
      if (path !== undefined) places.push({ path: readPath(path), offset, length })
    }
    return places
  }

  async page(hash: Uint8Array): Promise<Uint8Array | undefined> {
    for (const { key } of await this.#below(tables.pagePlace, hash, 1)) {
      const row = await this.#view.read(tables.page, keyOfPage(key))
      if (row === undefined) continue
      const page = readPageRow(row)
      await this.#approach(readId(keyOfPage(key)), page)
      return page.bytes
    }
    return undefined
  }

  async content(path: string): Promise<ContentName | undefined> {
    const row = await this.#file(path)
    return row && { size: row.size, root: row.root }
  }

  put(contents: readonly IndexedContent[]): Promise<void> {
    return this.#inTurn(() => this.#put(contents))
  }

  move(from: string, to: string): Promise<void> {
    const moved = this.#inTurn(async () => {
      const file = await this.#file(from)
      if (file === undefined || from === to) return
      const changes = [...(await this.#removal(to)), { table: tables.file, key: pathKey(from), value: undefined }]
      await this.#commit([...changes, ...fileRows(to, file)])
      await this.#sweep()
    })
    this.#moving = moved.catch(() => undefined)
    return moved
  }

  forget(path: string): Promise<void> {
    return this.#inTurn(async () => {
      await this.#commit(await this.#removal(path))
      await this.#sweep()
    })
  }

  forgetPlace(hash: Uint8Array, { path, offset }: FilePlace): Promise<void> {
    this.#nearByHash.clear()
    return this.#inTurn(async () => {
      const file = await this.#file(path)
      if (file !== undefined) await this.#commit([placeRow(hash, file.id, offset, undefined)])
    })
  }

  async #put(contents: readonly IndexedContent[]): Promise<void> {
    this.isEmpty = false
    let changes: ViewChange[] = []
    const paths = new Set<string>()
    for (const content of contents) {
      const isRepeated = paths.has(content.path)
      if (isRepeated || changes.length >= batchRows) {
        await this.#commit(changes)
        changes = []
        paths.clear()
      }
      paths.add(content.path)
      changes.push(...(await this.#removal(content.path)))
      const id = await this.#takeId()
      if (!isOneChunk(content.size)) changes = await this.#putChunks(content, id, changes)
      else
        for (const { hash, offset, length } of chunksOf(content, [])) changes.push(placeRow(hash, id, offset, length))
      changes.push(...fileRows(content.path, { id, size: content.size, root: content.root }))
    }
    await this.#commit(changes)
    await this.#sweep()
  }

  /** Writes the rows of a large file in parts; until its last one it counts as dead. Returns what is to be written with that. */
  async #putChunks(content: IndexedContent, id: number, before: readonly ViewChange[]): Promise<ViewChange[]> {
    let changes = [...before, deadRow(id, true)]
    const add = async (rows: readonly ViewChange[]): Promise<void> => {
      changes.push(...rows)
      if (changes.length < batchRows) return
      await this.#commit(changes)
      changes = []
    }
    let offset = 0
    for (const [index, page] of content.pages.entries()) {
      await add(pageRows(page, id, index, offset))
      if (page.level > 0) continue
      for (const { hash, length } of chunksOfPage(page.bytes)) {
        await add([placeRow(hash, id, offset, length)])
        offset += length
      }
    }
    return [...changes, deadRow(id, false)]
  }

  /** What makes a file forgotten: all of it when it is one chunk; else the rest of it is swept. */
  async #removal(path: string): Promise<ViewChange[]> {
    const file = await this.#file(path)
    if (file === undefined) return []
    const changes: ViewChange[] = [
      { table: tables.file, key: pathKey(path), value: undefined },
      { table: tables.path, key: idKey(file.id), value: undefined },
    ]
    return [...changes, isOneChunk(file.size) ? placeRow(file.root, file.id, 0, undefined) : deadRow(file.id, true)]
  }

  /** Who asks for a page asks for its chunks next. */
  async #approach(id: number, { bytes, offset: start }: PageRow): Promise<void> {
    const path = bytes[0] === 0 ? await this.#view.read(tables.path, idKey(id)) : undefined
    if (path === undefined) return
    if (this.#nearByHash.size > nearMax) this.#nearByHash.clear()
    let offset = start
    for (const { hash, length } of chunksOfPage(bytes)) {
      this.#nearByHash.set(encodeHex(hash), { path: readPath(path), offset, length })
      offset += length
    }
  }

  /** Removes what belongs to dead files, some pages with their chunks at a time. */
  async #sweep(): Promise<void> {
    for (const { key } of await this.#view.entries(tables.dead)) {
      const id = readId(key)
      for (;;) {
        const pages = await this.#below(tables.page, key, batchPages)
        if (pages.length === 0) break
        await this.#commit(pages.flatMap((page) => removalOf(page, id)))
      }
      await this.#commit([deadRow(id, false)])
    }
  }

  async #file(path: string): Promise<FileRow | undefined> {
    const row = await this.#view.read(tables.file, pathKey(path))
    return row && readFileRow(row)
  }

  async #takeId(): Promise<number> {
    if (this.#nextId === this.#idsEnd) {
      const end = this.#idsEnd + blockIds
      await this.#commit([{ table: tables.next, key: nextKey, value: idKey(end) }])
      this.#idsEnd = end
    }
    const id = this.#nextId
    this.#nextId += 1
    return id
  }

  #below(table: string, prefix: Uint8Array, limit: number): Promise<ViewEntry[]> {
    const to = prefixEnd(prefix)
    return this.#view.entries(table, { from: prefix, ...(to && { to }), limit })
  }

  async #commit(changes: readonly ViewChange[]): Promise<void> {
    this.#nearByHash.clear()
    if (changes.length > 0) await this.#view.transact(this.#view.cursor, changes)
  }

  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work)
    this.#turn = result.catch(() => undefined)
    return result
  }
}

/** A page, and what stands for its chunks if it is one of chunks. */
function removalOf({ key, value }: ViewEntry, id: number): readonly ViewChange[] {
  const row = readPageRow(value)
  const changes = [...pageRemoval(key, row)]
  if (row.bytes[0] !== 0) return changes
  let { offset } = row
  for (const { hash, length } of chunksOfPage(row.bytes)) {
    changes.push(placeRow(hash, id, offset, undefined))
    offset += length
  }
  return changes
}
