import { readUint32, readUint64, writeUint32, writeUint64 } from '../base/little-endian.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { crc32c } from './crc32c.ts'

/** What an owner of a log has appended. */
export interface LogRecord {
  /** What the payload is, to its owner; from 1 up. */
  readonly kind: number
  /** Which of the owner's things it belongs to, by a number that means something in this log only. */
  readonly feed: number
  readonly payload: Uint8Array
}

/** CRC32C and length, which stand before the body: kind, feed, payload. */
export const recordHeaderBytes = 8

/** Kind and feed of one byte each: what the shortest body has. */
export const bodyBytesMin = 2

export const logIdBytes = 16

/** Bytes of the payload of a commit record, and of the whole record. */
export const commitPayloadBytes: number = logIdBytes + 16
export const commitBytes: number = recordHeaderBytes + bodyBytesMin + commitPayloadBytes

/**
 * The form of records in one log. The CRC of a record begins with the log's id and the record's position, so that a whole record of
 * another log, or one that has got to another place, is a damaged one here.
 */
export class RecordFormat {
  readonly logId: Uint8Array
  readonly #idCrc: number
  readonly #position = new Uint8Array(8)

  constructor(logId: Uint8Array) {
    this.logId = logId
    this.#idCrc = crc32c(logId)
  }

  /** Writes CRC and length before a body that stands there already. */
  seal(out: Uint8Array, offset: number, bodyBytes: number, position: number): void {
    writeUint32(out, offset + 4, bodyBytes)
    writeUint32(out, offset, this.#crc(out, offset + 4, offset + recordHeaderBytes + bodyBytes, position))
  }

  /** Whether the bytes at `offset`, all of which are there, are the record that was written at `position`. */
  isWhole(bytes: Uint8Array, offset: number, position: number): boolean {
    const end = offset + recordHeaderBytes + readUint32(bytes, offset + 4)
    return this.#crc(bytes, offset + 4, end, position) === readUint32(bytes, offset)
  }

  /** The record that says, at `position`, that all below `safe` is synced. */
  writeCommit(out: Uint8Array, offset: number, position: number, safe: number): void {
    const body = offset + recordHeaderBytes
    out[body] = commitKind
    out[body + 1] = 0
    out.set(this.logId, body + bodyBytesMin)
    writeUint64(out, body + bodyBytesMin + logIdBytes, position)
    writeUint64(out, body + bodyBytesMin + logIdBytes + 8, safe)
    this.seal(out, offset, bodyBytesMin + commitPayloadBytes, position)
  }

  #crc(bytes: Uint8Array, start: number, end: number, position: number): number {
    writeUint64(this.#position, 0, position)
    return crc32c(bytes, start, end, crc32c(this.#position, 0, 8, this.#idCrc))
  }
}

export const commitKind = 0

export function bodyLength(kind: number, feed: number, payloadBytes: number): number {
  return varintLength(kind) + varintLength(feed) + payloadBytes
}

/** Writes kind and feed, and returns the offset behind them. */
export function writeBodyHead(out: Uint8Array, offset: number, kind: number, feed: number): number {
  return writeVarint(out, writeVarint(out, offset, kind), feed)
}

/** Reads a whole record at `offset`. Its payload is a view. */
export function readRecord(bytes: Uint8Array, offset: number): LogRecord {
  const end = offset + recordHeaderBytes + readUint32(bytes, offset + 4)
  const head = offset + recordHeaderBytes
  const kindEnd = varintEnd(bytes, head, end)
  const feedEnd = varintEnd(bytes, kindEnd, end)
  return {
    kind: readVarint(bytes, head, kindEnd),
    feed: readVarint(bytes, kindEnd, feedEnd),
    payload: bytes.subarray(feedEnd, end),
  }
}

/** The position below which a whole record at `offset` says that all is synced; undefined when it is no commit record. */
export function readCommit(bytes: Uint8Array, offset: number): number | undefined {
  const isCommit =
    readUint32(bytes, offset + 4) === bodyBytesMin + commitPayloadBytes &&
    bytes[offset + recordHeaderBytes] === commitKind
  return isCommit ? readUint64(bytes, offset + commitBytes - 8) : undefined
}

function varintEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start
  while (at < end && (bytes[at] as number) >= 128) at += 1
  return Math.min(at + 1, end)
}

function readVarint(bytes: Uint8Array, start: number, end: number): number {
  let value = 0
  for (let at = end - 1; at >= start; at -= 1) value = value * 128 + ((bytes[at] as number) & 127)
  return value
}
