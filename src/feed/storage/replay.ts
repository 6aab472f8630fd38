import type { Probe } from '../../runtime/probe.ts'
import type { LogRecord } from '../../store/record.ts'
import { decode } from '../../wire/schema.ts'
import { Frontier, type NodeVisitor } from '../frontier.ts'
import { copyHash, hashBytes, type TreeHash } from '../hash.ts'
import { lengthMax, levelFrom, nodeCount, nodePosition } from '../numbering.ts'
import type { FilePool } from './file-pool.ts'
import type { FeedFiles } from './feed-files.ts'
import {
  clearedSchema,
  decodeBlocks,
  feedHeadSchema,
  feedNameSchema,
  feedRecords,
  frozenSchema,
  nodesSchema,
  resetSchema,
  sealedSchema,
  truncatedSchema,
} from './feed-record.ts'
import type { FeedName } from '../feed-id.ts'
import type { FeedHead } from '../sync/feed-store.ts'
import { peakPositions, type StoredFeed } from './stored-feed.ts'

/** What is done to the feeds of a log while it is replayed. */
export interface ReplayHost {
  feed(number: number): StoredFeed | undefined
  add(number: number, name: FeedName): void
  addDraft(number: number): void
  seal(number: number, name: Uint8Array, head: FeedHead): void
  remove(number: number): void
}

type Write = (files: FeedFiles) => void | Promise<void>

/**
 * Brings feeds and their derived files to where the log is. Records may be seen a second time: what a checkpoint says may have been
 * ahead of the position that it names.
 */
export class Replay {
  readonly #host: ReplayHost
  readonly #hash: TreeHash
  readonly #pool: FilePool
  readonly #probe: Probe
  /** What is left to be written, by feed. */
  #writes = new Map<number, Write[]>()
  /** Of feeds that were appended to, where that was read last. */
  readonly #frontiers = new Map<number, Frontier>()
  /** Feeds of which something was read. */
  readonly touched: Set<number> = new Set()

  constructor(host: ReplayHost, hash: TreeHash, pool: FilePool, probe: Probe) {
    this.#host = host
    this.#probe = probe
    this.#hash = hash
    this.#pool = pool
  }

  /** Takes one record, whose payload is lent. */
  readonly visit = (record: LogRecord, position: number): void => {
    const { kind, feed: number, payload } = record
    if (kind === feedRecords.feed) {
      this.#host.add(number, decode(feedNameSchema, payload))
      return
    }
    if (kind === feedRecords.draft) this.#host.addDraft(number)
    const feed = this.#host.feed(number)
    if (feed === undefined) return
    this.touched.add(number)
    switch (kind) {
      case feedRecords.appended:
      case feedRecords.fetched:
        return this.#takeBlocks(feed, kind, payload, position)
      case feedRecords.head:
        return takeHead(feed, decode(feedHeadSchema, payload))
      case feedRecords.nodes:
        return this.#takeNodes(number, payload)
      case feedRecords.cleared:
        return feed.applyCleared(decode(clearedSchema, payload).runs)
      case feedRecords.reset:
        this.#probe.sometimes('reset replayed')
        feed.forget(decode(resetSchema, payload).fork)
        return this.#write(number, (files) => files.clear())
      case feedRecords.truncated: {
        this.#probe.sometimes('truncation replayed')
        const extent = decode(truncatedSchema, payload)
        feed.have.remove(extent.length, lengthMax)
        feed.tip = extent
        feed.ownLength = extent.length
        return
      }
      case feedRecords.frozen: {
        feed.conflict = decode(frozenSchema, payload)
        return
      }
      case feedRecords.sealed: {
        const { name, head } = decode(sealedSchema, payload)
        return this.#host.seal(number, name, head)
      }
      case feedRecords.removed:
        this.#writes.delete(number)
        return this.#host.remove(number)
      default:
    }
  }

