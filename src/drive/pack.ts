import { malformed, Reader } from '../wire/reader.ts'
import type { VersionFacts } from './entry.ts'
import { readFacts, RecordWriter } from './record-writer.ts'
import { hashBytes } from './want.ts'

/** Files up to this size travel in packs, larger ones as streams. */
export const smallFileBytes: number = 64 * 1024
/** Size of a pack, and how many files it holds at most: unpacking them must not hold up the event loop. */
export const packBytes: number = 256 * 1024
export const packFilesMax = 256

/** An answer to a want that needs no stream. */
export type PackItem =
  | {
      readonly kind: 'file'
      readonly id: number
      readonly facts: VersionFacts
      readonly content: Uint8Array
      readonly hash: Uint8Array
    }
  | { readonly kind: 'same'; readonly id: number; readonly facts: VersionFacts }
  | { readonly kind: 'problem'; readonly id: number; readonly reason: string }

const kinds = { file: 1, same: 2, problem: 3 } as const
const itemOverheadBytes = 64
const reasonCharactersMax = 160
const reasonBytes = 512

/** Collects the contents of small files into one payload; each is read straight into its place. */
export class Pack {
  readonly #writer: RecordWriter
  #count = 0

  /** `bytes` holds `packBytes`, and belongs to the pack from now on. */
  constructor(bytes: Uint8Array) {
    this.#writer = new RecordWriter(bytes)
  }

  get count(): number {
    return this.#count
  }

  /** Whether one more item with that much content fits. */
  fits(contentBytes: number): boolean {
    return this.#count < packFilesMax && this.#writer.room >= itemOverheadBytes + Math.max(contentBytes, reasonBytes)
  }

  /**
   * Adds a file: `fill` reads its content into the given place and returns its hash, or undefined to take it all back.
   * Returns whether it was added.
   */
  file(id: number, facts: VersionFacts, size: number, fill: (place: Uint8Array) => Uint8Array | undefined): boolean {
    const start = this.#writer.length
    this.#begin(kinds.file, id, facts)
    this.#writer.varint(size)
    const hash = fill(this.#writer.reserve(size))
    if (hash === undefined) {
      this.#writer.rewind(start)
      return false
    }
    this.#writer.raw(hash)
    this.#count += 1
    return true
  }

  same(id: number, facts: VersionFacts): void {
    this.#begin(kinds.same, id, facts)
    this.#count += 1
  }

  problem(id: number, reason: string): void {
    this.#writer.u8(kinds.problem)
    this.#writer.varint(id)
    this.#writer.text(reason.slice(0, reasonCharactersMax))
    this.#count += 1
  }

  /** The payload; the pack is not used again. */
  take(): Uint8Array {
    return this.#writer.written
  }

  #begin(kind: number, id: number, facts: VersionFacts): void {
    this.#writer.u8(kind)
    this.#writer.varint(id)
    this.#writer.facts(facts)
  }
}

/** The items of a pack; contents and hashes are views of `payload`. Throws `PROTOCOL`. */
export function* readPack(payload: Uint8Array): Generator<PackItem, void> {
  const reader = new Reader(payload)
  while (reader.remaining > 0) yield readItem(reader)
}

/** What precedes a stream: whose content it is. */
export interface StreamHead {
  readonly id: number
  readonly facts: VersionFacts
  readonly size: number
}

export function writeStreamHead(head: StreamHead): Uint8Array {
  const writer = new RecordWriter(new Uint8Array(itemOverheadBytes))
  writer.varint(head.id)
  writer.facts(head.facts)
  writer.varint(head.size)
  return writer.written
}

/** Throws `PROTOCOL`. */
export function readStreamHead(payload: Uint8Array): StreamHead {
  const reader = new Reader(payload)
  return { id: reader.varint(), facts: readFacts(reader), size: reader.varint() }
}

function readItem(reader: Reader): PackItem {
  const kind = reader.u8()
  const id = reader.varint()
  switch (kind) {
    case kinds.file: {
      const facts = readFacts(reader)
      return { kind: 'file', id, facts, content: reader.bytes(reader.length(packBytes)), hash: reader.bytes(hashBytes) }
    }
    case kinds.same:
      return { kind: 'same', id, facts: readFacts(reader) }
    case kinds.problem:
      return { kind: 'problem', id, reason: reader.text(reasonBytes) }
    default:
      throw malformed(`a pack with an item of kind ${kind}, which this version does not know`)
  }
}
