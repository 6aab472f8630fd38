import { assert } from '../../base/assert.ts'
import { utf8Length, utf8Read, utf8Write } from '../../base/bytes.ts'
import { hashBytes } from '../../feed/hash.ts'
import type { ViewChange } from '../../store/view.ts'
import type { NamedPage } from './manifest-builder.ts'
import type { ContentName } from './manifest-walk.ts'

/**
 * How an index of chunks stands in a view. A file has a number of its own for each content that it was found to hold, so that a new name
 * is one row and what belongs to an old content cannot be taken for the new one's. Numbers are big end first: they sort as their bytes do.
 */
export const tables = {
  /** Path: number, size, root. */
  file: 'content.file',
  /** Number: path. */
  path: 'content.path',
  /** Hash, number, offset: length. */
  place: 'content.place',
  /** Number, index: hash, offset of its first chunk (of pages of chunks), bytes of the page. */
  page: 'content.page',
  /** Hash, number, index: nothing. */
  pagePlace: 'content.page-place',
  /** Number: nothing. What has this number is to be removed, or was not written to its end. */
  dead: 'content.dead',
  /** Nothing: the first number that nobody has had. */
  next: 'content.next',
} as const

const idBytes = 6
const indexBytes = 4
const sizeBytes = 7
const nothing = new Uint8Array(0)

export interface FileRow extends ContentName {
  readonly id: number
}

export const idKey = (id: number): Uint8Array => keyOf([id, idBytes])
export const nextKey: Uint8Array = nothing

export function pathKey(path: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(path))
  utf8Write(path, bytes, 0)
  return bytes
}

export function readPath(bytes: Uint8Array): string {
  const path = utf8Read(bytes, 0, bytes.length)
  assert(path !== undefined, 'paths are written in UTF-8')
  return path
}

export function fileRows(path: string, { id, size, root }: FileRow): readonly ViewChange[] {
  const value = keyOf([id, idBytes], [size, sizeBytes], root)
  return [
    { table: tables.file, key: pathKey(path), value },
    { table: tables.path, key: idKey(id), value: pathKey(path) },
  ]
}

export function readFileRow(value: Uint8Array): FileRow {
  const size = readNumber(value, idBytes, sizeBytes)
  return { id: readNumber(value, 0, idBytes), size, root: value.slice(idBytes + sizeBytes) }
}

export function placeRow(hash: Uint8Array, id: number, offset: number, length: number | undefined): ViewChange {
  const value = length === undefined ? undefined : keyOf([length, indexBytes])
  return { table: tables.place, key: keyOf(hash, [id, idBytes], [offset, sizeBytes]), value }
}

export function readPlaceRow(key: Uint8Array, value: Uint8Array): { id: number; offset: number; length: number } {
  const id = readNumber(key, hashBytes, idBytes)
  return { id, offset: readNumber(key, hashBytes + idBytes, sizeBytes), length: readNumber(value, 0, indexBytes) }
}

export function pageRows({ hash, bytes }: NamedPage, id: number, index: number, offset: number): readonly ViewChange[] {
  return [
    { table: tables.page, key: pageKey(id, index), value: keyOf(hash, [offset, sizeBytes], bytes) },
    { table: tables.pagePlace, key: pagePlaceKey(hash, id, index), value: nothing },
  ]
}

const pageKey = (id: number, index: number): Uint8Array => keyOf([id, idBytes], [index, indexBytes])

const pagePlaceKey = (hash: Uint8Array, id: number, index: number): Uint8Array =>
  keyOf(hash, [id, idBytes], [index, indexBytes])

/** The key of a page's own row, from the one by which its hash leads to it. */
export function keyOfPage(placeKey: Uint8Array): Uint8Array {
  return placeKey.slice(hashBytes)
}

export interface PageRow {
  readonly hash: Uint8Array
  readonly offset: number
  readonly bytes: Uint8Array
}

export function readPageRow(value: Uint8Array): PageRow {
  const bytes = value.slice(hashBytes + sizeBytes)
  return { hash: value.subarray(0, hashBytes), offset: readNumber(value, hashBytes, sizeBytes), bytes }
}

/** What removes both rows of a page. */
export function pageRemoval(key: Uint8Array, { hash }: PageRow): readonly ViewChange[] {
  const id = readNumber(key, 0, idBytes)
  const index = readNumber(key, idBytes, indexBytes)
  return [
    { table: tables.pagePlace, key: pagePlaceKey(hash, id, index), value: undefined },
    { table: tables.page, key, value: undefined },
  ]
}

export const deadRow = (id: number, isDead: boolean): ViewChange => ({
  table: tables.dead,
  key: idKey(id),
  value: isDead ? nothing : undefined,
})

/** Bytes as they are, and numbers in so many bytes. */
function keyOf(...parts: readonly (Uint8Array | readonly [number, number])[]): Uint8Array {
  const key = new Uint8Array(parts.reduce((sum, part) => sum + (part instanceof Uint8Array ? part.length : part[1]), 0))
  let at = 0
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      key.set(part, at)
      at += part.length
      continue
    }
    let [rest] = part
    at += part[1]
    for (let index = 1; index <= part[1]; index += 1) {
      key[at - index] = rest % 256
      rest = Math.floor(rest / 256)
    }
  }
  return key
}

function readNumber(bytes: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let index = 0; index < length; index += 1) value = value * 256 + (bytes[at + index] as number)
  return value
}

export const readId = (key: Uint8Array): number => readNumber(key, 0, idBytes)
