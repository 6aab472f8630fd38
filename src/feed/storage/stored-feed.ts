import { PlaitError } from '../../base/error.ts'
import { emptyBytes } from '../../base/bytes.ts'
import type { Clock } from '../../runtime/clock.ts'
import { encode } from '../../wire/schema.ts'
import { Bitmap } from '../bitmap.ts'
import { formatFeedId, type FeedId } from '../feed-id.ts'
import { hashBytes, type TreeHash } from '../hash.ts'
import { lengthMax, levelFrom, nodePosition } from '../numbering.ts'
import type { Probe } from '../../runtime/probe.ts'
import type { Conflict } from '../fork.ts'
import type { Runs } from '../runs.ts'
import type { FeedHead, FeedStore, VerifiedBatch } from '../sync/feed-store.ts'
import { BlockReader, type RecordSource } from './block-reader.ts'
import type { FeedFiles } from './feed-files.ts'
import {
  clearedRunsMax,
  clearedSchema,
  feedHeadSchema,
  feedRecords,
  frozenSchema,
  nodesSchema,
  resetSchema,
} from './feed-record.ts'
import { readNode } from './node-source.ts'
import { Rounds, type Job, type RecordSink, type RoundHost } from './rounds.ts'
import { StoredBlocks } from './stored-blocks.ts'

export interface StoredFeedOptions {
  readonly number: number
  readonly name: Uint8Array
  readonly isSealed: boolean
  readonly hash: TreeHash
  readonly host: RoundHost
  readonly clock: Clock
  readonly records: RecordSource
  readonly probe: Probe
}

/** How far a feed reaches. */
export interface Extent {
  readonly fork: number
  readonly length: number
  readonly bytes: number
}

/** Blocks that are read and hashed again, at most, for nodes that are damaged. */
const rehashedBlocksMax = 4_096

/** One feed as it is on the disk. */
export class StoredFeed implements FeedStore {
  readonly number: number
  readonly isSealed: boolean
  readonly hash: TreeHash
  readonly clock: Clock
  readonly probe: Probe
  /** Of a draft nothing but zeros, and no id, until it is sealed. */
  name: Uint8Array
  id: FeedId
  isDraft = false
  readonly rounds: Rounds
  /** Durable blocks. */
  readonly have: Bitmap = new Bitmap()
  /** What is durable and offered, with its peaks. */
  head: FeedHead | undefined
  peaks: Uint8Array = emptyBytes
  /** One more than the highest number that was given to a block here. */
  ownLength = 0
  /** How far the blocks reach that are durable: of a feed that is written here this may be further than what is signed. */
  tip: Extent = { fork: 0, length: 0, bytes: 0 }
  tipPeaks: Uint8Array = emptyBytes
  /** The blocks of a beginning that is not here, and where its peaks stand: what is older and of those blocks only is of no use. */
  beginning: { readonly length: number; readonly position: number } | undefined
  /** Nothing that is here is of any use any more: what is still on its way to the disk is not here either when it arrives. */
  isResetting = false
  /** Two heads of its writer that do not belong to one feed. */
  conflict: Conflict | undefined
  /** Told of blocks that cannot be read any more. */
  onLost: (runs: Runs, error: PlaitError) => void = () => {}
  readonly #host: RoundHost
  readonly #reader: BlockReader

  constructor(options: StoredFeedOptions) {
    const { number, name, isSealed, hash, host, records, probe } = options
    this.number = number
    this.name = name
    this.isSealed = isSealed
    this.id = formatFeedId({ name, isSealed })
    this.hash = hash
    this.clock = options.clock
    this.probe = probe
    this.rounds = new Rounds(host)
    this.#host = host
    this.#reader = new BlockReader(number, records, (run) => host.use(run))
  }

  /** Blocks from `start` on: as many as have `bytesMax` bytes, one at least. Rejects with `CORRUPT` for one that is damaged. */
  async blocks(start: number, end: number, bytesMax: number): Promise<readonly Uint8Array[]> {
    try {
      return await this.#reader.read(start, end, bytesMax, this.have.nextHole(start))
    } catch (error) {
      if (PlaitError.is(error) && error.code === 'CORRUPT') await this.#lose(start, error)
      throw error
    }
  }

