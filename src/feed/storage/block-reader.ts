import { PlaitError } from '../../base/error.ts'
import type { ReadSizes } from '../../store/log-reader.ts'
import type { LogRecord } from '../../store/record.ts'
import type { Bitmap } from '../bitmap.ts'
import type { Runs } from '../runs.ts'
import type { BlockPlace, FeedFiles } from './feed-files.ts'
import { decodeBlocks, feedRecords, type RecordBlocks } from './feed-record.ts'

/** Where records are read. */
export interface RecordSource {
  /** Rejects with `CORRUPT`. The payloads may be views of one buffer. */
  readMany(positions: readonly number[], sizes: ReadSizes): Promise<readonly LogRecord[]>
}

/** Places that are looked up at once, when blocks are measured and when they are read. */
const measuredAtOnce = 32_768
const placesAtOnce = 16_384
/** Whoever reads block after block, one at a time, gets so many at once. */
const placesAhead = 64
/** What is read ahead for who reads one block after the other. */
const aheadBytes = 512 * 1024
/** What stands in a record besides blocks, when they are few; the lengths of many short blocks may take more. */
const recordOverheadBytes = 4 * 1024
/** Blocks whose places are read together by `unreadable`, before and behind the one that was damaged. */
const neighbours = 4_096

/** A record that was read. */
interface ReadRecord extends RecordBlocks {
  readonly position: number
}

/** Reads blocks of one feed out of the log. */
export class BlockReader {
  readonly #number: number
  readonly #records: RecordSource
  readonly #use: <Result>(run: (files: FeedFiles) => Promise<Result>) => Promise<Result>
  /** Blocks that were read last, without a gap: who reads on finds most of it here. Their records may hold others that are no more. */
  #recent: { readonly start: number; readonly blocks: readonly Uint8Array[] } = { start: 0, blocks: [] }
  /** Where the last read ended. */
  #next = 0
  #epoch = 0

  constructor(
    number: number,
    records: RecordSource,
    use: <Result>(run: (files: FeedFiles) => Promise<Result>) => Promise<Result>,
  ) {
    this.#number = number
    this.#records = records
    this.#use = use
  }

  forget(): void {
    this.#recent = { start: 0, blocks: [] }
    this.#epoch += 1
  }

