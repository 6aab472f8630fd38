import { emptyBytes } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { writeCheckpoint, type Checkpoint } from '../../store/checkpoint.ts'
import type { CompactionReport } from '../../store/compaction.ts'
import type { Store } from '../../store/open-store.ts'
import { RecordLog } from '../../store/record-log.ts'
import type { OpenReport } from '../../store/recovery.ts'
import type { LogRecord } from '../../store/record.ts'
import { decode, encode } from '../../wire/schema.ts'
import type { TreeHash } from '../hash.ts'
import type { FeedLogBounds } from '../feed-api.ts'
import type { FeedName } from '../feed-id.ts'
import { feedFilesFolder } from './feed-files.ts'
import { decodeBlocks, feedHeadSchema, feedNameSchema, feedRecords, nodesSchema, sealedSchema } from './feed-record.ts'
import type { ProvenNodes } from './feed-record.ts'
import { nodeCount } from '../numbering.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import type { RecordSource } from './block-reader.ts'
import type { RoundHost } from './rounds.ts'
import { FeedShelf } from './feed-shelf.ts'
import type { StoredFeed } from './stored-feed.ts'

export interface FeedLogOptions extends FeedLogBounds {
  readonly store: Omit<Store, 'openView'>
  readonly hash: TreeHash
}

/** A round waits while so much is appended and not written: with what one round has at most it stays within the log's bound. */
const pendingBytesMax = 24 * 1024 * 1024
/** What is replayed after a crash, at most: reading it and hashing it again takes a fraction of a second. */
const checkpointBytesDefault = 64 * 1024 * 1024
const checkpointBlocksDefault = 131_072

/** All feeds of one store, on its log. */
export class FeedLog {
  readonly #options: FeedLogOptions
  readonly #log: RecordLog
  readonly #shelf: FeedShelf
  /** Positions before the rounds that are committed, or about to be, and not in the derived files yet. */
  readonly #unsettled = new Set<{ readonly position: number }>()
  #checkpointAt: number
  #blocksSince = 0
  #checkpoint: Promise<void> | undefined
  #hasLost = false
  #ending: Promise<void> | undefined

  private constructor(options: FeedLogOptions, log: RecordLog, shelf: FeedShelf, checkpointAt: number) {
    this.#options = options
    this.#log = log
    this.#shelf = shelf
    this.#checkpointAt = checkpointAt
    shelf.owner = this
  }

  /** Opens the log of a store. Rejects like `RecordLog.open`. */
  static async open(options: FeedLogOptions): Promise<FeedLog> {
    const { disk } = options.store.runtime
    const shelf = new FeedShelf(options)
    await disk.makeDirectory(feedFilesFolder)
    let checkpoint = await shelf.restore()
    if (checkpoint === undefined) await shelf.begin()
    const log = await openLog(options, shelf, checkpoint).catch(async (error: unknown) => {
      if (!(PlaitError.is(error) && error.facts['reason'] === 'checkpoint')) throw error
      checkpoint = undefined
      await shelf.begin()
      return openLog(options, shelf, undefined)
    })
    const feedLog = new FeedLog(options, log, shelf, checkpoint?.position ?? 0)
    try {
      await shelf.finish()
      for (const feed of shelf.feedsByNumber.values()) {
        if (!feed.isDraft) continue
        options.store.runtime.probe.sometimes('draft of a sealed feed removed')
        await feedLog.remove(feed)
      }
    } catch (error) {
      await log.abort()
      await shelf.pool.close()
      throw error
    }
    return feedLog
  }

  get report(): OpenReport {
    return this.#log.report
  }

