import type { Disk } from '../runtime/disk.ts'
import type { Probe } from '../runtime/probe.ts'
import type { Random } from '../runtime/random.ts'
import { PlaitError } from '../base/error.ts'
import type { Checkpoint } from './checkpoint.ts'
import { compactLog, type CompactionReport, type IsLive } from './compaction.ts'
import { LogFolder } from './log-folder.ts'
import { LogReader, type ReadSizes } from './log-reader.ts'
import { LogWriter, type Durability } from './log-writer.ts'
import type { LogRecord } from './record.ts'
import { recover, type OpenReport, type Recovered, type Visit } from './recovery.ts'
import { defaultStoreLimits, type StoreLimits } from './store-limits.ts'

export interface RecordLogOptions {
  readonly disk: Disk
  /** Where it stands; the root of the disk when empty. It is made when it is missing. */
  readonly directory: string
  readonly random: Random
  readonly probe: Probe
  /** Where to begin with visiting; the first record when absent. `CORRUPT` when it is not of this log. */
  readonly checkpoint?: Checkpoint | undefined
  readonly visit: Visit
  /** Awaited now and then between visits, for what they have left to be done. */
  readonly drain?: (() => Promise<void>) | undefined
  readonly limits?: Partial<StoreLimits>
}

/**
 * A log of records on a disk, with one owner. What a commit with `disk` has covered survives a power cut, in its order, once.
 *
 * A position is a place in the log as a whole, in bytes. That of a record which a commit with `disk` has covered is never another one's,
 * not even after a compaction. After a failed write (`NO_SPACE`, `FILE_FAILED`) whatever was not written is gone: all commits that wait are
 * rejected, and the log works on. Append and commit in one turn of the event loop, so that each loss has somebody who hears of it. After a
 * failed sync nothing is taken any more (`STORE_FAILED`) until the log is opened again.
 */
export class RecordLog {
  /** What opening has found. */
  readonly report: OpenReport
  /** Unique; checkpoints carry it. */
  readonly id: Uint8Array
  readonly #options: RecordLogOptions
  readonly #limits: StoreLimits
  readonly #folder: LogFolder
  readonly #recovered: Recovered
  readonly #writer: LogWriter
  readonly #reader: LogReader
  #compaction: Promise<unknown> | undefined
  #ending: Promise<void> | undefined

  private constructor(options: RecordLogOptions, limits: StoreLimits, folder: LogFolder, recovered: Recovered) {
    const { format, segments, file, end, isClean, report } = recovered
    this.report = report
    this.id = format.logId
    this.#options = options
    this.#limits = limits
    this.#folder = folder
    this.#recovered = recovered
    this.#writer = new LogWriter({ folder, format, limits, segments, probe: options.probe, file, end, isClean })
    this.#reader = new LogReader({ folder, format, limits, segments })
  }

  /** Opens the log, or makes a new one, and visits its records. When it resolves all that was visited is synced. */
  static async open(options: RecordLogOptions): Promise<RecordLog> {
    const { disk, directory, random, probe, checkpoint, visit, drain } = options
    const limits = { ...defaultStoreLimits, ...options.limits }
    const folder = new LogFolder(disk, directory)
    const from = checkpoint?.position ?? 0
    const recovered = await recover({ folder, random, limits, probe, from, logId: checkpoint?.logId, visit, drain })
    const log = new RecordLog(options, limits, folder, recovered)
    await log.#writer.markClean()
    if (log.#writer.failure === undefined) return log
    const { failure } = log.#writer
    await log.abort()
    throw failure
  }

  /** All below is written. */
  get end(): number {
    return this.#writer.written
  }

  /** All below is synced: what may be offered to others. */
  get safe(): number {
    return this.#writer.safe
  }

  /** What was appended and is not written yet. */
  get pendingBytes(): number {
    return this.#writer.pending
  }

  /** How many files the log has. */
  get segmentCount(): number {
    return this.#recovered.segments.size
  }

  /**
   * Takes a record and returns its position. The payload, in one or more parts, is copied. Nothing is written before a commit. Throws
   * `INVALID_ARGUMENT` beyond `recordBytes`, `BUFFER_FULL` when more than `pendingBytes` wait.
   *
   * @param kind What it is, to the owner: 1 .. 2^53 - 1.
   * @param feed To which of the owner's things it belongs: 0 .. 2^53 - 1.
   */
  append(kind: number, feed: number, payload: Uint8Array | readonly Uint8Array[]): number {
    if (!(Number.isSafeInteger(kind) && kind > 0)) throw outOfRange('kind', kind)
    if (!(Number.isSafeInteger(feed) && feed >= 0)) throw outOfRange('feed', feed)
    return this.#writer.append(kind, feed, payload)
  }

  /** Resolves when all that was appended before is taken, written, or synced. One write and one sync serve all that wait. */
  commit(level: Durability = 'disk'): Promise<void> {
    return this.#writer.commit(level)
  }

  /** The record at a position, which belongs to the caller. `CORRUPT` when it is damaged or not there. */
  read(position: number): Promise<LogRecord> {
    return this.#reader.read(position, this.#writer.written)
  }

  /**
   * Records at positions, best in ascending order: neighbours are read at once. The payloads may be views of one buffer: copy what is kept
   * for long.
   */
  readMany(positions: readonly number[], sizes: ReadSizes = {}): Promise<LogRecord[]> {
    return this.#reader.readMany(positions, this.#writer.written, sizes)
  }

  /**
   * Takes records out of all segments but the last one that are not live any more; one compaction at a time. Positions stay as they are.
   *
   * @param options.deadShare Segments are left alone below this share of dead bytes; 0.25 when absent.
   */
  async compact(isLive: IsLive, options: { readonly deadShare?: number } = {}): Promise<CompactionReport> {
    while (this.#compaction !== undefined) await this.#compaction.catch(() => {})
    if (this.#writer.failure !== undefined) throw this.#writer.failure
    const { format, segments } = this.#recovered
    const { probe } = this.#options
    const deadShare = options.deadShare ?? 0.25
    const parts = { folder: this.#folder, format, limits: this.#limits, segments, files: this.#reader.files, probe }
    const compaction = compactLog({ ...parts, isLive, deadShare })
    this.#compaction = compaction
    try {
      return await compaction
    } catch (error) {
      if (PlaitError.is(error) && error.code === 'STORE_FAILED') this.#writer.fail(error)
      throw error
    } finally {
      this.#compaction = undefined
    }
  }

  /** Commits to disk what was appended, and leaves word that all is safe. Idempotent. Rejects when something could not be written. */
  close(): Promise<void> {
    this.#ending ??= this.#end(() => this.#writer.close())
    return this.#ending
  }

  /** Leaves what was not written yet. Idempotent. */
  abort(): Promise<void> {
    this.#ending ??= this.#end(() => this.#writer.abort())
    return this.#ending
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #end(endWriter: () => Promise<void>): Promise<void> {
    this.#writer.stop()
    try {
      await this.#compaction?.catch(() => {})
      await endWriter()
    } finally {
      await this.#reader.files.close()
    }
  }
}

function outOfRange(what: string, value: number): PlaitError {
  return new PlaitError('INVALID_ARGUMENT', `${what} ${value} is not a number that a record can have`)
}
