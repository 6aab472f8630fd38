import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PlaitError } from '../../base/error.ts'
import { fileError } from '../../drive/disk/file-error.ts'
import type { Feed, FeedConnection, FeedOptions, Feeds, WritableFeed } from '../../feed/feed-api.ts'
import type { FeedId } from '../../feed/feed-id.ts'
import type { FeedLink } from '../../feed/feed-link.ts'
import { feeds as openFeeds } from '../../feed/feeds.ts'
import type { NodeId } from '../../identity/node-id.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { parseUrl } from '../../node/url.ts'
import { openStore } from '../../store/open-store.ts'
import type { FeedFacts, Work } from '../control/control-protocol.ts'
import { reachableAt } from '../listen-addresses.ts'
import { RunningProgram, type StoreControl } from '../running-program.ts'
import type { Terminal } from '../terminal.ts'
import { feedControl } from './feed-control.ts'
import { reportFeed, reportOpening } from './feed-events.ts'
import { createFeedNode, type Reach } from './feed-node.ts'
import { resolveFeed } from './feed-target.ts'

/** What was sent gets this long to arrive when this program ends. */
const farewellMs = 3_000

export interface FeedHostOptions {
  /** Of the store; a temporary one that is gone afterwards when absent. */
  readonly folder?: string | undefined
  /** Nothing is shared and fetched when absent. */
  readonly network?: FeedNetwork
  readonly terminal: Terminal
  readonly json: boolean
  /** What is built on the feeds, for as long as they are open. */
  readonly extend?: (host: FeedHost, closing: AsyncDisposableStack) => FeedHostExtension
}

/** What other programs see of what is built on a store of feeds, and can ask of it. */
export interface FeedHostExtension {
  readonly work: () => Work
  readonly control: StoreControl
}

export interface FeedNetwork {
  readonly reach: Reach
  /** A file. */
  readonly psk: string | undefined
  readonly waitMs: number
  readonly metrics: string | undefined
}

/** A store with its feeds, and the node that shares them, for as long as a command runs. */
export class FeedHost implements AsyncDisposable {
  readonly folder: string
  readonly feeds: Feeds
  readonly node: PlaitNode | undefined
  /** Those that were dialled from here, by node. */
  readonly connections: Map<NodeId, FeedConnection> = new Map()
  /** From the call of `close` on: sessions that end have not been lost. */
  isClosing = false
  /** Called with each feed that is opened here, also for another program. */
  onOpened: (feed: Feed) => void = () => {}
  readonly #options: FeedHostOptions
  readonly #openings = new Map<FeedId, Promise<Feed>>()
  readonly #opened = new Map<FeedId, Feed>()
  #closing = new AsyncDisposableStack()

  private constructor(folder: string, feeds: Feeds, node: PlaitNode | undefined, options: FeedHostOptions) {
    this.folder = folder
    this.feeds = feeds
    this.node = node
    this.#options = options
  }

