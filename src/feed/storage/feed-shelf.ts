import { assert } from '../../base/assert.ts'
import { encodeHex } from '../../base/bytes.ts'
import type { Store } from '../../store/open-store.ts'
import { readCheckpoint, type Checkpoint } from '../../store/checkpoint.ts'
import { hashBytes, type TreeHash } from '../hash.ts'
import { lengthMax } from '../numbering.ts'
import type { FeedName } from '../feed-id.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import type { RecordSource } from './block-reader.ts'
import { feedFilesFolder } from './feed-files.ts'
import { decodeFeedTable, encodeFeedTable } from './feed-table.ts'
import { FilePool } from './file-pool.ts'
import { Replay, type ReplayHost } from './replay.ts'
import type { RoundHost } from './rounds.ts'
import { StoredFeed } from './stored-feed.ts'

export interface FeedShelfOptions {
  readonly store: Omit<Store, 'openView'>
  readonly hash: TreeHash
}

/** The log on which the feeds are. */
export interface FeedShelfOwner {
  hostOf(number: number): RoundHost & RecordSource
}

/** The feeds by number and name, and their derived files. */
export class FeedShelf implements ReplayHost {
  readonly feedsByNumber: Map<number, StoredFeed> = new Map()
  readonly pool: FilePool
  readonly replay: Replay
  /** Set when the log is open: until then feeds are only read from it. */
  owner: FeedShelfOwner | undefined
  readonly #options: FeedShelfOptions
  readonly #feedsByName = new Map<string, StoredFeed>()
  #nextNumber = 1

  constructor(options: FeedShelfOptions) {
    this.#options = options
    this.pool = new FilePool(options.store.runtime.disk)
    this.replay = new Replay(this, options.hash, this.pool, options.store.runtime.probe)
  }

  /** Takes over what the last checkpoint says. */
  async restore(): Promise<Checkpoint | undefined> {
    const checkpoint = await readCheckpoint(this.#options.store.runtime.disk, '')
    const table = checkpoint === undefined ? undefined : decodeFeedTable(checkpoint.payload)
    if (table === undefined) return undefined
    this.#nextNumber = table.nextNumber
    for (const row of table.feeds) {
      const feed = row.isDraft ? this.addDraft(row.number) : this.add(row.number, row)
      feed.head = row.head
      feed.peaks = row.peaks
      feed.ownLength = row.ownLength
      feed.tip = { fork: row.tipFork, length: row.tipLength, bytes: row.tipBytes }
      feed.tipPeaks = row.tipPeaks
      feed.conflict = row.conflict
      for (let at = 0; at < row.have.length; at += 2) feed.have.add(row.have[at] as number, row.have[at + 1] as number)
    }
    return checkpoint
  }

  /** Without a checkpoint all is derived anew: what stands in the files may be of another time. */
  async begin(): Promise<void> {
    const { disk } = this.#options.store.runtime
    this.feedsByNumber.clear()
    this.#feedsByName.clear()
    for (const name of await disk.list(feedFilesFolder)) await disk.remove(`${feedFilesFolder}/${name}`)
  }

  /** All records were visited. */
  async finish(): Promise<void> {
    await this.replay.drain()
    for (const number of this.replay.touched) {
      const feed = this.feedsByNumber.get(number)
      if (feed !== undefined) await settleFeed(feed)
    }
  }

  table(): Uint8Array {
    return encodeFeedTable(this.#nextNumber, this.feedsByNumber.values())
  }

  takeNumber(): number {
    this.#nextNumber += 1
    return this.#nextNumber - 1
  }

  feed(number: number): StoredFeed | undefined {
    return this.feedsByNumber.get(number)
  }

  find(name: FeedName): StoredFeed | undefined {
    return this.#feedsByName.get(keyOf(name))
  }

  add(number: number, name: FeedName): StoredFeed {
    const present = this.feedsByNumber.get(number) ?? this.find(name)
    if (present !== undefined) return present
    const feed = this.#make(number, name)
    this.#feedsByName.set(keyOf(name), feed)
    return feed
  }

  addDraft(number: number): StoredFeed {
    const present = this.feedsByNumber.get(number)
    if (present !== undefined) return present
    const feed = this.#make(number, { name: new Uint8Array(hashBytes), isSealed: true })
    feed.isDraft = true
    return feed
  }

  seal(number: number, name: Uint8Array, head: FeedHead): void {
    const feed = this.feedsByNumber.get(number)
    if (feed === undefined) return
    feed.applySeal(name, head)
    this.#feedsByName.set(keyOf(feed), feed)
  }

  remove(number: number): void {
    const feed = this.feedsByNumber.get(number)
    if (feed !== undefined) this.hide(feed)
    this.feedsByNumber.delete(number)
  }

  /** Nobody finds it by its name any more. */
  hide(feed: StoredFeed): void {
    if (this.find(feed) === feed) this.#feedsByName.delete(keyOf(feed))
  }

  #make(number: number, name: FeedName): StoredFeed {
    this.#nextNumber = Math.max(this.#nextNumber, number + 1)
    const host = hostLater(this, number)
    const { hash, store } = this.#options
    const { clock, probe } = store.runtime
    const feed = new StoredFeed({ number, ...name, hash, host, records: host, clock, probe })
    this.feedsByNumber.set(number, feed)
    return feed
  }
}

/** A feed is made before its log is open, and lives on it. */
function hostLater(shelf: FeedShelf, number: number): RoundHost & RecordSource {
  let host: (RoundHost & RecordSource) | undefined
  const open = (): RoundHost & RecordSource => {
    host ??= shelf.owner?.hostOf(number)
    assert(host !== undefined, 'the log is open')
    return host
  }
  return {
    use: (run) => shelf.pool.use(number, run),
    readMany: (positions, sizes) => open().readMany(positions, sizes),
    commit: (write) => open().commit(write),
    settled: () => open().settled(),
  }
}

/** Finds the peaks of a feed that was replayed, and gives up what cannot be proven: it has to be fetched. */
async function settleFeed(feed: StoredFeed): Promise<void> {
  const { tip, head, ownLength } = feed
  const peaks = await feed.peaksOf(tip.length)
  if (peaks === undefined) {
    feed.forget(tip.fork)
    // No number is used again for all that.
    feed.ownLength = ownLength
  } else feed.tipPeaks = peaks
  feed.have.remove(feed.tip.length, lengthMax)
  if (head?.fork === feed.tip.fork && head.length === feed.tip.length) feed.peaks = feed.tipPeaks
  else if (head !== undefined && (head.fork !== feed.tip.fork || head.length > feed.tip.length)) feed.head = undefined
  else if (head !== undefined) {
    const headPeaks = await feed.peaksOf(head.length)
    if (headPeaks === undefined) feed.head = undefined
    else feed.peaks = headPeaks
  }
}

function keyOf({ name, isSealed }: FeedName): string {
  return `${isSealed ? 's' : 'f'}${encodeHex(name)}`
}
