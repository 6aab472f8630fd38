import { PlaitError } from '../base/error.ts'
import { encodeBase32 } from '../base/bytes.ts'
import type { Circuit, WaitOptions } from '../circuit/circuit-api.ts'
import { keyFromWriter, writerFromKey } from '../crdt/dot.ts'
import type { Feeds, WritableFeed } from '../feed/feed-api.ts'
import { formatFeedId } from '../feed/feed-id.ts'
import type { FeedId } from '../feed/feed-id.ts'
import { publicKeyFromNodeId } from '../identity/node-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import { createSeed, identityFromSeed } from '../identity/seed.ts'
import { verify as verifySignature } from '../identity/signature.ts'
import { messenger } from '../message/messenger.ts'
import { Backoff } from '../node/backoff.ts'
import { bidFarewell } from '../node/farewell.ts'
import type { Peer, PlaitNode } from '../node/node-api.ts'
import { formatUrl, parseUrl } from '../node/url.ts'
import { decode, encode } from '../wire/schema.ts'
import { continueMessage, continueRequest, groupPeerId, groupService, joinMessage, joinRequest } from './admission.ts'
import type { ContinueRequest } from './admission.ts'
import type { Group, GroupId, Groups, GroupsOptions } from './group-api.ts'
import { listGroups, metBy, readGroupRecord, viewName, writeGroupRecord } from './group-file.ts'
import type { GroupRecord } from './group-file.ts'
import { parseGroupLink } from './group-link.ts'
import { endedFeed } from './reception.ts'
import { GroupView } from './group-view.ts'
import { OpenGroup } from './group.ts'
import { claimStatement } from './members/roster-operation.ts'

/** Another number when the tables of views change: they are made anew then. */
const viewFormat = 1

/** The groups whose feeds are in a store. The feeds have a node: it is the member. Close it before them. */
export function groups(feeds: Feeds, options: GroupsOptions = {}): Groups {
  const { node } = feeds
  if (node === undefined) throw new PlaitError('INVALID_ARGUMENT', 'groups need a node: give one to feeds()')
  return new StoreGroups(feeds, node, options)
}

class StoreGroups implements Groups {
  readonly #feeds: Feeds
  readonly #node: PlaitNode
  readonly #options: GroupsOptions
  readonly #peer: Peer
  readonly #openById = new Map<GroupId, Promise<OpenGroup>>()
  /** By the feeds that are written here, with whom they are shared: with nobody as long as their group is not open. */
  readonly #sharingByFeed = new Map<FeedId, (node: NodeId) => boolean>()
  readonly #addresses: () => readonly string[]
  readonly #ending = new AbortController()

  constructor(feeds: Feeds, node: PlaitNode, options: GroupsOptions) {
    this.#feeds = feeds
    this.#node = node
    this.#options = options
    this.#addresses = options.addresses ?? (() => node.addresses)
    this.#peer = node.peer(groupService, { id: groupPeerId, open: 'anyone' })
    void this.#serve()
  }

  async create({ name }: { readonly name: string }): Promise<Group> {
    this.#check()
    const own = await this.#createFeed()
    const id = writerFromKey(own.name)
    const record = await this.#remember(id, this.#record(own, []))
    return this.#opened(id, this.#make(id, own, record, name))
  }