  /** Writes what visits have left. */
  readonly drain = async (): Promise<void> => {
    const writes = this.#writes
    this.#writes = new Map()
    for (const [number, ofFeed] of writes) {
      await this.#pool.use(number, async (files) => {
        for (const write of ofFeed) {
          await write(files)
          if (files.isFull) await files.flush()
        }
      })
      this.#pool.touch(number)
    }
  }

  #takeBlocks(feed: StoredFeed, kind: number, payload: Uint8Array, position: number): void {
    const { start, blocks } = decodeBlocks(payload)
    const end = start + blocks.length
    const lengths = blocks.map(({ length }) => ({ length }))
    const leaves = new Uint8Array(blocks.length * hashBytes)
    blocks.forEach((block, index) => this.#hash.leaf(block, leaves, index * hashBytes))
    feed.have.add(start, end)
    if (kind === feedRecords.appended) takeAppended(feed, start, blocks)
    this.#write(feed.number, async (files) => {
      files.writePlaces(start, lengths, position)
      if (kind === feedRecords.appended) await this.#completeNodes(feed.number, files, start, leaves)
      else completeSubtrees(this.#hash, files, start, leaves)
    })
  }

  /** Writes the nodes that the blocks have completed, those to the left of them included. */
  async #completeNodes(number: number, files: FeedFiles, start: number, leaves: Uint8Array): Promise<void> {
    let frontier = this.#frontiers.get(number)
    if (frontier?.length !== start) {
      const peaks = await readStored(files, peakPositions(start))
      // Where a peak was lost, those above it are computed when somebody asks for them.
      if (peaks === undefined) return completeSubtrees(this.#hash, files, start, leaves)
      frontier = new Frontier(this.#hash, start, peaks)
      this.#frontiers.set(number, frontier)
    }
    writeSubtrees(files, frontier, start, leaves)
  }

  #takeNodes(number: number, payload: Uint8Array): void {
    const { positions, hashes } = decode(nodesSchema, payload)
    this.#write(number, (files) => {
      positions.forEach((position, index) =>
        files.writeNodes(position, hashes.subarray(index * hashBytes, (index + 1) * hashBytes)),
      )
    })
  }

  #write(number: number, write: Write): void {
    const writes = this.#writes.get(number)
    if (writes === undefined) this.#writes.set(number, [write])
    else writes.push(write)
  }
}

function takeHead(feed: StoredFeed, head: FeedHead): void {
  const { tip } = feed
  if (head.fork < tip.fork || (head.fork === tip.fork && head.length < tip.length)) return
  feed.head = head
  feed.tip = head
}

/** Feeds grow by what follows on what is there. */
function takeAppended(feed: StoredFeed, start: number, blocks: readonly Uint8Array[]): void {
  const { tip } = feed
  const end = start + blocks.length
  // With a hole before it the feed ends there, until it is fetched; its numbers are taken all the same.
  feed.ownLength = Math.max(feed.ownLength, end)
  if (start !== tip.length) return
  const bytes = blocks.reduce((sum, block) => sum + block.length, tip.bytes)
  feed.tip = { fork: tip.fork, length: end, bytes }
}

/** The nodes of the subtrees that the blocks fill by themselves. */
function completeSubtrees(hash: TreeHash, files: FeedFiles, start: number, leaves: Uint8Array): void {
  const end = start + leaves.length / hashBytes
  for (let at = start; at < end;) {
    const to = at + 2 ** levelFrom(at, end)
    const part = leaves.subarray((at - start) * hashBytes, (to - start) * hashBytes)
    writeSubtrees(files, new Frontier(hash), at, part)
    at = to
  }
}

/** What a frontier makes of leaves: nodes that follow one another. */
function writeSubtrees(files: FeedFiles, frontier: Frontier, start: number, leaves: Uint8Array): void {
  const count = leaves.length / hashBytes
  const nodes = new Uint8Array((nodeCount(frontier.length + count) - nodeCount(frontier.length)) * hashBytes)
  let filled = 0
  const keep: NodeVisitor = (_level, _index, bytes, at) => {
    copyHash(bytes, at, nodes, filled)
    filled += hashBytes
  }
  for (let index = 0; index < count; index += 1) frontier.appendSubtree(0, leaves, index * hashBytes, keep)
  files.writeNodes(nodePosition(0, start), nodes)
}

async function readStored(files: FeedFiles, positions: readonly number[]): Promise<Uint8Array | undefined> {
  const nodes = new Uint8Array(positions.length * hashBytes)
  for (const [index, position] of positions.entries()) {
    const node = await files.readNode(position)
    if (node === undefined) return undefined
    nodes.set(node, index * hashBytes)
  }
  return nodes
}