  measure(
    runs: Runs,
    bytesMax: number,
    done: (measured?: { readonly runs: Runs; readonly bytes: number }) => void,
  ): void {
    void answer(this.#reader.measure(runs, bytesMax), done)
  }

  readNodes(positions: readonly number[], done: (nodes?: Uint8Array) => void): void {
    void answer(this.nodes(positions), done)
  }

  readBlocks(start: number, end: number, bytesMax: number, done: (blocks?: readonly Uint8Array[]) => void): void {
    void answer(this.blocks(start, end, bytesMax), done)
  }

  store(batch: VerifiedBatch, done: (isStored: boolean, now?: number) => void): void {
    this.rounds.add(new BatchJob(this, batch, done))
  }

  reset(fork: number, done: (isStored: boolean) => void): void {
    this.isResetting = true
    const job = this.#job({
      isAlone: true,
      write: (sink) => {
        sink.append(feedRecords.reset, encode(resetSchema, { fork }))
      },
      written: async (files) => {
        await this.applyReset(files, fork)
        done(true)
      },
      failed: () => done(false),
    })
    this.rounds.add(job)
  }

  /** Forgets blocks. Of a beginning that is forgotten nothing is needed but its peaks, which are written down once more. */
  async clear(runs: Runs): Promise<void> {
    const length = this.#beginningWithout(runs)
    const peaks = length === 0 ? undefined : await this.peaksOf(length)
    let position: number | undefined
    await this.#remember((sink) => {
      if (peaks !== undefined && this.#beginningWithout(runs) === length)
        position = sink.append(
          feedRecords.nodes,
          encode(nodesSchema, { positions: peakPositions(length), hashes: peaks }),
        )
      for (let at = 0; at < runs.length; at += 2 * clearedRunsMax)
        sink.append(feedRecords.cleared, encode(clearedSchema, { runs: runs.slice(at, at + 2 * clearedRunsMax) }))
    }, true)
    this.applyCleared(runs)
    if (position !== undefined && length <= this.tip.length) this.beginning = { length, position }
  }

  freeze(conflict: Conflict): Promise<void> {
    this.conflict ??= conflict
    return this.#remember((sink) => {
      sink.append(feedRecords.frozen, encode(frozenSchema, conflict))
    })
  }

  /** 32 bytes for each position; undefined when one is not there. */
  async nodes(positions: readonly number[]): Promise<Uint8Array | undefined> {
    const nodes = new Uint8Array(positions.length * hashBytes)
    const budget = { blocks: rehashedBlocksMax }
    const isWhole = await this.#host.use(async (files) => {
      const parts = {
        hash: this.hash,
        node: (position: number) => files.readNode(position),
        block: async (index: number) =>
          this.have.has(index) ? (await this.blocks(index, index + 1, 1))[0] : undefined,
      }
      const found = await Promise.all(positions.map((position) => readNode(parts, position, budget)))
      found.forEach((node, index) => node !== undefined && nodes.set(node, index * hashBytes))
      return !found.includes(undefined)
    })
    if (isWhole && budget.blocks < rehashedBlocksMax) this.probe.sometimes('nodes computed anew')
    return isWhole ? nodes : undefined
  }

  /** Bytes of the first `length` blocks; undefined when nothing is known of one of them. */
  async bytesOf(length: number): Promise<number | undefined> {
    return (await this.#reader.measure([0, length], Infinity))?.bytes
  }

  /** The peaks of a length; undefined when one is not there. */
  peaksOf(length: number): Promise<Uint8Array | undefined> {
    return this.nodes(peakPositions(length))
  }

  /** The draft is complete. */
  applySeal(name: Uint8Array, head: FeedHead): void {
    this.isDraft = false
    this.name = name
    this.id = formatFeedId({ name, isSealed: true })
    this.applyHead(head, this.tipPeaks)
  }

  applyHead(head: FeedHead, peaks: Uint8Array): void {
    this.head = head
    this.peaks = peaks
    this.tip = head
    this.tipPeaks = peaks
  }

  async applyReset(files: FeedFiles, fork: number): Promise<void> {
    await files.clear()
    this.#reader.forget()
    this.forget(fork)
    this.isResetting = false
  }

  /** It has no blocks, and begins anew. */
  forget(fork: number): void {
    this.have.clear()
    this.beginning = undefined
    this.head = undefined
    this.peaks = emptyBytes
    this.ownLength = 0
    this.tip = { fork, length: 0, bytes: 0 }
    this.tipPeaks = emptyBytes
  }

  /** It ends earlier. */
  applyCut(extent: Extent, peaks: Uint8Array): void {
    this.have.remove(extent.length, lengthMax)
    if (this.beginning !== undefined && this.beginning.length > extent.length) this.beginning = undefined
    this.ownLength = extent.length
    this.tip = extent
    this.tipPeaks = peaks
    this.#reader.forget()
  }

  applyCleared(runs: Runs): void {
    for (let at = 0; at < runs.length; at += 2) this.have.remove(runs[at] as number, runs[at + 1] as number)
    this.#reader.forget()
  }

  /** `isAlone`: what was stored before is known to be here when it is written. */
  #remember(write: (sink: RecordSink) => void, isAlone = false): Promise<void> {
    return new Promise((resolve, reject) => {
      this.rounds.add(this.#job({ isAlone, write, written: () => resolve(), failed: reject }))
    })
  }

  /** How many blocks stand before the first one that is here when these are not any more. */
  #beginningWithout(runs: Runs): number {
    let first = this.have.next(0, lengthMax)
    for (let at = 0; at < runs.length; at += 2)
      if (first !== undefined && first >= (runs[at] as number) && first < (runs[at + 1] as number))
        first = this.have.next(runs[at + 1] as number, lengthMax)
    return first ?? Math.min(this.tip.length, runs.at(-1) ?? 0)
  }

  #job(parts: Omit<Job, 'bytes'>): Job {
    return { bytes: 0, ...parts }
  }

  /** The block cannot be read, nor can those that stand in the same record: they are not here any more. */
  async #lose(block: number, error: PlaitError): Promise<void> {
    const runs = (await this.#reader.unreadable(block, this.have)) ?? []
    if (runs.length === 0) return
    this.probe.sometimes('lost blocks found on a read')
    this.onLost(runs, error)
    this.applyCleared(runs)
    await this.clear(runs).catch(() => {})
  }
}