  get feeds(): readonly StoredFeed[] {
    return [...this.#shelf.feedsByNumber.values()].filter(({ isDraft }) => !isDraft)
  }

  find(name: FeedName): StoredFeed | undefined {
    return this.#shelf.find(name)
  }

  /** A feed of this name, which is not here yet; resolves when it is durable. */
  add(name: FeedName): Promise<StoredFeed> {
    const number = this.#shelf.takeNumber()
    return this.#remember(feedRecords.feed, number, encode(feedNameSchema, name), () => this.#shelf.add(number, name))
  }

  /** A sealed feed to be, which is not found before it is sealed. */
  addDraft(): Promise<StoredFeed> {
    const number = this.#shelf.takeNumber()
    return this.#remember(feedRecords.draft, number, emptyBytes, () => this.#shelf.addDraft(number))
  }

  /** Gives a draft its name. */
  seal(draft: StoredFeed, name: Uint8Array, head: FeedHead): Promise<StoredFeed> {
    const payload = encode(sealedSchema, { name, head })
    return this.#remember(feedRecords.sealed, draft.number, payload, () => {
      this.#shelf.seal(draft.number, name, head)
      return draft
    })
  }

  /** Forgets a feed. Its records go with the next compaction. */
  async remove(feed: StoredFeed): Promise<void> {
    feed.rounds.fail(new PlaitError('STORE_CLOSED', 'the feed was removed'))
    this.#shelf.hide(feed)
    await feed.rounds.idle()
    const { number } = feed
    await this.#remember(feedRecords.removed, number, emptyBytes, () => this.#shelf.remove(number))
    await this.#shelf.pool.remove(feed.number)
  }

  /** Takes records out whose blocks are not here any more. */
  compact(): Promise<CompactionReport> {
    return this.#log.compact((record, position) => this.#isLive(record, position))
  }

  /** Makes durable what was taken, and lets the log go. Idempotent. */
  close(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  /** What `StoredFeed` needs of the log it is in. */
  hostOf(number: number): RoundHost & RecordSource {
    let unsettled: { readonly position: number } | undefined
    return {
      use: (run) => this.#shelf.pool.use(number, run),
      readMany: (positions, sizes) => this.#log.readMany(positions, sizes),
      commit: async (write) => {
        while (this.#log.pendingBytes > pendingBytesMax) await this.#log.commit('os')
        // Jobs write in this very turn, behind all that is safe by now.
        unsettled = { position: this.#log.safe }
        this.#unsettled.add(unsettled)
        try {
          write({ append: (kind, payload) => this.#append(kind, number, payload) })
          await this.#log.commit()
        } catch (error) {
          this.#unsettled.delete(unsettled)
          throw error
        }
      },
      settled: () => {
        // Behind what was written: a checkpoint of another feed, in between, would have taken it for synced.
        this.#shelf.pool.touch(number)
        if (unsettled !== undefined) this.#unsettled.delete(unsettled)
        this.#considerCheckpoint()
      },
    }
  }

  /** Commits one record, and does what follows from it before any checkpoint that covers it. */
  async #remember<Result>(kind: number, number: number, payload: Uint8Array, then: () => Result): Promise<Result> {
    const unsettled = { position: this.#log.safe }
    this.#unsettled.add(unsettled)
    try {
      this.#log.append(kind, number, payload)
      await this.#log.commit()
      return then()
    } finally {
      this.#unsettled.delete(unsettled)
    }
  }

  #append(kind: number, number: number, payload: Uint8Array | readonly Uint8Array[]): number {
    if (kind === feedRecords.appended || kind === feedRecords.fetched) this.#blocksSince += payload.length - 1
    return this.#log.append(kind, number, payload)
  }

  #considerCheckpoint(): void {
    const { checkpointBytes = checkpointBytesDefault, checkpointBlocks = checkpointBlocksDefault } = this.#options
    const isDue = this.#log.safe - this.#checkpointAt >= checkpointBytes || this.#blocksSince >= checkpointBlocks
    if (isDue && !this.#hasLost && this.#ending === undefined) void this.#writeCheckpoint()
  }

  /** Never rejects: without it the next opening takes longer, and that is all. */
  #writeCheckpoint(): Promise<void> {
    this.#checkpoint ??= this.#tryCheckpoint()
      .catch((error: unknown) => {
        this.#options.store.runtime.probe.sometimes('checkpoint of feeds failed')
        // After a failed sync the derived files may lack what the next one says is there: the log tells it all once more.
        if (PlaitError.is(error) && error.code === 'STORE_FAILED') this.#hasLost = true
      })
      .finally(() => (this.#checkpoint = undefined))
    return this.#checkpoint
  }

  /** All below its position is in the derived files before it is there. */
  async #tryCheckpoint(): Promise<void> {
    const { disk } = this.#options.store.runtime
    const position = Math.min(this.#log.safe, ...[...this.#unsettled].map((round) => round.position))
    const payload = this.#shelf.table()
    // A failure, too, waits until as much has come again.
    this.#checkpointAt = position
    this.#blocksSince = 0
    await this.#shelf.pool.sync()
    await writeCheckpoint(disk, '', { logId: this.#log.id, position, payload })
  }

  #isLive({ kind, feed: number, payload }: LogRecord, position: number): boolean {
    const feed = this.#shelf.feedsByNumber.get(number)
    if (feed === undefined) return false
    switch (kind) {
      case feedRecords.fetched: {
        const { start, blocks } = decodeBlocks(payload)
        return feed.have.next(start, start + blocks.length) !== undefined
      }
      case feedRecords.head:
        return !isOvertaken(feed, decode(feedHeadSchema, payload))
      case feedRecords.nodes:
        return !isOfBeginning(feed, decode(nodesSchema, payload), position)
      default:
        return true
    }
  }

  async #end(): Promise<void> {
    for (const feed of this.feeds) await feed.rounds.idle()
    await this.#checkpoint
    if (this.#log.safe > this.#checkpointAt && !this.#hasLost) await this.#writeCheckpoint()
    try {
      await this.#log.close()
    } finally {
      await this.#shelf.pool.close()
    }
  }
}

function openLog(
  options: FeedLogOptions,
  { replay }: FeedShelf,
  checkpoint: Checkpoint | undefined,
): Promise<RecordLog> {
  const { disk, random, probe } = options.store.runtime
  const { visit, drain } = replay
  return RecordLog.open({ disk, directory: '', random, probe, checkpoint, visit, drain, limits: options.limits ?? {} })
}

/** Whether a head says nothing any more: a later one of the same fork is durable. */
function isOvertaken({ head }: StoredFeed, { fork, length }: FeedHead): boolean {
  return head !== undefined && head.fork === fork && head.length > length
}

/** Whether nodes are all of blocks that are not here, and the peaks above them were written down later. */
function isOfBeginning({ beginning }: StoredFeed, { positions }: ProvenNodes, position: number): boolean {
  if (beginning === undefined || position >= beginning.position) return false
  const end = nodeCount(beginning.length)
  return positions.every((node) => node < end)
}
