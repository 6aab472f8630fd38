import { readUint32, readUint64 } from '../base/little-endian.ts'
import type { DiskFile } from '../runtime/disk.ts'
import { FileWindow } from './file-window.ts'
import {
  bodyBytesMin,
  commitBytes,
  readCommit,
  recordHeaderBytes,
  type LogRecord,
  readRecord,
  type RecordFormat,
} from './record.ts'
import { positionBytes, segmentHeaderBytes, type SegmentForm } from './segment.ts'

/** A part of the log, in positions. */
export interface LogRange {
  readonly position: number
  readonly end: number
}

export interface ScanOptions {
  readonly file: DiskFile
  readonly form: SegmentForm
  /** Of the segment. */
  readonly position: number
  /** Where its positions end, and the bytes of its file. */
  readonly end: number
  readonly fileBytes: number
  readonly format: RecordFormat
  readonly recordBytesMax: number
  /** Where to begin; the first record when absent. Of a plain segment only. */
  readonly from?: number
  /**
   * Given for the segment that is written to: damage may be a tail that a power cut has torn there. It is, unless a commit record behind it
   * says that it was synced. Elsewhere all damage is rot.
   */
  readonly isLast?: boolean
  /** Called for each whole record in order, commit records included. All is lent until it returns. */
  readonly visit: (entry: Entry) => void
  /** Awaited before more of the file is read. */
  readonly pause?: () => Promise<void>
}

/** A whole record where it was found. */
export interface Entry {
  readonly position: number
  /** The record is `bytes[start] .. bytes[end - 1]`. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** In the file: of the record, or of the position before it. */
  readonly fileOffset: number
  /** For a commit record: the position below which all is synced. */
  readonly safe: number | undefined
}

export interface ScanResult {
  /** Behind the last whole record, in the file. Anything after that is a torn tail. */
  readonly endOffset: number
  /** Where records are damaged, or missing. */
  readonly rot: readonly LogRange[]
}

/** Reads the records of one segment from beginning to end. */
export function scanSegment(options: ScanOptions): Promise<ScanResult> {
  return new SegmentScan(options).run()
}

export function recordOf({ bytes, start }: Entry): LogRecord {
  return readRecord(bytes, start)
}

/** The form of a segment whose header is lost: the one in which a commit record makes sense. */
export async function inferForm(options: ScanOptions): Promise<SegmentForm> {
  const compacted = new SegmentScan({ ...options, form: 'compacted' })
  return (await compacted.nextCommit(segmentHeaderBytes)) === undefined ? 'plain' : 'compacted'
}

const damaged = 0
const notLoaded = -1

class SegmentScan {
  readonly #options: ScanOptions
  readonly #window: FileWindow
  readonly #prefixBytes: number
  #wanted = 0
  /** The position behind the last whole record. */
  #reached: number
  #isBroken = false
  readonly #rot: LogRange[] = []

  constructor(options: ScanOptions) {
    this.#options = options
    this.#window = new FileWindow(options.file, options.fileBytes)
    this.#prefixBytes = options.form === 'plain' ? 0 : positionBytes
    this.#reached = Math.max(options.from ?? 0, options.position + segmentHeaderBytes)
  }