  async join(link: string, options: WaitOptions = {}): Promise<Group> {
    this.#check()
    const { nodeId, addresses, groupId, secret } = parseGroupLink(link)
    const host = formatUrl({ nodeId, addresses })
    const open = await this.#openById.get(groupId)
    const known = await (open?.meet(host) ?? readGroupRecord(this.#feeds.store.runtime.disk, groupId))
    let own = known === undefined ? await this.#createFeed() : await this.#openFeed(known)
    let record = await this.#rememberHost(groupId, own, known, host)
    const ask = (): Promise<Uint8Array> =>
      this.#ask(host, joinMessage, options, { bytes: this.#request(groupId, secret, record) })
    const base = await ask().catch(async (error: unknown) => {
      // This node was removed, which nobody has told it, and comes back.
      if (!PlaitError.is(error) || error.facts[endedFeed] !== record.feed) throw error
      if (open === undefined) await own.close()
      record = await (open?.moveOn() ?? this.#moveOn(groupId, record))
      own = await this.#openFeed(record)
      return ask()
    })
    const present = this.#openById.get(groupId)
    if (present !== undefined) return present
    // An admin has made the link, and who says this is the node that it names. Who has been let in and was not told takes it now.
    const isNew = own.length === 0 && record.base === undefined && base.length === keyBytes
    const begun = isNew ? await this.#remember(groupId, { ...record, base: encodeBase32(base) }) : record
    return this.#opened(groupId, this.#make(groupId, own, begun))
  }

  async open(id: GroupId): Promise<Group> {
    this.#check()
    return this.#openById.get(id) ?? this.#opened(id, this.#restore(id))
  }

  list(): Promise<readonly GroupId[]> {
    return listGroups(this.#feeds.store.runtime.disk)
  }

  async close(): Promise<void> {
    if (this.#ending.signal.aborted) return
    this.#ending.abort(new PlaitError('STORE_CLOSED', 'the groups were closed here'))
    for (const opening of this.#openById.values()) await opening.then((group) => group.close()).catch(() => {})
    await bidFarewell(this.#peer, this.#feeds.store.runtime.timers)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  #request(groupId: GroupId, secret: Uint8Array, { feed, since }: GroupRecord): Uint8Array {
    const group = keyFromWriter(groupId)
    const claim = { node: publicKeyFromNodeId(this.#node.id), feed: keyFromWriter(feed), since }
    const statement = claimStatement(group, claim)
    const invitation = identityFromSeed(secret)
    return encode(joinRequest, {
      ...{ group, ...claim, proof: this.#node.sign(statement) },
      ...{ invitation: invitation.publicKey, invitationProof: invitation.sign(statement) },
      addresses: this.#addresses(),
    })
  }

  /** Another feed takes the place of one that has ended, in a group that is not open. */
  async #moveOn(id: GroupId, known: GroupRecord): Promise<GroupRecord> {
    const next = await this.#createFeed()
    const record = await this.#remember(id, { ...known, ...this.#record(next, known.hosts, known.since) })
    await next.close()
    return record
  }

  #check(): void {
    if (this.#ending.signal.aborted) throw new PlaitError('STORE_CLOSED', 'the groups were closed here')
  }

  #opened(id: GroupId, opening: Promise<OpenGroup>): Promise<OpenGroup> {
    this.#openById.set(id, opening)
    opening.catch(() => this.#openById.delete(id))
    return opening
  }

  async #restore(id: GroupId): Promise<OpenGroup> {
    const record = await readGroupRecord(this.#feeds.store.runtime.disk, id)
    if (record === undefined)
      throw new PlaitError('INVALID_ARGUMENT', `there is no group ${id} in ${this.#feeds.store.folder}`)
    if (record.node !== this.#node.id)
      throw new PlaitError('FORBIDDEN', `the member of this group in ${this.#feeds.store.folder} is another node`)
    return this.#make(id, await this.#openFeed(record), record)
  }

  async #make(id: GroupId, own: WritableFeed, record: GroupRecord, name?: string): Promise<OpenGroup> {
    const { openView, verify = verifySignature, createSecret = createSeed } = this.#options
    const { acknowledgeMs = 1_000, snapshotEntries = 100_000 } = this.#options
    const source = { logId: keyFromWriter(id), logEnd: Infinity, format: viewFormat }
    const view = new GroupView(
      (openView ?? ((path, from) => this.#feeds.store.openView(path, from)))(viewName(id), source),
    )
    const group: OpenGroup = new OpenGroup({
      ...{ id, own, record, view, verify, acknowledgeMs, snapshotEntries, createSecret, feeds: this.#feeds },
      addresses: this.#addresses,
      ...(name !== undefined && { name }),
      host: {
        continueIn: async (since) => {
          const next = await this.#createFeed()
          this.#sharingByFeed.set(next.id, group.mayShare)
          const known = (await readGroupRecord(this.#feeds.store.runtime.disk, id)) ?? record
          const fresh = this.#record(next, known.hosts, since)
          return { own: next, record: await this.#remember(id, { ...known, ...fresh }) }
        },
        remember: async (next) => void (await this.#remember(id, next)),
        askToContinue: (request) => this.#keepAsking(id, request),
        closed: () => this.#openById.delete(id),
      },
    })
    this.#sharingByFeed.set(own.id, group.mayShare)
    return group
  }

  async #createFeed(): Promise<WritableFeed> {
    const identity = this.#options.createFeedIdentity?.()
    const made = { id: undefined as FeedId | undefined }
    const mayShare = (node: NodeId): boolean => made.id !== undefined && this.#mayShare(made.id, node)
    const feed = await this.#feeds.create({ mayShare, ...(identity && { identity }) })
    made.id = feed.id
    return feed
  }

  #openFeed({ feed }: GroupRecord): Promise<WritableFeed> {
    const identity = this.#options.feedIdentity?.(feed)
    const id = formatFeedId({ name: keyFromWriter(feed), isSealed: false })
    const mayShare = (node: NodeId): boolean => this.#mayShare(id, node)
    return this.#feeds.openWritable(id, { mayShare, ...(identity && { identity }) })
  }

  #mayShare(feed: FeedId, node: NodeId): boolean {
    return this.#sharingByFeed.get(feed)?.(node) === true
  }

  /** `after`: when the last feed of this node was made, whose clock may have been put back. */
  #record(own: WritableFeed, hosts: readonly string[], after = 0): GroupRecord {
    const since = Math.max(after + 1, Math.floor(this.#feeds.store.runtime.clock.wallMs()))
    return { feed: encodeBase32(own.name), since, node: this.#node.id, hosts }
  }

  async #remember(id: GroupId, record: GroupRecord): Promise<GroupRecord> {
    await writeGroupRecord(this.#feeds.store.runtime.disk, id, record)
    return record
  }

  /** Who asks again may ask somebody else: the first one may be no member itself. */
  async #rememberHost(
    id: GroupId,
    own: WritableFeed,
    known: GroupRecord | undefined,
    host: string,
  ): Promise<GroupRecord> {
    if (known === undefined) return this.#remember(id, this.#record(own, [host]))
    return known.hosts.includes(host) ? known : this.#remember(id, metBy(known, host))
  }

  /** Takes what other nodes ask for. */
  async #serve(): Promise<void> {
    for await (const circuit of this.#peer.incoming) this.#answer(circuit)
  }

  #answer(circuit: Circuit): void {
    const messages = messenger(circuit)
    messages.handle(joinMessage, async (bytes, { from }) => {
      const request = decode(joinRequest, bytes)
      const group = await this.#asked(request.group, request.node, from)
      await group.reception.admit(request)
      return group.base
    })
    messages.handle(continueMessage, async (bytes, { from }) => {
      const request = decode(continueRequest, bytes)
      const group = await this.#asked(request.group, request.node, from)
      await group.reception.continueFor(request)
      return group.base
    })
  }

  async #asked(group: Uint8Array, node: Uint8Array, from: string): Promise<OpenGroup> {
    if (encodeBase32(node) !== from) throw new PlaitError('FORBIDDEN', 'a node asks for itself only')
    const opening = this.#openById.get(encodeBase32(group))
    if (opening === undefined) throw new PlaitError('FORBIDDEN', 'this group is not open at this node')
    return opening
  }

  async #ask(
    host: string,
    type: typeof joinMessage,
    { signal }: WaitOptions,
    { bytes }: { readonly bytes: Uint8Array },
  ): Promise<Uint8Array> {
    const waiting = signal === undefined ? {} : { signal }
    const circuit = await this.#peer.open(`${host}/${groupService}/${groupPeerId}`, undefined, waiting)
    const messages = messenger(circuit)
    try {
      return await messages.request(type, bytes, { ...waiting, deadlineMs: 30_000 })
    } finally {
      void messages.close().catch(() => {})
    }
  }

  /** Asks one member after the other, until one has said it and that has come here. */
  async #keepAsking(id: GroupId, request: ContinueRequest): Promise<void> {
    const { runtime } = this.#feeds.store
    const { signal } = this.#ending
    const backoff = new Backoff(runtime.random)
    const bytes = encode(continueRequest, request)
    const feed = encodeBase32(request.feed)
    for (;;) {
      await new Promise<void>((resolve) => void runtime.timers.after(backoff.next(), resolve, { background: true }))
      const group = await this.#openById.get(id)?.catch(() => undefined)
      for (const url of group?.urlsOfOthers() ?? []) {
        if (signal.aborted || group?.isAwaiting(feed) !== true) return
        const base = await this.#ask(url, continueMessage, { signal }, { bytes }).catch(() => undefined)
        // A snapshot is believed of few, and others are asked, too: what it is of is dropped everywhere.
        if (base === undefined || (base.length === keyBytes && !group.isBelieved(parseUrl(url).nodeId, base))) continue
        if (base.length === keyBytes)
          await group.engine.adopt(base).catch((error: unknown) => {
            // Another one is asked for after a while.
            if (!PlaitError.is(error) || error.code !== 'TIMEOUT') group.engine.fail(error)
          })
        // What a member says that was removed or parked may be void: another one is asked after a while if nothing has come of it.
        break
      }
      if (signal.aborted || group?.isAwaiting(feed) !== true) return
    }
  }
}

const keyBytes = 32
