import { PlaitError } from '../base/error.ts'
import { writeUint64 } from '../base/little-endian.ts'
import type { DiskFile } from '../runtime/disk.ts'
import type { Probe } from '../runtime/probe.ts'
import type { LogFolder } from './log-folder.ts'
import type { LogRecord, RecordFormat } from './record.ts'
import type { SegmentFiles } from './segment-files.ts'
import { recordOf, scanSegment, type Entry, type ScanResult } from './segment-scan.ts'
import type { Segment, SegmentTable } from './segment-table.ts'
import { encodeSegmentHeader, positionBytes, segmentHeaderBytes } from './segment.ts'
import type { StoreLimits } from './store-limits.ts'

/** Whether a record is still needed. Its payload is lent until it returns. Asked more than once. */
export type IsLive = (record: LogRecord, position: number) => boolean

export interface CompactionOptions {
  readonly folder: LogFolder
  readonly format: RecordFormat
  readonly limits: StoreLimits
  readonly segments: SegmentTable
  readonly files: SegmentFiles
  readonly probe: Probe
  readonly isLive: IsLive
  /** From which share of a file on it is worth while to write it again without what nobody needs. */
  readonly deadShare: number
}

export interface CompactionReport {
  /** Segments that were written again, how many they have become, and the bytes that are free now. */
  readonly before: number
  readonly after: number
  readonly freedBytes: number
  /** Positions of segments that have damaged records, and so were left alone: nobody knows what is in them. */
  readonly damaged: readonly number[]
}

interface Survey {
  readonly segment: Segment
  readonly fileBytes: number
  /** What the file would have without the dead ones. */
  readonly liveBytes: number
  readonly isDamaged: boolean
}

/**
 * Writes segments again with only those records that are live, under the same positions: nothing that points into the log has to
 * change, and their order stays. Neighbours that have become small are joined. The new file takes the place of the first one by a rename;
 * then the others go. A crash in between leaves files that the new one covers, which the next opening removes.
 */
export async function compactLog(options: CompactionOptions): Promise<CompactionReport> {
  const surveys: Survey[] = []
  for (const segment of options.segments.closed) surveys.push(await survey(options, segment))
  let [before, after, freedBytes] = [0, 0, 0]
  for (const group of groups(surveys, options)) {
    const newBytes = await rewriteGroup(options, group)
    before += group.length
    after += 1
    freedBytes += sum(group.map(({ fileBytes }) => fileBytes)) - newBytes
  }
  const damaged = surveys.filter(({ isDamaged }) => isDamaged).map(({ segment }) => segment.position)
  return { before, after, freedBytes, damaged }
}

async function survey(options: CompactionOptions, segment: Segment): Promise<Survey> {
  return options.files.use(segment, async (file) => {
    const fileBytes = await file.size()
    let liveBytes = segmentHeaderBytes
    const keeps = keeper(options.isLive)
    const { rot } = await scan(options, segment, file, (entry) => {
      if (keeps(entry)) liveBytes += positionBytes + entry.end - entry.start
    })
    return { segment, fileBytes, liveBytes, isDamaged: rot.length > 0 }
  })
}

/** Neighbours that fit into one segment, where that frees enough or takes many small files away. */
function groups(surveys: readonly Survey[], { limits, deadShare }: CompactionOptions): Survey[][] {
  const all: Survey[][] = []
  let group: Survey[] = []
  let bytes = 0
  for (const survey of surveys) {
    const last = group.at(-1)?.segment.end
    const fits =
      bytes + survey.liveBytes <= limits.segmentBytes && (last ?? survey.segment.position) === survey.segment.position
    if (!fits || survey.isDamaged) {
      all.push(group)
      group = []
      bytes = 0
    }
    if (survey.isDamaged) continue
    group.push(survey)
    bytes += survey.liveBytes
  }
  all.push(group)
  return all.filter((members) => {
    const fileBytes = sum(members.map((member) => member.fileBytes))
    const dead = fileBytes - sum(members.map((member) => member.liveBytes))
    return members.length > 0 && ((dead > 0 && dead >= fileBytes * deadShare) || members.length >= smallFilesMax)
  })
}

