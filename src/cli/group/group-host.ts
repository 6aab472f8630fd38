import { PlaitError } from '../../base/error.ts'
import type { Group, GroupId, Groups } from '../../causal/group-api.ts'
import { groups as openGroups } from '../../causal/groups.ts'
import { formatUrl, parseUrl } from '../../node/url.ts'
import type { Work } from '../control/control-protocol.ts'
import { FeedHost, type FeedHostOptions } from '../feed/feed-host.ts'
import { reachableAt } from '../listen-addresses.ts'
import { groupControl } from './group-control.ts'
import { reportGroup } from './group-events.ts'
import { resolveGroup } from './group-target.ts'
import { explainedJoin } from './join-errors.ts'
import { KeptGroup } from './kept-group.ts'

/** A store with its groups, and the node that is their member here, for as long as a command runs. */
export class GroupHost implements AsyncDisposable {
  readonly host: FeedHost
  readonly groups: Groups
  /** Fires when `close` is called. */
  readonly closing: AbortSignal
  readonly #options: FeedHostOptions
  readonly #ending = new AbortController()
  readonly #openings = new Map<GroupId, Promise<KeptGroup>>()
  readonly #opened = new Map<GroupId, KeptGroup>()
  /** Called with each group that is opened here, also for another program. */
  onOpened: (kept: KeptGroup) => void = () => {}

  private constructor(host: FeedHost, groups: Groups, options: FeedHostOptions) {
    this.host = host
    this.groups = groups
    this.#options = options
    this.closing = this.#ending.signal
  }

  /** All groups of the store are opened. Rejects as `FeedHost.open`. */
  static async open(options: FeedHostOptions): Promise<GroupHost> {
    let own: GroupHost | undefined
    const host = await FeedHost.open({
      ...options,
      extend: (host, closing) => {
        const groups = closing.use(openGroups(host.feeds, { addresses: () => addressesOf(host) }))
        const extended = (own = new GroupHost(host, groups, options))
        return { work: () => extended.#work(), control: groupControl(extended) }
      },
    })
    if (own === undefined) throw new PlaitError('INVALID_ARGUMENT', 'a host of groups needs a network')
    try {
      await own.all()
      return own
    } catch (error) {
      await host.close()
      throw error
    }
  }

  /** Those that are in use here. */
  get opened(): Iterable<KeptGroup> {
    return this.#opened.values()
  }

  /** How long to look for other nodes. */
  get waitMs(): number {
    return this.host.waitMs
  }

  /** All groups of the store; what is here of them is known. */
  async all(): Promise<readonly KeptGroup[]> {
    const ids = await this.groups.list()
    return Promise.all(ids.map((id) => this.#once(id, () => this.groups.open(id))))
  }

  /** The group that is meant; what is here of it is known. */
  async at(text: string | undefined): Promise<KeptGroup> {
    const all = await this.all()
    const { kept } = resolveGroup(
      text,
      all.map((kept) => ({ kept, id: kept.group.id, name: kept.group.name })),
    )
    return kept
  }

  async create(name: string): Promise<KeptGroup> {
    const group = await this.groups.create({ name })
    const kept = await this.#once(group.id, () => Promise.resolve(group))
    await kept.writable(this.waitMs, this.closing)
    return kept
  }

  /** Resolves when this node is a member, as far as that is known here too. Rejects in words that say what to do. */
  async join(link: string, signal: AbortSignal): Promise<KeptGroup> {
    const ending = AbortSignal.any([signal, this.closing])
    const group = await this.groups.join(link, { signal: ending }).catch((error: unknown) => {
      throw explainedJoin(error, link)
    })
    const kept = await this.#once(group.id, () => Promise.resolve(group))
    await kept.writable(this.waitMs, ending)
    return kept
  }

  /** What waits for the disk is made durable. Idempotent. */
  close(): Promise<void> {
    this.#ending.abort(new PlaitError('STORE_CLOSED', 'the store is being closed'))
    return this.host.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #once(id: GroupId, open: () => Promise<Group>): Promise<KeptGroup> {
    const known = this.#openings.get(id)
    if (known !== undefined) return known
    const opening = open().then(async (group) => {
      reportGroup(group, this.#options.terminal, this.#options.json)
      const kept = await KeptGroup.open(group, this.host.feeds)
      await kept.values.settled()
      this.#opened.set(id, kept)
      this.onOpened(kept)
      return kept
    })
    this.#openings.set(id, opening)
    opening.catch(() => this.#openings.delete(id))
    return opening
  }

  #work(): Work {
    const opened = [...this.#opened.values()]
    const keys = opened.reduce((sum, { values }) => sum + values.size, 0)
    return { role: 'group', folder: this.host.folder, groups: { count: opened.length, keys } }
  }
}

/** Where others reach the node of the store. */
function addressesOf({ node }: FeedHost): readonly string[] {
  const bound = (node?.addresses ?? []).flatMap((address) => parseUrl(address).addresses)
  if (node === undefined || bound.length === 0) return []
  return [formatUrl({ nodeId: node.id, addresses: reachableAt(bound) })]
}
