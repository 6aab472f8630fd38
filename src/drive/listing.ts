import { utf8Length } from '../base/bytes.ts'
import { malformed, Reader } from '../wire/reader.ts'
import type { ListingRecord } from './entry.ts'
import { readFacts, RecordWriter } from './record-writer.ts'
import { linkTargetBytes } from './tree-path.ts'

/** Size of a page's payload. */
export const pageBytes: number = 48 * 1024

/** What a record takes besides its texts, at most. */
const recordOverheadBytes = 32
/**
 * Paths in a record may be longer than a path may be: then the receiver refuses that one by name, and not the whole
 * page.
 */
const pathTextBytes = 16 * 1024
const reasonBytes = 512
const kinds = { file: 1, directory: 2, symlink: 3, skipped: 4 } as const

/** Collects records into pages. */
export class ListingPage {
  readonly #writer = new RecordWriter(new Uint8Array(pageBytes))

  get empty(): boolean {
    return this.#writer.length === 0
  }

  /** False when the page is full: take it, and add the record to the next one. */
  add(record: ListingRecord): boolean {
    const textBytes =
      record.kind === 'symlink' ? utf8Length(record.target) : record.kind === 'skipped' ? utf8Length(record.reason) : 0
    if (this.#writer.room < recordOverheadBytes + utf8Length(record.path) + textBytes) return false
    writeRecord(this.#writer, record)
    return true
  }

  /** The payload; the page is not used again. */
  take(): Uint8Array {
    return this.#writer.written
  }
}

/** The records of a page. Throws `PROTOCOL`. Paths and targets are texts, not checked for what they mean. */
export function* readListingPage(payload: Uint8Array): Generator<ListingRecord, void> {
  const reader = new Reader(payload)
  while (reader.remaining > 0) yield readRecord(reader)
}

function writeRecord(writer: RecordWriter, record: ListingRecord): void {
  writer.u8(kinds[record.kind])
  writer.text(record.path)
  if (record.kind === 'skipped') return writer.text(record.reason)
  writer.facts(record)
  if (record.kind === 'file') writer.varint(record.size)
  else if (record.kind === 'symlink') writer.text(record.target)
}

function readRecord(reader: Reader): ListingRecord {
  const kind = reader.u8()
  const path = reader.text(pathTextBytes)
  if (kind === kinds.skipped) return { kind: 'skipped', path, reason: reader.text(reasonBytes) }
  const facts = { path, ...readFacts(reader) }
  switch (kind) {
    case kinds.file:
      return { kind: 'file', ...facts, size: reader.varint() }
    case kinds.directory:
      return { kind: 'directory', ...facts }
    case kinds.symlink:
      return { kind: 'symlink', ...facts, target: reader.text(linkTargetBytes) }
    default:
      throw malformed(`an entry of kind ${kind}, which this version does not know`)
  }
}