  /** Rejects with `STORE_IN_USE` (see `storeOwner`), `KEY_FILE`, `INVALID_ADDRESS`, `FILE_FAILED`. */
  static async open(options: FeedHostOptions): Promise<FeedHost> {
    const { network, terminal, json, folder = temporaryFolder() } = options
    await using closing = new AsyncDisposableStack()
    if (options.folder === undefined) closing.defer(() => rmSync(folder, { recursive: true, force: true }))
    const store = closing.use(await openStore(folder))
    const node =
      network === undefined ? undefined : await createFeedNode({ ...network, folder: options.folder, terminal })
    if (node !== undefined) closing.defer(() => node.close({ signal: AbortSignal.timeout(farewellMs) }))
    const feeds = closing.use(await openFeeds(node, store))
    reportOpening(feeds.report, terminal, json)
    const host = new FeedHost(folder, feeds, node, options)
    const extension = options.extend?.(host, closing) ?? { work: () => host.#work(), control: feedControl(host) }
    // Nobody else needs what is in a temporary store.
    if (node !== undefined && options.folder !== undefined) {
      closing.use(await RunningProgram.open({ node, terminal, json, metrics: network?.metrics, ...extension }))
    }
    host.#closing = closing.move()
    return host
  }

  /** Those that are in use here. */
  get opened(): Iterable<Feed> {
    return this.#opened.values()
  }

  /** A link by which others get the feed from here. Throws `INVALID_ARGUMENT` when nobody can. */
  linkTo(feedId: FeedId): FeedLink {
    const bound = (this.node?.addresses ?? []).flatMap((address) => parseUrl(address).addresses)
    if (this.node === undefined || bound.length === 0)
      throw new PlaitError('INVALID_ARGUMENT', 'nobody can reach this program, so no link leads to it')
    return { nodeId: this.node.id, addresses: reachableAt(bound), feedId }
  }

  /** How long to look for another node. */
  get waitMs(): number {
    return this.#options.network?.waitMs ?? 0
  }

  /** The feed, opened once however often it is asked for; what happens to it is reported. */
  open(id: FeedId, options: FeedOptions = {}): Promise<Feed> {
    return this.#once(id, () => this.feeds.open(id, options))
  }

  /** The writable feed that `text` names; without a name the one that is in the store, or a new one when there is none. */
  async writable(text?: string): Promise<WritableFeed> {
    if (text !== undefined) return this.#openWritable(resolveFeed(text, this.feeds.list()))
    const [first, ...more] = await this.#writableFeeds()
    if (more.length > 0) {
      throw new PlaitError(
        'INVALID_ARGUMENT',
        `the store has ${more.length + 1} feeds to append to; say which: \`plait feed info\` shows their ids`,
      )
    }
    return first === undefined ? this.create() : this.#openWritable(first)
  }

  async create(): Promise<WritableFeed> {
    const feed = await this.feeds.create()
    await this.#once(feed.id, () => Promise.resolve(feed))
    return feed
  }

  /** Forgets a feed. */
  async remove(id: FeedId): Promise<void> {
    this.#openings.delete(id)
    this.#opened.delete(id)
    await this.feeds.remove(id)
  }

  /** What is to say of each feed of the store; nothing is fetched for that. */
  async facts(): Promise<readonly FeedFacts[]> {
    return Promise.all(this.feeds.list().map(async ({ id }) => feedFacts(await this.open(id, { mode: 'sparse' }))))
  }

  /** What waits for the disk is made durable. Idempotent. */
  close(): Promise<void> {
    this.isClosing = true
    return this.#closing.disposeAsync()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** The list says so only of those that are open, or have blocks: what counts is whether the key is here. */
  async #writableFeeds(): Promise<readonly FeedId[]> {
    const ids: FeedId[] = []
    for (const { id } of this.feeds.list()) if ((await this.#tryWritable(id)) !== undefined) ids.push(id)
    return ids
  }

  async #openWritable(id: FeedId): Promise<WritableFeed> {
    const feed = await this.#tryWritable(id)
    if (feed === undefined) {
      throw new PlaitError(
        'FORBIDDEN',
        'the key of that feed is not in this store: only its writer can append to it; `plait feed create` makes one of your own',
      )
    }
    await this.#once(id, () => Promise.resolve(feed))
    return feed
  }

  async #tryWritable(id: FeedId): Promise<WritableFeed | undefined> {
    try {
      return await this.feeds.openWritable(id)
    } catch (error) {
      if (PlaitError.is(error) && error.code === 'FORBIDDEN') return undefined
      throw error
    }
  }

  #once(id: FeedId, open: () => Promise<Feed>): Promise<Feed> {
    const known = this.#openings.get(id)
    if (known !== undefined) return known
    const opening = open().then((feed) => {
      this.#opened.set(id, feed)
      reportFeed(feed, this.#options.terminal, this.#options.json)
      this.onOpened(feed)
      return feed
    })
    this.#openings.set(id, opening)
    opening.catch(() => this.#openings.delete(id))
    return opening
  }

  #work(): Work {
    const feeds = [...this.#opened.values()]
    const blocks = feeds.reduce((sum, { length }) => sum + length, 0)
    return { role: 'feed', folder: this.folder, feeds: { count: feeds.length, blocks } }
  }
}

export function feedFacts(feed: Feed): FeedFacts {
  return { ...feed.status(), isWritable: feed.isWritable, isSealed: feed.isSealed }
}

function temporaryFolder(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'plait-feed-'))
  } catch (error) {
    throw fileError(error, tmpdir())
  }
}
