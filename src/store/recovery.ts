import { PlaitError } from '../base/error.ts'
import type { DiskFile } from '../runtime/disk.ts'
import type { Probe } from '../runtime/probe.ts'
import type { Random } from '../runtime/random.ts'
import { synced, type LogFolder } from './log-folder.ts'
import { logIdBytes, RecordFormat, type LogRecord } from './record.ts'
import { readSegments } from './segment-list.ts'
import { recordOf, scanSegment, type Entry, type LogRange } from './segment-scan.ts'
import { segmentHeaderBytes } from './segment.ts'
import { SegmentTable, type Segment } from './segment-table.ts'
import type { StoreLimits } from './store-limits.ts'

/** Called for each whole record in order when a log is opened. The payload is lent until it returns. */
export type Visit = (record: LogRecord, position: number) => void

export interface RecoveryOptions {
  readonly folder: LogFolder
  readonly random: Random
  readonly limits: StoreLimits
  readonly probe: Probe
  readonly from: number
  /** The log that `from` is a position of, when somebody knows. */
  readonly logId: Uint8Array | undefined
  readonly visit: Visit
  readonly drain: (() => Promise<void>) | undefined
}

/** What opening a log has found. */
export interface OpenReport {
  /** There was none before. */
  readonly isNew: boolean
  /** It was closed in order: nothing was written after the last word on what is synced. */
  readonly isClean: boolean
  /** Where visiting began, and how many records were visited. */
  readonly from: number
  readonly records: number
  /** What a power cut had left of unsynced records: cut off, and kept in this file. */
  readonly torn: { readonly position: number; readonly bytes: number; readonly path: string } | undefined
  /**
   * Where the disk has lost what it had: left as it is. Records may be missing there. Before `from` only missing segments and damaged
   * headers are noticed.
   */
  readonly rot: readonly LogRange[]
}

export interface Recovered {
  readonly format: RecordFormat
  readonly segments: SegmentTable
  readonly file: DiskFile
  readonly end: number
  readonly isClean: boolean
  readonly report: OpenReport
}

/** Finds out what a log holds, and brings it into a state in which all that it holds is synced and can be appended to. */
export async function recover(options: RecoveryOptions): Promise<Recovered> {
  const { folder, random } = options
  // Also when it is there: what was made before the last crash may have a name that is not durable yet.
  await folder.create()
  const found = await readSegments(folder, options.logId)
  if (found === undefined) return createLog(options, random.bytes(logIdBytes))
  const { format, segments } = found
  const rot = [...found.rot]
  const scan = new RecordCount(options.visit, options.from)
  const last = segments.last
  for (const segment of last.form === 'plain' ? segments.closed : [...segments.closed, last]) {
    if (segment.end <= options.from) continue
    const file = await folder.openSegment(segment.position)
    try {
      rot.push(...(await scanSegment(await scanOptions(options, file, segment, format, scan))).rot)
    } finally {
      await file.close()
    }
  }
  if (last.form === 'plain') return recoverLast(options, { format, segments, rot, scan })
  // The one that was written to is missing.
  const position = Math.max(last.end, options.from)
  const file = await addSegment(folder, format, segments, position)
  const report = { isNew: false, isClean: false, from: options.from, records: scan.records, torn: undefined, rot }
  return { format, segments, file, end: position + segmentHeaderBytes, isClean: true, report }
}

async function createLog({ folder, from }: RecoveryOptions, logId: Uint8Array): Promise<Recovered> {
  if (from > 0) throw foreignCheckpoint(from)
  const file = await folder.createSegment({ form: 'plain', logId, position: 0, end: 0 })
  const segments = new SegmentTable([{ position: 0, form: 'plain', end: Number.POSITIVE_INFINITY }])
  const report = { isNew: true, isClean: true, from, records: 0, torn: undefined, rot: [] }
  return { format: new RecordFormat(logId), segments, file, end: segmentHeaderBytes, isClean: true, report }
}

interface LastSegment {
  readonly format: RecordFormat
  readonly segments: SegmentTable
  readonly rot: LogRange[]
  readonly scan: RecordCount
}

async function recoverLast(options: RecoveryOptions, last: LastSegment): Promise<Recovered> {
  const file = await options.folder.openSegment(last.segments.last.position)
  try {
    return await recoverFile(options, last, file)
  } catch (error) {
    await file.close()
    throw error
  }
}