/** Returns the bytes of the new file. */
async function rewriteGroup(options: CompactionOptions, group: readonly Survey[]): Promise<number> {
  const { folder, segments, format, files, probe } = options
  const { position } = (group[0] as Survey).segment
  const { end } = (group.at(-1) as Survey).segment
  let newBytes = 0
  const file = await folder.install(position, async (target) => {
    const out = new Output(target)
    out.put(encodeSegmentHeader({ form: 'compacted', logId: format.logId, position, end }))
    for (const { segment } of group) await copyLive(options, segment, out)
    await out.flush()
    newBytes = out.length
  })
  await file.close()
  probe.sometimes(group.length > 1 ? 'segments joined' : 'segment compacted')
  segments.replace({ position, form: 'compacted', end })
  for (const { segment } of group) {
    await files.forget(segment)
    // Otherwise the next opening removes it.
    if (segment.position !== position) await folder.disk.remove(folder.segmentPath(segment.position)).catch(() => {})
  }
  return newBytes
}

async function copyLive(options: CompactionOptions, segment: Segment, out: Output): Promise<void> {
  const keeps = keeper(options.isLive)
  const visit = (entry: Entry): void => {
    if (keeps(entry)) out.add(entry)
  }
  await options.files.use(segment, async (file) => {
    const { rot } = await scan(options, segment, file, visit, () => out.flush())
    if (rot.length > 0) throw rotten(segment.position)
  })
}

/** Live records; and a commit record behind them, which is where a reader finds its way again behind damage. */
function keeper(isLive: IsLive): (entry: Entry) => boolean {
  let isDue = false
  return (entry) => {
    if (entry.safe !== undefined) {
      const keeps = isDue
      isDue = false
      return keeps
    }
    const keeps = isLive(recordOf(entry), entry.position)
    isDue ||= keeps
    return keeps
  }
}

async function scan(
  { format, limits }: CompactionOptions,
  segment: Segment,
  file: DiskFile,
  visit: (entry: Entry) => void,
  pause: () => Promise<void> = () => Promise.resolve(),
): Promise<ScanResult> {
  const { form, position, end } = segment
  const size = await file.size()
  const fileBytes = form === 'plain' ? Math.min(size, end - position) : size
  return scanSegment({ file, form, position, end, fileBytes, format, recordBytesMax: limits.recordBytes, visit, pause })
}

/** The file of a compacted segment while it is written. */
class Output {
  readonly #file: DiskFile
  #bytes = new Uint8Array(firstBytes)
  #used = 0
  /** Of what is written already. */
  #offset = 0

  constructor(file: DiskFile) {
    this.#file = file
  }

  get length(): number {
    return this.#offset + this.#used
  }

  /** Takes a header, or a record with its position before it. */
  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#used)
    this.#used += bytes.length
  }

  add({ position, bytes, start, end }: Entry): void {
    this.#reserve(positionBytes)
    writeUint64(this.#bytes, this.#used, position)
    this.#used += positionBytes
    this.put(bytes.subarray(start, end))
  }

  async flush(): Promise<void> {
    if (this.#used === 0) return
    await this.#file.write(this.#offset, this.#bytes.subarray(0, this.#used))
    this.#offset += this.#used
    this.#used = 0
  }

  #reserve(count: number): void {
    if (this.#used + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#used + count, this.#bytes.length * 2))
    grown.set(this.#bytes.subarray(0, this.#used))
    this.#bytes = grown
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function rotten(position: number): PlaitError {
  return new PlaitError('CORRUPT', `the segment at ${position} has become damaged while it was compacted; it stays`, {
    facts: { position, reason: 'damaged' },
  })
}

/** So many neighbours are joined even when that frees little. */
const smallFilesMax = 8
const firstBytes = 64 * 1024
