import { bytesEqual } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { LogFolder } from './log-folder.ts'
import { RecordFormat } from './record.ts'
import { inferForm, type LogRange } from './segment-scan.ts'
import {
  decodeSegmentHeader,
  formatVersion,
  isTemporaryName,
  positionFromName,
  segmentHeaderBytes,
  type FoundHeader,
  type SegmentHeader,
} from './segment.ts'
import { SegmentTable, type Segment } from './segment-table.ts'

interface FoundSegment extends FoundHeader {
  readonly position: number
}

export interface SegmentList {
  readonly format: RecordFormat
  readonly segments: SegmentTable
  /** Damaged headers and missing segments. */
  readonly rot: readonly LogRange[]
}

/** Reads the headers of all segments, and removes what a crash has left. Undefined when there is no log. */
export async function readSegments(
  folder: LogFolder,
  expectedId: Uint8Array | undefined,
): Promise<SegmentList | undefined> {
  const { disk, path } = folder
  const positions: number[] = []
  for (const name of await disk.list(path)) {
    const position = positionFromName(name)
    if (position !== undefined) positions.push(position)
    else if (isTemporaryName(name)) await disk.remove(`${path}/${name}`)
  }
  if (positions.length === 0) return undefined
  const all: FoundSegment[] = []
  for (const position of positions.sort((one, other) => one - other)) all.push(await readHeader(folder, position))
  const logId = all.find(({ header }) => header !== undefined)?.header?.logId
  if (logId === undefined) throw headerless(path)
  if (expectedId !== undefined && !bytesEqual(logId, expectedId)) throw otherLog(path)
  const found = await withoutLeftovers(folder, all, logId)
  const format = new RecordFormat(logId)
  const rot: LogRange[] = []
  const segments: Segment[] = []
  let reached = 0
  for (const [index, { position, header, damagedBytes }] of found.entries()) {
    if (position > reached) rot.push({ position: reached, end: position })
    if (damagedBytes > 0) rot.push({ position, end: position + segmentHeaderBytes })
    const next = found[index + 1]?.position ?? Number.POSITIVE_INFINITY
    const form = header?.form ?? (await formOf(folder, position, next, format))
    const end = form === 'compacted' && header !== undefined ? header.end : next
    segments.push({ position, form, end })
    reached = end
  }
  return { format, segments: new SegmentTable(segments), rot }
}

async function readHeader(folder: LogFolder, position: number): Promise<FoundSegment> {
  const file = await folder.openSegment(position)
  try {
    const found = decodeSegmentHeader(await file.read(0, segmentHeaderBytes))
    if (found.version > formatVersion) throw newer(folder.path, found.version)
    // Under a name that is not its own, nothing in it is at its position.
    const isOwn = found.header === undefined || found.header.position === position
    return isOwn ? { ...found, position } : { ...found, position, header: undefined }
  } finally {
    await file.close()
  }
}

/** Segments that were put into a compacted one, and had not been removed yet. */
async function withoutLeftovers(
  folder: LogFolder,
  all: readonly FoundSegment[],
  logId: Uint8Array,
): Promise<FoundSegment[]> {
  const isOurs = (header: SegmentHeader | undefined): header is SegmentHeader =>
    header !== undefined && bytesEqual(header.logId, logId)
  const kept: FoundSegment[] = []
  let covered = 0
  for (const segment of all) {
    if (segment.position < covered) {
      await folder.disk.remove(folder.segmentPath(segment.position))
      continue
    }
    kept.push(segment)
    if (isOurs(segment.header)) covered = Math.max(covered, segment.header.end)
  }
  return kept
}

async function formOf(
  folder: LogFolder,
  position: number,
  end: number,
  format: RecordFormat,
): Promise<'plain' | 'compacted'> {
  const file = await folder.openSegment(position)
  try {
    const fileBytes = await file.size()
    const options = { file, position, end, fileBytes, format, recordBytesMax: fileBytes, visit: () => {} }
    return await inferForm({ ...options, form: 'compacted' })
  } finally {
    await file.close()
  }
}

function headerless(path: string): PlaitError {
  return new PlaitError('CORRUPT', `no segment in ${path} has a whole header; nothing was changed`, {
    facts: { path, reason: 'headers' },
  })
}

function otherLog(path: string): PlaitError {
  return new PlaitError(
    'CORRUPT',
    `the checkpoint is not one of the log in ${path}; remove it, and all is read from the beginning`,
    { facts: { path, reason: 'checkpoint' } },
  )
}

function newer(path: string, version: number): PlaitError {
  return new PlaitError('VERSION_MISMATCH', `${path} has format ${version}, this program knows ${formatVersion}`, {
    facts: { path, version, known: formatVersion },
  })
}