async function recoverFile(options: RecoveryOptions, last: LastSegment, file: DiskFile): Promise<Recovered> {
  const { folder, probe, from } = options
  const { format, segments, rot, scan } = last
  const segment = segments.last
  const scanned = await scanOptions(options, file, segment, format, scan)
  const fileEnd = segment.position + scanned.fileBytes
  if (fileEnd < from) {
    // The checkpoint says that there was more, and that it was synced. Nothing is cut off, and no position is used again.
    rot.push({ position: fileEnd, end: from })
    const next = await addSegment(folder, format, segments, from)
    await file.close()
    const report = { isNew: false, isClean: false, from, records: scan.records, torn: undefined, rot }
    return { format, segments, file: next, end: from + segmentHeaderBytes, isClean: true, report }
  }
  const result = await scanSegment({ ...scanned, isLast: true })
  rot.push(...result.rot)
  const end = segment.position + result.endOffset
  const tornBytes = scanned.fileBytes - result.endOffset
  let torn: OpenReport['torn']
  if (tornBytes > 0) {
    probe.sometimes('torn tail cut')
    torn = {
      position: end,
      bytes: tornBytes,
      path: await folder.setAside(file, result.endOffset, tornBytes, end),
    }
    await file.truncate(result.endOffset)
  }
  if (rot.length > 0) probe.sometimes('rot found')
  const safe = Math.max(scan.safe, segment.position + segmentHeaderBytes, from)
  const isClean = torn === undefined && safe === end
  if (!isClean) await rewrite(file, segment.position, safe, end)
  const report = { isNew: false, isClean, from, records: scan.records, torn, rot }
  return { format, segments, file, end, isClean, report }
}

async function addSegment(
  folder: LogFolder,
  { logId }: RecordFormat,
  segments: SegmentTable,
  position: number,
): Promise<DiskFile> {
  const file = await folder.createSegment({ form: 'plain', logId, position, end: 0 })
  segments.push({ position, form: 'plain', end: Number.POSITIVE_INFINITY })
  return file
}

/**
 * Makes durable what was whole, synced or not. It is written once more before: after a sync that has failed the system takes for clean
 * what never reached the disk, and another sync alone would say that all is well.
 */
async function rewrite(file: DiskFile, base: number, safe: number, end: number): Promise<void> {
  for (let at = safe - base; at < end - base; at += rewriteStepBytes) {
    await file.write(at, await file.read(at, Math.min(rewriteStepBytes, end - base - at)))
  }
  await synced(file.sync())
}

async function scanOptions(
  { limits, from, drain }: RecoveryOptions,
  file: DiskFile,
  { position, form, end }: Segment,
  format: RecordFormat,
  { visit }: RecordCount,
): Promise<Parameters<typeof scanSegment>[0]> {
  const size = await file.size()
  const fileBytes = form === 'plain' ? Math.min(size, end - position) : size
  const recordBytesMax = limits.recordBytes
  const options = {
    file,
    form,
    position,
    end,
    fileBytes,
    format,
    recordBytesMax,
    visit,
    ...(drain && { pause: drain }),
  }
  // A compacted segment has to be walked through from its beginning.
  return form === 'plain' ? { ...options, from } : options
}

/** Hands records on from a position on, and keeps what commit records say. */
class RecordCount {
  records = 0
  /** All below is known to be synced; with the commit record that says so when it says so of itself. */
  safe = 0
  readonly #visit: Visit
  readonly #from: number

  constructor(visit: Visit, from: number) {
    this.#visit = visit
    this.#from = from
  }

  visit = (entry: Entry): void => {
    const { position, safe, start, end } = entry
    if (safe === undefined) {
      if (position < this.#from) return
      this.records += 1
      this.#visit(recordOf(entry), position)
    } else this.safe = Math.max(this.safe, safe === position ? position + end - start : safe)
  }
}

export function foreignCheckpoint(position: number): PlaitError {
  return new PlaitError(
    'CORRUPT',
    `the checkpoint at ${position} is not one of this log; remove it, and all is read from the beginning`,
    { facts: { position, reason: 'checkpoint' } },
  )
}

const rewriteStepBytes = 1024 * 1024