  async run(): Promise<ScanResult> {
    const { fileBytes, end, form, position } = this.#options
    const isLast = this.#options.isLast === true
    let offset = this.#reached - position
    while (offset < fileBytes) {
      let length = this.#peek(offset)
      if (length === notLoaded) length = await this.#look(offset)
      if (length !== damaged) {
        this.#take(offset, length)
        offset += length
        continue
      }
      const resumed = await this.#resume(offset)
      if (resumed === undefined) break
      offset = resumed
    }
    const isCut = form === 'plain' && this.#reached < end
    if (!isLast && (this.#isBroken || isCut)) this.#rot.push({ position: this.#reached, end })
    return { endOffset: offset, rot: this.#rot }
  }

  /** The next commit record from `offset` on. */
  async nextCommit(offset: number): Promise<Commit | undefined> {
    const { format, fileBytes } = this.#options
    const { logId } = format
    const before = this.#prefixBytes + recordHeaderBytes + bodyBytesMin
    let at = offset + before
    while (at + logId.length <= fileBytes) {
      if (!this.#window.covers(at, logId.length)) await this.#window.move(at, logId.length)
      const { bytes, start } = this.#window
      if (bytes.length < logId.length) return undefined
      const found = bytes.indexOf(logId[0] as number, at - start)
      at = found < 0 ? start + bytes.length : start + found
      if (found < 0 || !this.#window.covers(at, logId.length)) continue
      const commit = startsWith(bytes, found, logId) ? await this.#commitAt(at - before) : undefined
      if (commit !== undefined) return commit
      at += 1
    }
    return undefined
  }

  async #commitAt(offset: number): Promise<Commit | undefined> {
    const length = await this.#look(offset)
    if (length !== this.#prefixBytes + commitBytes) return undefined
    const { bytes, start } = this.#window
    const safe = readCommit(bytes, offset - start + this.#prefixBytes)
    return safe === undefined ? undefined : { offset, safe }
  }

  #take(fileOffset: number, length: number): void {
    const { form, position: base, visit } = this.#options
    const { bytes, start: windowStart } = this.#window
    const start = fileOffset - windowStart + this.#prefixBytes
    const end = fileOffset - windowStart + length
    const position = form === 'plain' ? base + fileOffset : readUint64(bytes, start - positionBytes)
    if (this.#isBroken) this.#rot.push({ position: this.#reached, end: position })
    this.#isBroken = false
    this.#reached = position + end - start
    visit({ position, bytes, start, end, fileOffset, safe: readCommit(bytes, start) })
  }

  /** Where to go on behind damage; undefined when it is a torn tail. */
  async #resume(offset: number): Promise<number | undefined> {
    const next = await this.nextCommit(offset + 1)
    if (this.#options.isLast === true && !(await this.#wasSynced(offset, next))) return undefined
    this.#isBroken = true
    const target = next?.offset ?? this.#options.fileBytes
    return (await this.#behindOne(offset, target)) ?? target
  }

  /** Whether a commit record says that what stood at `offset` was synced. */
  async #wasSynced(offset: number, next: Commit | undefined): Promise<boolean> {
    let commit = next
    while (commit !== undefined && commit.safe <= this.#options.position + offset) {
      commit = await this.nextCommit(commit.offset + commitBytes)
    }
    return commit !== undefined
  }

  /** The offset behind one damaged record, when its length is right: whole records lead from there to `target`. */
  async #behindOne(offset: number, target: number): Promise<number | undefined> {
    const headBytes = this.#prefixBytes + recordHeaderBytes
    if (!this.#window.covers(offset, headBytes)) await this.#window.move(offset, headBytes)
    if (!this.#window.covers(offset, headBytes)) return undefined
    const behind = offset + headBytes + readUint32(this.#window.bytes, offset - this.#window.start + headBytes - 4)
    let at = behind
    while (at < target) {
      const length = await this.#look(at)
      if (length === damaged) return undefined
      at += length
    }
    return at === target ? behind : undefined
  }

  /** Bytes of the whole record at an offset, with what stands before it; `damaged` when there is none. */
  async #look(offset: number): Promise<number> {
    let length = this.#peek(offset)
    // Once for its length, once for the rest.
    for (let tries = 0; length === notLoaded && tries < 2; tries += 1) {
      await this.#options.pause?.()
      await this.#window.move(offset, this.#wanted)
      length = this.#peek(offset)
    }
    return length === notLoaded ? damaged : length
  }

  #peek(offset: number): number {
    const { fileBytes, recordBytesMax, format, position, end, form } = this.#options
    const window = this.#window
    this.#wanted = this.#prefixBytes + recordHeaderBytes
    if (offset + this.#wanted > fileBytes) return damaged
    if (!window.covers(offset, this.#wanted)) return notLoaded
    const start = offset - window.start + this.#prefixBytes
    const bodyBytes = readUint32(window.bytes, start + 4)
    if (bodyBytes < bodyBytesMin || bodyBytes > recordBytesMax) return damaged
    this.#wanted += bodyBytes
    if (offset + this.#wanted > fileBytes) return damaged
    if (!window.covers(offset, this.#wanted)) return notLoaded
    const at = form === 'plain' ? position + offset : readUint64(window.bytes, start - positionBytes)
    if (at < this.#reached || at >= end) return damaged
    return format.isWhole(window.bytes, start, at) ? this.#wanted : damaged
  }
}

interface Commit {
  readonly offset: number
  readonly safe: number
}

function startsWith(bytes: Uint8Array, offset: number, beginning: Uint8Array): boolean {
  for (let index = 0; index < beginning.length; index += 1) if (bytes[offset + index] !== beginning[index]) return false
  return true
}
