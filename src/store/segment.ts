import { bytesEqual } from '../base/bytes.ts'
import { readUint32, readUint64, writeUint32, writeUint64 } from '../base/little-endian.ts'
import { crc32c } from './crc32c.ts'
import { logIdBytes } from './record.ts'

/** Records one after the other as they were appended; or those that were left of one or more segments, each behind its position. */
export type SegmentForm = 'plain' | 'compacted'

/** What the header of a segment says. */
export interface SegmentHeader {
  readonly form: SegmentForm
  readonly logId: Uint8Array
  /** Of the first byte of the segment's header. */
  readonly position: number
  /** Of a compacted one: where the positions that it stands for end. 0 else. */
  readonly end: number
}

/** The header stands there twice, so that one damaged bit does not make the log unreadable. */
const copyBytes = 64
export const segmentHeaderBytes: number = 2 * copyBytes

/** Before each record of a compacted segment: its position. */
export const positionBytes = 8

export const formatVersion = 1

export function encodeSegmentHeader({ form, logId, position, end }: SegmentHeader): Uint8Array {
  const bytes = new Uint8Array(segmentHeaderBytes)
  bytes.set(magic)
  writeUint32(bytes, 8, formatVersion)
  writeUint32(bytes, 12, form === 'plain' ? 0 : 1)
  bytes.set(logId, 16)
  writeUint64(bytes, 32, position)
  writeUint64(bytes, 40, end)
  writeUint32(bytes, copyBytes - 4, crc32c(bytes, 0, copyBytes - 4))
  bytes.copyWithin(copyBytes, 0, copyBytes)
  return bytes
}

/** What is left of a header: its content, when one of its copies is whole, and how many bytes of it are damaged. */
export interface FoundHeader {
  readonly header: SegmentHeader | undefined
  readonly version: number
  readonly damagedBytes: number
}

export function decodeSegmentHeader(bytes: Uint8Array): FoundHeader {
  const copies = [bytes.subarray(0, copyBytes), bytes.subarray(copyBytes, segmentHeaderBytes)].filter(isWhole)
  const [copy] = copies
  const damagedBytes = copyBytes * (2 - copies.length)
  if (copy === undefined) return { header: undefined, version: formatVersion, damagedBytes }
  const header: SegmentHeader = {
    form: readUint32(copy, 12) === 0 ? 'plain' : 'compacted',
    logId: copy.slice(16, 16 + logIdBytes),
    position: readUint64(copy, 32),
    end: readUint64(copy, 40),
  }
  return { header, version: readUint32(copy, 8), damagedBytes }
}

/** 16 digits, so that names are in the order of positions. */
export function segmentName(position: number): string {
  return `${String(position).padStart(16, '0')}.seg`
}

/** The position that the name of a file gives; undefined when it is not that of a segment. */
export function positionFromName(name: string): number | undefined {
  const position = Number(/^(\d{16})\.seg$/.exec(name)?.[1] ?? Number.NaN)
  return Number.isSafeInteger(position) ? position : undefined
}

/** Of a segment that is being made. */
export function temporaryName(position: number): string {
  return `${String(position).padStart(16, '0')}.tmp`
}

export function isTemporaryName(name: string): boolean {
  return /^\d{16}\.tmp$/.test(name)
}

function isWhole(copy: Uint8Array): boolean {
  return (
    copy.length === copyBytes &&
    bytesEqual(copy.subarray(0, magic.length), magic) &&
    readUint32(copy, copyBytes - 4) === crc32c(copy, 0, copyBytes - 4)
  )
}

const magic: Uint8Array = new TextEncoder().encode('PLAITLOG')
