import { readUint32, readUint64 } from '../base/little-endian.ts'
import { PlaitError } from '../base/error.ts'
import type { DiskFile } from '../runtime/disk.ts'
import type { LogFolder } from './log-folder.ts'
import { bodyBytesMin, commitKind, readRecord, recordHeaderBytes, type LogRecord, type RecordFormat } from './record.ts'
import { SegmentFiles } from './segment-files.ts'
import { SegmentIndex } from './segment-index.ts'
import { positionBytes } from './segment.ts'
import type { Segment, SegmentTable } from './segment-table.ts'
import type { StoreLimits } from './store-limits.ts'

export interface LogReaderOptions {
  readonly folder: LogFolder
  readonly format: RecordFormat
  readonly limits: StoreLimits
  readonly segments: SegmentTable
}

export interface ReadSizes {
  /** Records that begin within so many bytes are read at once; 1 MiB when absent. */
  readonly spanBytes?: number
  /** How long the longest of them probably is; 4 KiB when absent. */
  readonly recordBytes?: number
}

/** Reads records by their positions. */
export class LogReader {
  readonly files: SegmentFiles
  readonly #options: LogReaderOptions
  readonly #indexes = new WeakMap<Segment, Promise<SegmentIndex>>()

  constructor(options: LogReaderOptions) {
    this.#options = options
    this.files = new SegmentFiles(options.folder, options.limits.openSegments)
  }

  async read(position: number, written: number): Promise<LogRecord> {
    const [record] = await this.readMany([position], written)
    return record as LogRecord
  }

  /**
   * Records at ascending positions; what lies close together is read at once, and their payloads are views of one buffer. A record of more
   * than `recordBytes` takes one more read.
   */
  async readMany(positions: readonly number[], written: number, options: ReadSizes = {}): Promise<LogRecord[]> {
    const { spanBytes = spanBytesDefault, recordBytes = firstReadBytes } = options
    const records: LogRecord[] = []
    while (records.length < positions.length) {
      const first = positions[records.length] as number
      const segment = first < written ? this.#options.segments.at(first) : undefined
      if (segment === undefined) throw absent(first)
      try {
        const sizes = { spanBytes, recordBytes }
        const length = await this.#readRun(segment, positions, records, written, sizes)
        if (length === 0) throw absent(first)
      } catch (error) {
        // It may have been compacted meanwhile, and its file be another one.
        if (this.#options.segments.at(first) === segment) throw error
      }
    }
    return records
  }

  /** Reads from the next position on as far as one piece of the file goes. */
  #readRun(
    segment: Segment,
    positions: readonly number[],
    records: LogRecord[],
    written: number,
    { spanBytes, recordBytes }: Required<ReadSizes>,
  ): Promise<number> {
    return this.files.use(segment, async (file) => {
      const first = positions[records.length] as number
      if (segment.form === 'compacted') {
        records.push(await this.#readCompacted(segment, file, first))
        return 1
      }
      const last = lastWithin(positions, records.length, Math.min(segment.end, written, first + spanBytes))
      const length = Math.min(Math.max(last - first, 0) + recordBytes, Math.min(segment.end, written) - first)
      let bytes = await file.read(first - segment.position, length)
      let base = first
      let count = 0
      for (let index = records.length; index < positions.length; index += 1, count += 1) {
        const position = positions[index] as number
        if (position < base || position + recordHeaderBytes > base + bytes.length) break
        const missing = position - base + recordHeaderBytes + readUint32(bytes, position - base + 4) - bytes.length
        if (missing > 0) {
          if (count > 0) break
          this.#checkLength(readUint32(bytes, 4), first)
          bytes = await file.read(first - segment.position, bytes.length + missing)
          base = first
        }
        records.push(this.#record(bytes, position - base, position))
      }
      return count
    })
  }

  /** Walks from the nearest known place before it. */
  async #readCompacted(segment: Segment, file: DiskFile, position: number): Promise<LogRecord> {
    const { offset, length } = (await this.#index(segment, file)).near(position)
    let bytes = await file.read(offset, length)
    for (let at = 0; at + positionBytes + recordHeaderBytes <= bytes.length;) {
      const found = readUint64(bytes, at)
      const bodyBytes = readUint32(bytes, at + positionBytes + 4)
      const end = at + positionBytes + recordHeaderBytes + bodyBytes
      if (found === position) {
        this.#checkLength(bodyBytes, position)
        if (end > bytes.length) bytes = await file.read(offset, end)
        return this.#record(bytes, at + positionBytes, position)
      }
      if (found > position) break
      at = end
    }
    throw absent(position)
  }

  #index(segment: Segment, file: DiskFile): Promise<SegmentIndex> {
    let index = this.#indexes.get(segment)
    if (index === undefined) {
      const { format, limits } = this.#options
      index = SegmentIndex.read(segment, file, format, limits.recordBytes)
      this.#indexes.set(segment, index)
      index.catch(() => this.#indexes.delete(segment))
    }
    return index
  }

  #record(bytes: Uint8Array, offset: number, position: number): LogRecord {
    const end = offset + recordHeaderBytes
    const bodyBytes = end <= bytes.length ? readUint32(bytes, offset + 4) : 0
    this.#checkLength(bodyBytes, position)
    if (end + bodyBytes > bytes.length || !this.#options.format.isWhole(bytes, offset, position))
      throw damaged(position)
    const record = readRecord(bytes, offset)
    if (record.kind === commitKind) throw absent(position)
    return record
  }

  #checkLength(bodyBytes: number, position: number): void {
    if (bodyBytes < bodyBytesMin || bodyBytes > this.#options.limits.recordBytes) throw damaged(position)
  }
}

/** The last of the ascending positions, from `index` on, that lies below `end`. */
function lastWithin(positions: readonly number[], index: number, end: number): number {
  let at = index
  while (at + 1 < positions.length) {
    const next = positions[at + 1] as number
    if (next >= end || next < (positions[at] as number)) break
    at += 1
  }
  return positions[at] as number
}

function damaged(position: number): PlaitError {
  return new PlaitError('CORRUPT', `the record at ${position} is damaged; fetch what it held from another place`, {
    facts: { position, reason: 'damaged' },
  })
}

function absent(position: number): PlaitError {
  return new PlaitError('CORRUPT', `there is no record at ${position}: it was compacted away, or never was`, {
    facts: { position, reason: 'absent' },
  })
}

/** What most records fit in; a longer one takes a second call. */
const firstReadBytes = 4 * 1024
const spanBytesDefault = 1024 * 1024
