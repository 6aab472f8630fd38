import { feeds as openFeeds } from '../../../src/feed/feeds.ts'
import { groups as openGroups } from '../../../src/causal/groups.ts'
import type { Role } from '../../../src/causal/members/roster-operation.ts'
import type { Writer } from '../../../src/crdt/dot.ts'
import { writerFromKey } from '../../../src/crdt/dot.ts'
import type { Feed, Feeds } from '../../../src/feed/feed-api.ts'
import type { FeedId } from '../../../src/feed/feed-id.ts'
import type { Identity } from '../../../src/identity/identity.ts'
import { simulatedIdentity, simulatedVerify } from '../../../src/identity/simulated.ts'
import { verify, type Verify } from '../../../src/identity/signature.ts'
import type { PlaitNode } from '../../../src/node/node-api.ts'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { openStore } from '../../../src/store/open-store.ts'
import type { Process, SeededRandom, World, WorldNode } from '../../../src/testing/index.ts'
import { changed } from '../feeds/hooks.ts'
import { SiteDisk } from '../feeds/site-disk.ts'
import { KeptViews } from './kept-views.ts'
import type { GroupLedger } from './ledger.ts'
import { GroupLife } from './life.ts'

/** What takes the operations at a site. */
export type Taking = 'replica' | 'handler' | 'iterator'

export interface GroupSiteOptions {
  readonly world: World
  readonly name: string
  readonly number: number
  readonly random: SeededRandom
  readonly taking: Taking
  readonly acknowledgeMs: number
  readonly resumeMs: number
  readonly ledger: GroupLedger
  readonly snapshotEntries: number | undefined
  /** Sets each life to work. */
  readonly begin: (site: GroupSite, life: GroupLife) => void
}

const smallLog = { limits: { segmentBytes: 16 * 1024 }, checkpointBytes: 64 * 1024 }

const identities = new Map<string, Identity>()

/** One machine whose node is to be a member of the group of its world, through all its lives. */
export class GroupSite {
  readonly name: string
  readonly taking: Taking
  readonly disk: SiteDisk
  readonly views: KeptViews
  readonly node: WorldNode
  life: GroupLife | undefined
  /** What it has written may be gone: its disk was lost, or is a copy of earlier. */
  isLossy = false
  /** It writes nothing for now: it was put back, and has to learn first what it had written. */
  isHeldBack = false
  /** A member has let it in, as far as it remembers. */
  isAdmitted = false
  /** Of the links by which it comes. */
  role: Role | undefined
  /** Nothing is begun any more. */
  isDone = false
  readonly #options: GroupSiteOptions
  readonly #feedIdentities = new Map<Writer, Identity>()
  #isSettingUp = false

  constructor(options: GroupSiteOptions) {
    const { world, name, random, resumeMs, taking } = options
    this.#options = options
    this.name = name
    this.taking = taking
    this.disk = new SiteDisk(world, random.fork('disk'))
    const speed = random.fork('views')
    this.views = new KeptViews(() => (speed.chance(0.6) ? 0 : speed.logarithmic(0.2, 20)))
    this.node = world.addNode(name, { resumeMs }, (node, process) => this.#start(node, process))
  }

  get world(): World {
    return this.#options.world
  }

  /** The machine goes down; `power` when it loses what was not synced. */
  crash(power: boolean): void {
    if (this.node.host.process === undefined) return
    this.world.crash(this.name, { power })
    this.life = undefined
    this.disk.process = undefined
    this.disk.disk.closeAll()
    if (!power) return
    this.disk.cutPower()
    this.views.cutPower(this.#options.random)
  }

  loseDisk(): void {
    this.crash(true)
    this.disk.putBack(new SimulatedDisk())
    this.views.lose()
    this.isLossy = true
    this.isAdmitted = false
  }

  /** Closes the groups and opens them again, in the same process. */
  async reopen(): Promise<void> {
    const { life, node } = this
    if (life === undefined || life.isOver || this.#isSettingUp || node.node === undefined) return
    await this.close()
    if (!life.process.scope.ended && node.node !== undefined) await this.#open(node.node, life.process)
  }

  async close(): Promise<void> {
    const { life } = this
    if (life === undefined) return
    await life.close(30_000)
    if (this.life === life) this.life = undefined
  }

  async #start(node: PlaitNode, process: Process): Promise<void> {
    this.disk.process = process
    await this.#open(node, process)
  }

  async #open(node: PlaitNode, process: Process): Promise<void> {
    this.#isSettingUp = true
    const { world, ledger, acknowledgeMs, snapshotEntries, begin, random } = this.#options
    const store = await openStore('', { runtime: { ...process.runtime, disk: this.disk.disk } })
    // Where logs are pruned, small segments are compacted, too, and there are checkpoints.
    const log = snapshotEntries === undefined ? {} : { log: smallLog }
    const feeds = await openFeeds(node, store, { verify: verifyBoth, ...log })
    if (process.scope.ended) return
    const life = new GroupLife({ world, process, feeds, site: this, ledger })
    const groups = openGroups(
      capturing(
        feeds,
        (feed) => life.watch(feed),
        (id) => this.#feedIdentities.get(id.replace('feed:', '')),
      ),
      {
        acknowledgeMs,
        ...(snapshotEntries === undefined ? {} : { snapshotEntries }),
        verify: verifyBoth,
        openView: (name) => this.views.open(name, process),
        createFeedIdentity: () => this.#createFeedIdentity(),
        feedIdentity: (feed) => this.#feedIdentities.get(feed),
        createSecret: () => random.bytes(32),
      },
    )
    life.groups = groups
    this.life = life
    this.#isSettingUp = false
    begin(this, life)
  }

  #createFeedIdentity(): Identity {
    const { number, ledger } = this.#options
    const key = `${number} ${this.#feedIdentities.size}`
    let identity = identities.get(key)
    if (identity === undefined) identities.set(key, (identity = simulatedIdentity(new TextEncoder().encode(key))))
    const writer = writerFromKey(identity.publicKey)
    this.#feedIdentities.set(writer, identity)
    ledger.siteByWriter.set(writer, this)
    return identity
  }
}

const verified = new Map<string, boolean>()

/** Invitations have keys that are made of their secret, all others simulated ones. The former cost much, and are asked for again. */
const verifyBoth: Verify = (key, message, signature) => {
  if (simulatedVerify(key, message, signature)) return true
  const name = `${Buffer.from(signature).toString('latin1')}${Buffer.from(key).toString('latin1')}${Buffer.from(message).toString('latin1')}`
  let isRight = verified.get(name)
  if (isRight === undefined) {
    if (verified.size > 2_000) verified.clear()
    verified.set(name, (isRight = verify(key, message, signature)))
  }
  return isRight
}

/** The same feeds; somebody is told of each one that is opened, and knows the keys of those that were written here. */
function capturing(feeds: Feeds, take: (feed: Feed) => void, identityOf: (id: FeedId) => Identity | undefined): Feeds {
  const isHere = (id: FeedId): boolean => feeds.list().some((info) => info.id === id)
  const taken = async <Taken extends Feed>(opening: Promise<Taken>): Promise<Taken> => {
    const feed = await opening
    take(feed)
    return feed
  }
  return changed(feeds, {
    create: (...given) => taken(feeds.create(...given)),
    open: (id, options) => {
      const identity = isHere(id) ? identityOf(id) : undefined
      return taken<Feed>(
        identity === undefined ? feeds.open(id, options) : feeds.openWritable(id, { ...options, identity }),
      )
    },
    openWritable: (...given) => taken(feeds.openWritable(...given)),
  })
}