  /**
   * Blocks from `start` on, before `end`, with at most `bytesMax` bytes, one at least. Rejects with `CORRUPT`.
   *
   * @param heldEnd The first block behind `start` that is not here: nothing is read ahead from there on.
   */
  async read(start: number, end: number, bytesMax: number, heldEnd: number): Promise<readonly Uint8Array[]> {
    const recent = this.#recent
    const isRecent = start >= recent.start && start < recent.start + recent.blocks.length
    if (isRecent) return this.#cut(start, recent.blocks.slice(start - recent.start, end - recent.start), bytesMax)
    const isSequential = start === this.#next
    const epoch = this.#epoch
    const ahead = isSequential ? Math.max(end, Math.min(heldEnd, start + placesAhead)) : end
    const places = await this.#places(start, Math.min(ahead, start + placesAtOnce))
    const fits = fitting(places, isSequential ? Math.max(bytesMax, aheadBytes) : bytesMax)
    // Behind `end` only what is read anyway: what is said of other places there may be long past.
    const last = fits[Math.min(end - start, fits.length) - 1]?.position
    const other = fits.findIndex(({ position }, index) => index >= end - start && position !== last)
    const wanted = other < 0 ? fits : fits.slice(0, other)
    const first = wanted[0]
    if (first === undefined) throw missing(start)
    const records = await this.#readRecords(wanted).catch((error: unknown) => {
      // What is damaged further on is no reason to lack what is not.
      const alone = wanted.filter(({ position }) => position === first.position)
      if (alone.length === wanted.length || !PlaitError.is(error) || error.code !== 'CORRUPT') throw error
      return this.#readRecords(alone)
    })
    const whole = wanted.slice(
      0,
      firstIndex(wanted, ({ position }) => !records.has(position)),
    )
    const blocks = whole.map(({ position }, index) => blockOf(records.get(position), start + index))
    if (epoch === this.#epoch) this.#recent = { start, blocks }
    return this.#cut(start, blocks.slice(0, end - start), bytesMax)
  }

  /** The first of these runs, cut so that their blocks have at most `bytesMax` bytes, one at least. Undefined when one is missing. */
  async measure(runs: Runs, bytesMax: number): Promise<{ readonly runs: Runs; readonly bytes: number } | undefined> {
    const cut: number[] = []
    let bytes = 0
    let count = 0
    for (let at = 0; at < runs.length; at += 2) {
      const end = runs[at + 1] as number
      for (let from = runs[at] as number; from < end;) {
        const places = await this.#places(from, Math.min(end, from + measuredAtOnce))
        for (const [index, place] of places.entries()) {
          if (place === undefined) return undefined
          if (count > 0 && bytes + place.bytes > bytesMax) return { runs: withRun(cut, from, from + index), bytes }
          bytes += place.bytes
          count += 1
        }
        withRun(cut, from, from + places.length)
        from += places.length
      }
    }
    return { runs: cut, bytes }
  }

  /** Which of the blocks around one that are said to be here stand in the same record, when that is damaged. */
  async unreadable(block: number, have: Bitmap): Promise<Runs | undefined> {
    this.forget()
    const from = Math.max(0, block - neighbours)
    const places = await this.#places(from, block + neighbours)
    const position = places[block - from]?.position
    if (position === undefined) return have.has(block) ? [block, block + 1] : []
    const lost: number[] = []
    for (const [index, place] of places.entries())
      if (place?.position === position && have.has(from + index)) withRun(lost, from + index, from + index + 1)
    const isBad = await this.#records.readMany([position], {}).then(
      ([record]) => !this.#holds(record, position, block),
      (error: unknown) => PlaitError.is(error) && error.code === 'CORRUPT',
    )
    return isBad ? lost : []
  }

  #places(start: number, end: number): Promise<readonly (BlockPlace | undefined)[]> {
    return this.#use((files) => files.readPlaces(start, end))
  }

  async #readRecords(places: readonly BlockPlace[]): Promise<ReadonlyMap<number, ReadRecord>> {
    const bytesByPosition = new Map<number, number>()
    for (const { position, bytes } of places)
      bytesByPosition.set(position, (bytesByPosition.get(position) ?? recordOverheadBytes) + bytes)
    const positions = [...bytesByPosition.keys()]
    let recordBytes = 0
    for (const bytes of bytesByPosition.values()) recordBytes = Math.max(recordBytes, bytes)
    const records = await this.#records.readMany(positions, { recordBytes })
    return new Map(positions.map((position, index) => [position, this.#decode(records[index], position)]))
  }

  /** As many as have `bytesMax` bytes, one at least. */
  #cut(start: number, blocks: readonly Uint8Array[], bytesMax: number): readonly Uint8Array[] {
    let bytes = 0
    let count = 0
    for (; count < blocks.length; count += 1) {
      bytes += (blocks[count] as Uint8Array).length
      if (bytes > bytesMax && count > 0) break
    }
    this.#next = start + count
    return count === blocks.length ? blocks : blocks.slice(0, count)
  }

  #decode(record: LogRecord | undefined, position: number): ReadRecord {
    const isOfBlocks = record?.kind === feedRecords.appended || record?.kind === feedRecords.fetched
    if (record === undefined || !isOfBlocks || record.feed !== this.#number) throw misplaced(position)
    return { ...decodeBlocks(record.payload), position }
  }

  #holds(record: LogRecord | undefined, position: number, block: number): boolean {
    try {
      blockOf(this.#decode(record, position), block)
      return true
    } catch {
      return false
    }
  }
}

function firstIndex<Item>(items: readonly Item[], isIt: (item: Item) => boolean): number {
  const index = items.findIndex(isIt)
  return index < 0 ? items.length : index
}

/** The first places whose blocks have at most `bytesMax` bytes, one at least. */
function fitting(places: readonly (BlockPlace | undefined)[], bytesMax: number): readonly BlockPlace[] {
  const fit: BlockPlace[] = []
  let bytes = 0
  for (const place of places) {
    if (place === undefined) break
    bytes += place.bytes
    if (bytes > bytesMax && fit.length > 0) break
    fit.push(place)
  }
  return fit
}

/** Adds a run to those before it, as one with the last of them if they touch. */
function withRun(runs: number[], start: number, end: number): number[] {
  if (start === end) return runs
  if (runs.at(-1) === start) runs[runs.length - 1] = end
  else runs.push(start, end)
  return runs
}

function blockOf(record: ReadRecord | undefined, block: number): Uint8Array {
  const found = record?.blocks[block - record.start]
  if (found === undefined) throw misplaced(record?.position ?? 0)
  return found
}

function missing(block: number): PlaitError {
  return new PlaitError('CORRUPT', `block ${block} is not where it should be; fetch it from another place`, {
    facts: { block },
  })
}

function misplaced(position: number): PlaitError {
  return new PlaitError('CORRUPT', `the record at ${position} is not the one that was looked for`, {
    facts: { position, reason: 'absent' },
  })
}