/** What was verified, on its way to the disk. */
class BatchJob implements Job {
  readonly bytes: number
  readonly #feed: StoredFeed
  readonly #batch: VerifiedBatch
  readonly #groups: readonly StoredBlocks[]
  readonly #done: (isStored: boolean, now?: number) => void

  constructor(feed: StoredFeed, batch: VerifiedBatch, done: (isStored: boolean, now?: number) => void) {
    this.#feed = feed
    this.#batch = batch
    this.#groups = batch.groups.map((group) => new StoredBlocks(group, feedRecords.fetched))
    this.#done = done
    this.bytes = batch.groups.reduce((sum, { blocks }) => blocks.reduce((one, block) => one + block.length, sum), 0)
  }

  write(sink: RecordSink): void {
    const { head, positions, hashes, fork } = this.#batch
    if (fork !== this.#feed.tip.fork) throw new PlaitError('CORRUPT', 'blocks of a feed that was truncated since')
    if (positions.length > 0) sink.append(feedRecords.nodes, encode(nodesSchema, { positions, hashes }))
    for (const group of this.#groups) group.write(sink)
    if (head !== undefined) sink.append(feedRecords.head, encode(feedHeadSchema, head))
  }

  written(files: FeedFiles): void {
    const { head, peaks, positions, hashes, groups } = this.#batch
    const { have, isResetting } = this.#feed
    if (isResetting) return this.#done(false)
    positions.forEach((position, index) =>
      files.writeNodes(position, hashes.subarray(index * hashBytes, (index + 1) * hashBytes)),
    )
    for (const group of this.#groups) group.written(files)
    for (const { start, blocks } of groups) have.add(start, start + blocks.length)
    if (head !== undefined) this.#feed.applyHead(head, peaks ?? emptyBytes)
    this.#done(true, this.#feed.clock.now())
  }

  failed(): void {
    this.#feed.probe.sometimes('fetched blocks not stored')
    this.#done(false)
  }
}

export function peakPositions(length: number): readonly number[] {
  const positions: number[] = []
  let start = 0
  while (start < length) {
    const level = levelFrom(start, length)
    positions.push(nodePosition(level, start / 2 ** level))
    start += 2 ** level
  }
  return positions
}

async function answer<Result>(result: Promise<Result | undefined>, done: (result?: Result) => void): Promise<void> {
  let value: Result | undefined
  try {
    value = await result
  } catch {
    // It is damaged, or the store is closed: nothing is what the caller gets.
  }
  if (value === undefined) done()
  else done(value)
}
