import { PlaitError } from '../../base/error.ts'
import type { LogRecord } from '../../store/record.ts'
import type { Bitmap } from '../bitmap.ts'
import type { Runs } from '../runs.ts'
import type { BlockPlace, FeedFiles } from './feed-files.ts'
import { decodeBlocks, feedRecords, type RecordBlocks } from './feed-record.ts'

/** Where records are read. */
export interface RecordSource {
  /** Rejects with `CORRUPT`. The payloads may be views of one buffer. */
  readMany(positions: readonly number[]): Promise<readonly LogRecord[]>
}

/** Places that are looked up at once. */
const placesAtOnce = 4_096
/** Blocks whose places are read together by `unreadable`, before and behind the one that was damaged. */
const neighbours = 4_096

/** Reads blocks of one feed out of the log. */
export class BlockReader {
  readonly #number: number
  readonly #records: RecordSource
  readonly #use: <Result>(run: (files: FeedFiles) => Promise<Result>) => Promise<Result>
  /** What was read last: who reads one block after the other finds most of them in one record. */
  #last: (RecordBlocks & { readonly position: number }) | undefined

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
    this.#last = undefined
  }

  /** Blocks from `start` on, before `end`, with at most `bytesMax` bytes, one at least. Rejects with `CORRUPT`. */
  async read(start: number, end: number, bytesMax: number): Promise<readonly Uint8Array[]> {
    const cached = this.#cached(start, end, bytesMax)
    if (cached !== undefined) return cached
    const places = await this.#places(start, Math.min(end, start + placesAtOnce))
    const wanted = fitting(places, bytesMax)
    if (wanted.length === 0) throw missing(start)
    const positions = [...new Set(wanted.map(({ position }) => position))]
    const records = await this.#records.readMany(positions)
    const byPosition = new Map(positions.map((position, index) => [position, this.#decode(records[index], position)]))
    this.#last = byPosition.get(positions.at(-1) as number)
    return wanted.map(({ position }, index) => blockOf(byPosition.get(position), start + index))
  }

  /** The first of these runs, cut so that their blocks have at most `bytesMax` bytes, one at least. Undefined when one is missing. */
  async measure(runs: Runs, bytesMax: number): Promise<{ readonly runs: Runs; readonly bytes: number } | undefined> {
    const cut: number[] = []
    let bytes = 0
    let count = 0
    for (let at = 0; at < runs.length; at += 2) {
      const end = runs[at + 1] as number
      for (let from = runs[at] as number; from < end;) {
        const places = await this.#places(from, Math.min(end, from + placesAtOnce))
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
    const isBad = await this.#records.readMany([position]).then(
      ([record]) => !this.#holds(record, position, block),
      (error: unknown) => PlaitError.is(error) && error.code === 'CORRUPT',
    )
    return isBad ? lost : []
  }

  #places(start: number, end: number): Promise<readonly (BlockPlace | undefined)[]> {
    return this.#use((files) => files.readPlaces(start, end))
  }

  #cached(start: number, end: number, bytesMax: number): readonly Uint8Array[] | undefined {
    const last = this.#last
    if (last === undefined || start < last.start || start >= last.start + last.blocks.length) return undefined
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (let index = start - last.start; index < last.blocks.length && last.start + index < end; index += 1) {
      const block = last.blocks[index] as Uint8Array
      bytes += block.length
      if (bytes > bytesMax && blocks.length > 0) break
      blocks.push(block)
    }
    return blocks
  }

  #decode(record: LogRecord | undefined, position: number): RecordBlocks & { readonly position: number } {
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

function blockOf(record: (RecordBlocks & { readonly position: number }) | undefined, block: number): Uint8Array {
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
