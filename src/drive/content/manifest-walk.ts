import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { hashBytes } from '../../feed/hash.ts'
import { beyond } from '../../wire/reader.ts'
import type { Version } from '../version.ts'
import { isOneChunk } from './chunker.ts'
import type { Digest } from './manifest-builder.ts'
import { decodePage, pageBytesMax } from './page.ts'
import type { Page, PagePlace } from './page.ts'

/** The content of a file: its size, and the hash of its one chunk, or of the root of its manifest. */
export type ContentName = Pick<Version, 'size' | 'root'>

/** A chunk, and where it stands in its file. */
export interface ChunkPlace {
  readonly hash: Uint8Array
  readonly length: number
  readonly offset: number
}

/** Bytes of a file, `end` not included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export interface WalkOptions {
  /** Only chunks that have bytes of it. All when absent. */
  readonly range?: ByteRange | undefined
  /** How many pages are asked for ahead. */
  readonly pagesAhead?: number
}

/** Some 2,500 chunks or 180 MiB at level 0, and 300 times as much above: the pages that come next are here before they are needed. */
const pagesAheadDefault = 8

/** What is known of a stretch of the file: that a page tells of it, or which chunks are in it. */
interface Stretch extends PagePlace {
  readonly hash: Uint8Array
  readonly offset: number
  isAsked: boolean
  chunks: Page | undefined
  /** Of the next chunk in `chunks`, and where it stands in the file. */
  nextIndex: number
  nextOffset: number
}

/**
 * Goes through the manifest of a file: is handed pages, says which it wants next, and gives out the chunks in the order of the file. Holds
 * what lies ahead and nothing of what is behind. Nothing that a page says is believed before the page has its hash and fits its place.
 */
export class ManifestWalk {
  readonly #digest: Digest
  readonly #range: ByteRange
  readonly #pagesAhead: number
  /** In the order of the file, the part of it that is still to come. */
  #row: Stretch[]

  /** Throws `LIMIT` for a size that no file has. */
  constructor(
    { size, root }: ContentName,
    digest: Digest,
    { range, pagesAhead = pagesAheadDefault }: WalkOptions = {},
  ) {
    if (!Number.isSafeInteger(size) || size < 0) throw beyond(size, Number.MAX_SAFE_INTEGER)
    this.#digest = digest
    this.#range = range ?? { start: 0, end: size }
    this.#pagesAhead = pagesAhead
    const whole = stretch({ hash: root, level: undefined, length: size, isLast: true }, 0)
    if (isOneChunk(size)) whole.chunks = { level: 0, hashes: root, lengths: [size] }
    this.#row = size > 0 && this.#isInRange(0, size) ? [whole] : []
  }

  /** All chunks have been given out. */
  get isDone(): boolean {
    this.#skip()
    return this.#row.length === 0
  }

  /** Pages that are wanted and were not asked for, in the order in which they are needed. They count as asked for from now on. */
  wanted(): readonly Uint8Array[] {
    const hashes: Uint8Array[] = []
    for (const one of this.#row.slice(0, this.#pagesAhead)) {
      if (one.chunks !== undefined || one.isAsked) continue
      one.isAsked = true
      // A file may have a page twice; it is fetched once at a time.
      if (!hashes.some((hash) => bytesEqual(hash, one.hash)) && !this.#isAskedBefore(one)) hashes.push(one.hash)
    }
    return hashes
  }

  /**
   * A page that was wanted; others are passed over. Throws `CORRUPT` for bytes without that hash, `PROTOCOL` or `LIMIT` for a page that
   * cannot stand where it is named: then no other bytes can, and the file has no content.
   */
  give(hash: Uint8Array, bytes: Uint8Array): void {
    const places = this.#row.filter((one) => one.isAsked && one.chunks === undefined && bytesEqual(one.hash, hash))
    if (places.length === 0) return
    if (bytes.length > pageBytesMax) throw beyond(bytes.length, pageBytesMax)
    if (!bytesEqual(this.#digest(bytes), hash))
      throw new PlaitError('CORRUPT', `page ${encodeHex(hash)} has other bytes than its name says`)
    for (const place of places) this.#fill(place, decodePage(bytes, place))
  }

  /** The next chunk of the file; undefined while its page is missing, and at the end. */
  next(): ChunkPlace | undefined {
    this.#skip()
    const [first] = this.#row
    return first?.chunks === undefined ? undefined : takeChunk(first, first.chunks)
  }

  #isAskedBefore(wanted: Stretch): boolean {
    return this.#row.some(
      (one) => one !== wanted && one.isAsked && one.chunks === undefined && bytesEqual(one.hash, wanted.hash),
    )
  }

  #fill(place: Stretch, page: Page): void {
    if (page.level === 0) {
      place.chunks = page
      return
    }
    const below: Stretch[] = []
    let { offset } = place
    const last = page.lengths.length - 1
    for (const [index, length] of page.lengths.entries()) {
      const hash = hashAt(page, index)
      const isLast = place.isLast && index === last
      if (this.#isInRange(offset, length)) below.push(stretch({ hash, level: page.level - 1, length, isLast }, offset))
      offset += length
    }
    this.#row.splice(this.#row.indexOf(place), 1, ...below)
  }

  /** Goes to the next chunk that is in the range. */
  #skip(): void {
    for (let [first] = this.#row; first?.chunks !== undefined; [first] = this.#row) {
      const length = first.chunks.lengths[first.nextIndex]
      if (length === undefined) this.#row.shift()
      else if (this.#isInRange(first.nextOffset, length)) return
      else takeChunk(first, first.chunks)
    }
  }

  #isInRange(offset: number, length: number): boolean {
    return offset < this.#range.end && offset + length > this.#range.start
  }
}

function stretch(place: PagePlace & { readonly hash: Uint8Array }, offset: number): Stretch {
  return { ...place, offset, isAsked: false, chunks: undefined, nextIndex: 0, nextOffset: offset }
}

function takeChunk(one: Stretch, page: Page): ChunkPlace {
  const place = {
    hash: hashAt(page, one.nextIndex),
    length: page.lengths[one.nextIndex] as number,
    offset: one.nextOffset,
  }
  one.nextIndex += 1
  one.nextOffset += place.length
  return place
}

function hashAt(page: Page, index: number): Uint8Array {
  return page.hashes.slice(index * hashBytes, (index + 1) * hashBytes)
}
