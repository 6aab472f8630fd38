import { assert } from '../../base/assert.ts'
import { varintLength, writeVarint } from '../../base/varint.ts'
import { copyHash, hashBytes } from '../../feed/hash.ts'
import { beyond, malformed } from '../../wire/reader.ts'
import { decode, encode } from '../../wire/schema.ts'
import type { Schema } from '../../wire/schema.ts'
import { chunkBytesMax, chunkBytesMin } from './chunker.ts'

/**
 * A page of a manifest, named by the SHA-256 of its encoding: chunks in the order of their file at level 0, pages of the level below
 * elsewhere.
 */
export interface Page {
  readonly level: number
  /** 32 bytes for each entry. */
  readonly hashes: Uint8Array
  /** In bytes of the file. */
  readonly lengths: readonly number[]
}

/** Where a page stands in the manifest of which it is to be a part. */
export interface PagePlace {
  /** Undefined for the root, which may be of any level. */
  readonly level: number | undefined
  /** In bytes of the file. */
  readonly length: number
  /** No other page of this level is behind it. */
  readonly isLast: boolean
}

/** Highest level: no file has more bytes than a number can say, and all pages but the last ones have `pageEntriesMin` entries. */
export const pageLevelMax = 7
/** A page ends with an entry whose hash begins with a byte 0 and which is at least the 64th, or with the 1,024th. */
export const pageEntriesMin = 64
export const pageEntriesMax = 1_024
/** Of the longest page: its level, then hashes with their lengths. */
export const pageBytesMax: number = 1 + pageEntriesMax * (hashBytes + 8)

/** Whether a page ends with the entry at `index` of it: by what is in it, so that a change leaves the other pages as they are. */
export function endsPage(index: number, hash: Uint8Array, at = 0): boolean {
  return index + 1 >= pageEntriesMax || (index + 1 >= pageEntriesMin && hash[at] === 0)
}

/** The level, then for each entry its hash and its LEB128 length, up to the end. */
export const pages: Schema<Page> = {
  bytesMin: 2 + hashBytes,
  openEnded: true,
  measure({ level, hashes, lengths }) {
    assert(level <= pageLevelMax && lengths.length >= 1 && lengths.length <= pageEntriesMax, 'a page within its bounds')
    assert(hashes.length === lengths.length * hashBytes, 'a hash for each length')
    let measured = 1 + hashes.length
    for (const length of lengths) measured += varintLength(length)
    return measured
  },
  write({ level, hashes, lengths }, out, offset) {
    out[offset] = level
    let at = offset + 1
    for (const [index, length] of lengths.entries()) {
      copyHash(hashes, index * hashBytes, out, at)
      at = writeVarint(out, at + hashBytes, length)
    }
    return at
  },
  read(reader) {
    if (reader.remaining > pageBytesMax) throw beyond(reader.remaining, pageBytesMax)
    const level = reader.u8()
    if (level > pageLevelMax) throw beyond(level, pageLevelMax)
    const hashes = new Uint8Array(Math.floor(reader.remaining / (hashBytes + 1)) * hashBytes)
    const lengths: number[] = []
    while (reader.remaining > 0) {
      if (lengths.length === pageEntriesMax) throw beyond(pageEntriesMax + 1, pageEntriesMax)
      if (reader.remaining <= hashBytes) throw malformed('a page that ends within an entry')
      hashes.set(reader.bytes(hashBytes), lengths.length * hashBytes)
      lengths.push(reader.varint())
    }
    if (lengths.length === 0) throw malformed('a page without an entry')
    return { level, hashes: hashes.subarray(0, lengths.length * hashBytes), lengths }
  },
  describe: () => ({
    type: 'level (u8), then for each entry its hash and its LEB128 length, up to the end',
    bound: `levels 0 to ${pageLevelMax}, 1 to ${pageEntriesMax} entries`,
  }),
}

export function encodePage(page: Page): Uint8Array {
  return encode(pages, page)
}

/** A page of which this node has checked the place before. Throws `PROTOCOL` or `LIMIT`. */
export function decodePageAlone(bytes: Uint8Array): Page {
  return decode(pages, bytes)
}

/**
 * The page that is to stand at `place`. Throws `PROTOCOL` or `LIMIT` for one that is malformed, does not add up to the length of its
 * place, or is cut where the rule does not cut: so a file has one manifest only.
 */
export function decodePage(bytes: Uint8Array, place: PagePlace): Page {
  const page = decode(pages, bytes)
  checkEntries(page, place)
  checkSum(page, place)
  return page
}

function checkEntries({ level, hashes, lengths }: Page, { level: expected, isLast }: PagePlace): void {
  if (expected !== undefined && level !== expected)
    throw malformed(`a page of level ${level} where one of ${expected} is meant`)
  if (expected === undefined && lengths.length < 2) throw malformed('a page above a single entry')
  const last = lengths.length - 1
  for (let index = 0; index <= last; index += 1) {
    const isEnd = index === last
    const mayBeShort = isEnd && isLast
    if (endsPage(index, hashes, index * hashBytes) !== isEnd && !mayBeShort)
      throw malformed('a page that is cut elsewhere than by rule')
    const length = lengths[index] as number
    if (length < (mayBeShort ? 1 : entryBytesMin(level)) || length > entryBytesMax(level))
      throw malformed(`an entry of ${length} bytes at level ${level}`)
  }
}

function checkSum({ lengths }: Page, place: PagePlace): void {
  let sum = 0
  for (const length of lengths) sum += length
  if (sum !== place.length) throw malformed(`a page of ${sum} bytes where one of ${place.length} is meant`)
}

/** The least and the most bytes of a file that an entry stands for, one at the very end of the file aside. */
function entryBytesMin(level: number): number {
  return chunkBytesMin * pageEntriesMin ** level
}

function entryBytesMax(level: number): number {
  return chunkBytesMax * pageEntriesMax ** level
}
