import { PlaitError } from '../base/error.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import { verify as verifySignature } from '../identity/signature.ts'
import type { PlaitNode } from '../node/node-api.ts'
import type { CompactionReport } from '../store/compaction.ts'
import type { Store } from '../store/open-store.ts'
import type { OpenReport } from '../store/recovery.ts'
import { Exchange } from './exchange.ts'
import type {
  CreateFeedOptions,
  Feed,
  FeedConnection,
  FeedInfo,
  FeedOptions,
  Feeds,
  FeedsOptions,
  WritableFeed,
} from './feed-api.ts'
import { DialledConnection } from './feed-connection.ts'
import { OpenFeed, type FeedHost } from './feed.ts'
import { formatFeedId, parseFeedId, type FeedId, type FeedName } from './feed-id.ts'
import { FeedKeys } from './feed-keys.ts'
import { sha256 } from './node/sha256.ts'
import { zstd } from './node/zstd.ts'
import { FeedLog } from './storage/feed-log.ts'
import type { FeedSigner } from './storage/feed-writer.ts'
import { sealBlocks } from './storage/sealing.ts'
import type { StoredFeed } from './storage/stored-feed.ts'
import type { PeerSnapshot } from './sync/snapshot.ts'
import type { Replica } from './sync/replica.ts'
import { Synchronizer } from './sync/synchronizer.ts'

/**
 * The feeds of a store, shared with those nodes that know them; with nobody when there is no node. A store takes this once. Rejects with
 * `CORRUPT`, `FILE_FAILED`, `NO_SPACE` or `STORE_FAILED` when its log cannot be opened. Close it before the node and the store.
 */
export async function feeds(node: PlaitNode | undefined, store: Store, options: FeedsOptions = {}): Promise<Feeds> {
  const { hash = sha256, log } = options
  const feedLog = await FeedLog.open({ store, hash, ...log })
  return new StoreFeeds(node, store, feedLog, await FeedKeys.open(store.runtime.disk), options)
}

class StoreFeeds implements Feeds {
  readonly node: PlaitNode | undefined
  readonly store: Store
  readonly #log: FeedLog
  readonly #keys: FeedKeys
  readonly #synchronizer: Synchronizer
  readonly #exchange: Exchange | undefined
  readonly #connectionsByAddress = new Map<string, Promise<DialledConnection>>()
  readonly #openById = new Map<FeedId, OpenFeed>()
  readonly #openByReplica = new Map<Replica, OpenFeed>()
  /** Feeds that are being made: who asks twice in one turn gets one. */
  readonly #adding = new Map<FeedId, Promise<StoredFeed>>()
  readonly #host: FeedHost
  #ending: Promise<void> | undefined

  constructor(node: PlaitNode | undefined, store: Store, log: FeedLog, keys: FeedKeys, options: FeedsOptions) {
    const { hash = sha256, verify = verifySignature, open = 'anyone' } = options
    const { runtime } = store
    this.node = node
    this.store = store
    this.#log = log
    this.#keys = keys
    this.#synchronizer = new Synchronizer({
      hash,
      verify,
      packer: zstd,
      events: {
        stored: (replica, groups, head) => this.#openByReplica.get(replica)?.takeStored(groups, head),
        heard: (replica) => this.#openByReplica.get(replica)?.takeHeard(),
        informed: (replica, { peer, knownLength, contiguous, first }) =>
          this.#openByReplica
            .get(replica)
            ?.takePeer({ nodeId: peer.options.id, length: knownLength, contiguousLength: contiguous, first }),
        behind: (replica, head) => this.#openByReplica.get(replica)?.takeBehind(head),
        forked: (replica, conflict) => this.#openByReplica.get(replica)?.takeForked(conflict),
        renewed: (replica) => this.#openByReplica.get(replica)?.takeReset(replica.fork),
        spent: (peer) => this.#exchange?.renew(peer.options.id),
        extension: (replica, peer, name, payload) =>
          this.#openByReplica.get(replica)?.takeExtension(peer.options.id, name, payload),
      },
    })
    const synchronizer = this.#synchronizer
    this.#exchange = node && new Exchange({ node, runtime, synchronizer, open, isIdle: () => this.#isIdle() })
    this.#host = {
      synchronizer,
      clock: runtime.clock,
      timers: runtime.timers,
      wake: () => this.#exchange?.wake(),
      closed: (feed) => {
        this.#openById.delete(feed.id)
        this.#openByReplica.delete(feed.replica)
      },
    }
  }

  get report(): OpenReport {
    return this.#log.report
  }

  async create(options: CreateFeedOptions = {}): Promise<WritableFeed> {
    this.#check()
    const identity = options.identity ?? (await this.#keys.create())
    const name = { name: identity.publicKey, isSealed: false }
    return this.#open(await this.#stored(name), { ...options, signer: identity })
  }

  async seal(
    blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
    options: Pick<FeedOptions, 'mayShare'> = {},
  ): Promise<Feed> {
    this.#check()
    return this.#open(await sealBlocks(this.#log, blocks), options)
  }

  async open(id: FeedId, options: FeedOptions = {}): Promise<Feed> {
    this.#check()
    const name = parseFeedId(id)
    const signer = name.isSealed ? undefined : await this.#keys.find(name.name)
    return this.#open(await this.#stored(name), { ...options, signer })
  }

  async openWritable(id: FeedId, options: CreateFeedOptions = {}): Promise<WritableFeed> {
    this.#check()
    const name = parseFeedId(id)
    const signer = options.identity ?? (name.isSealed ? undefined : await this.#keys.find(name.name))
    const stored = this.#log.find(name)
    const isKey = signer !== undefined && signer.publicKey.every((byte, index) => byte === name.name[index])
    if (stored === undefined || !isKey) {
      throw new PlaitError('FORBIDDEN', `${id} cannot be written here: its key is not in ${this.store.folder}`)
    }
    return this.#open(stored, { ...options, signer })
  }

  async remove(id: FeedId): Promise<void> {
    this.#check()
    const name = parseFeedId(id)
    this.#openById.get(id)?.end(new PlaitError('STORE_CLOSED', 'the feed was removed'))
    const stored = this.#log.find(name)
    if (stored !== undefined) await this.#log.remove(stored)
    await this.#keys.remove(name.name)
  }

  list(): readonly FeedInfo[] {
    return [...this.#log.feeds].map((stored) => {
      const { id, head } = stored
      const isWritable = this.#openById.get(id)?.isWritable ?? this.#keys.has(stored.name)
      return { id, isWritable, length: head?.length ?? stored.tip.length, bytes: head?.bytes ?? stored.tip.bytes }
    })
  }

  async connect(address: string, options: WaitOptions = {}): Promise<FeedConnection> {
    this.#check()
    if (this.#exchange === undefined) {
      throw new PlaitError('INVALID_ARGUMENT', 'these feeds have no node: give one to feeds() to exchange them')
    }
    const exchange = this.#exchange
    const present = this.#connectionsByAddress.get(address)
    if (
      present !== undefined &&
      !(await present.then(
        ({ isClosed }) => isClosed,
        () => true,
      ))
    )
      return present
    const opening = DialledConnection.open(address, exchange, this.store.runtime, options)
    this.#connectionsByAddress.set(address, opening)
    return opening
  }

  compact(): Promise<CompactionReport> {
    this.#check()
    return this.#log.compact()
  }

  snapshot(): readonly PeerSnapshot[] {
    return this.#synchronizer.snapshot()
  }

  close(): Promise<void> {
    this.#ending ??= this.#end()
    return this.#ending
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #open(stored: StoredFeed, options: FeedOptions & { readonly signer?: FeedSigner | undefined }): OpenFeed {
    this.#check()
    const present = this.#openById.get(stored.id)
    if (present !== undefined) {
      if (options.mode === 'full') present.widen()
      return present
    }
    const feed = new OpenFeed(stored, this.#host, options)
    this.#openById.set(stored.id, feed)
    this.#openByReplica.set(feed.replica, feed)
    return feed
  }

  #stored(name: FeedName): Promise<StoredFeed> | StoredFeed {
    const present = this.#log.find(name)
    if (present !== undefined) return present
    const id = formatFeedId(name)
    let adding = this.#adding.get(id)
    if (adding === undefined) {
      adding = this.#log.add(name).finally(() => this.#adding.delete(id))
      this.#adding.set(id, adding)
    }
    return adding
  }

  #isIdle(): boolean {
    for (const { replica } of this.#openByReplica.values()) if (!replica.isComplete && !replica.isFrozen) return false
    return this.#synchronizer.isIdle
  }

  async #end(): Promise<void> {
    for (const opening of this.#connectionsByAddress.values())
      void opening.then((connection) => connection.close()).catch(() => {})
    await this.#exchange?.close()
    const open = [...this.#openById.values()]
    await Promise.all(open.map((feed) => feed.close()))
    await this.#log.close()
  }

  #check(): void {
    if (this.#ending !== undefined) throw new PlaitError('STORE_CLOSED', 'the feeds were closed here')
  }
}
