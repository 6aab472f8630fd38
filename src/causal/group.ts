import { emptyBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import { keyFromWriter } from '../crdt/dot.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { Feeds, WritableFeed } from '../feed/feed-api.ts'
import { publicKeyFromNodeId } from '../identity/node-id.ts'
import type { NodeId } from '../identity/node-id.ts'
import { identityFromSeed } from '../identity/seed.ts'
import type { Verify } from '../identity/signature.ts'
import { parseUrl } from '../node/url.ts'
import type { ContinueRequest, JoinRequest } from './admission.ts'
import type { Consumer } from './consumer.ts'
import { HandlerConsumer, IteratorConsumer } from './deliveries.ts'
import type { DeliveriesHost } from './deliveries.ts'
import type {
  AcknowledgedDelivery,
  DeliveryHandler,
  Group,
  GroupEventDetails,
  GroupEventName,
  GroupEvents,
  GroupId,
  GroupMember,
  GroupSnapshot,
  InviteOptions,
  PublishOptions,
} from './group-api.ts'
import { GroupEngine } from './group-engine.ts'
import { metBy } from './group-file.ts'
import type { GroupRecord } from './group-file.ts'
import { GroupLanes, urlOf } from './group-lanes.ts'
import { formatGroupLink, parseGroupLink } from './group-link.ts'
import { currentMembers, groupSnapshot, memberOf } from './group-snapshot.ts'
import type { GroupView } from './group-view.ts'
import type { Member } from './members/member.ts'
import { allows, claimStatement } from './members/roster-operation.ts'
import type { Claim, FeedEnd, Role, RosterStatement } from './members/roster-operation.ts'
import { keyText } from './members/roster-entry.ts'
import { rawBody } from './order/bodies.ts'
import type { EntryBody } from './order/entry.ts'
import { forgotten } from './outbox.ts'
import type { ReplicationLevel } from './replication.ts'

export interface OpenGroupOptions {
  readonly id: GroupId
  /** Of a group that is being made here. */
  readonly name?: string
  readonly feeds: Feeds
  readonly view: GroupView
  readonly verify: Verify
  readonly acknowledgeMs: number
  readonly snapshotEntries: number
  readonly createSecret: () => Uint8Array
  readonly record: GroupRecord
  readonly own: WritableFeed
  /** Where others reach this node now. */
  readonly addresses: () => readonly string[]
  readonly host: GroupHost
}

export interface GroupHost {
  /** Another feed to write in, made after `since` (ms), which is remembered when this resolves. */
  continueIn(since: number): Promise<{ readonly own: WritableFeed; readonly record: GroupRecord }>
  /** Asks members to say that this node writes on in another feed, until one has. */
  askToContinue(request: ContinueRequest): Promise<void>
  /** Resolves when it will be there at the next opening. */
  remember(record: GroupRecord): Promise<void>
  closed(): void
}

const GroupEventTarget = EventTarget as unknown as new () => GroupEvents

/** A group that is open. */
export class OpenGroup extends GroupEventTarget implements Group {
  readonly id: GroupId
  readonly engine: GroupEngine
  readonly feeds: Feeds
  readonly view: GroupView
  readonly #options: OpenGroupOptions
  readonly #lanes: GroupLanes
  #record: GroupRecord
  #remembering: Promise<void> = Promise.resolve()
  #own: WritableFeed
  #isStarted = false
  #isTakingFeed = false
  /** Who has named each snapshot that this node could begin with. */
  readonly #witnessesByName = new Map<string, Set<NodeId>>()
  /** It has left a feed since it was opened because it had written in a later one. */
  #isSuperseded = false
  /** Others are being asked to let this node write on in this feed. */
  #askedFor: Writer | undefined
  #closing: Promise<void> | undefined

  constructor(options: OpenGroupOptions) {
    super()
    const { id, feeds, view, verify, acknowledgeMs, snapshotEntries, record, own } = options
    this.id = id
    this.feeds = feeds
    this.view = view
    this.#options = options
    this.#record = record
    this.#own = own
    this.#lanes = new GroupLanes(feeds)
    this.engine = new GroupEngine({
      ...{ group: id, feeds, view, verify, acknowledgeMs, snapshotEntries, mayShare: (node) => this.#isHost(node) },
      base: record.base === undefined ? undefined : keyFromWriter(record.base),
      superseded: (record.superseded ?? []).map(keyFromWriter),
      rememberBase: (name, superseded) =>
        this.#remember((record) => ({ ...record, base: keyText(name), superseded: superseded.map(keyText) })),
      events: {
        ready: () => this.#takeReady(),
        membersChanged: () => this.#takeMembers(),
        setAside: (dot, error) => this.#emit('setaside', { dot, error }),
        overturned: () => this.#emit('overturned', undefined),
        forgotten: () => void this.#continue(),
        fellBelow: () => this.#ask(),
        failed: (error) => this.#emit('failed', { error }),
      },
    })
  }

  /** With whom the feeds of the group are shared. */
  readonly mayShare = (node: NodeId): boolean => this.engine.mayShare(node)

  get name(): string {
    return this.engine.machine.roster.name
  }

  get members(): readonly GroupMember[] {
    return currentMembers(this.engine.machine.roster.members.values()).map(memberOf)
  }

  get role(): Role | undefined {
    const member = this.#self
    return member === undefined || member.isRemoved ? undefined : member.role
  }

  async publish(payload: Uint8Array, options: PublishOptions = {}): Promise<Dot> {
    if (!this.engine.isWriting) await this.engine.whenWriting(options.signal)
    return this.write({ schema: () => rawBody, value: payload }, options)
  }

  /** Publishes an operation; it is delivered here in this turn. */
  async write<Value>(body: EntryBody<Value>, { replication = 'local', signal }: PublishOptions): Promise<Dot> {
    this.#check('write')
    const { dot, durable } = this.engine.write('operation', body)
    await durable
    await this.#replicated(dot, replication, signal)
    return dot
  }

  async replicated({ writer, number }: Dot, level: ReplicationLevel, options: WaitOptions = {}): Promise<void> {
    if (writer !== this.writer)
      throw new PlaitError('INVALID_ARGUMENT', 'this node knows of its own operations only where they are durable')
    await this.engine.durable({ writer, number })
    await this.#replicated({ writer, number }, level, options.signal)
  }

  deliver(handler: DeliveryHandler): void {
    void this.start(new HandlerConsumer(handler, this.#deliveriesHost, this.view.view, this.feeds.store.runtime))
  }

  deliveries(options: WaitOptions = {}): AsyncIterable<AcknowledgedDelivery> {
    const consumer = new IteratorConsumer(this.#deliveriesHost, options)
    void this.start(consumer)
    return consumer
  }

  observe(): void {
    void this.start(undefined)
  }

  /** Begins to take operations; resolves when it goes on from where it was. Throws `INVALID_ARGUMENT` when something takes them already. */
  start(consumer: Consumer | undefined): Promise<void> {
    if (this.#isStarted) throw new PlaitError('INVALID_ARGUMENT', 'the operations of this group are taken already')
    this.#isStarted = true
    this.#lanes.update([], this.#record.hosts)
    const started = this.engine.start(this.#own, consumer)
    started.catch((error: unknown) => this.engine.fail(error))
    // The snapshot may be gone when this node comes for it: then there is a newer one.
    if (this.engine.needsSnapshot) this.#ask()
    return started
  }

  async invite({ role = 'write', validMs, uses = 0 }: InviteOptions = {}): Promise<string> {
    const secret = this.#options.createSecret()
    const { publicKey } = identityFromSeed(secret)
    const notAfter = validMs === undefined ? 0 : Math.floor(this.#wallMs + validMs)
    const addresses = this.#addresses.flatMap((address) => parseUrl(address).addresses)
    if (this.feeds.node === undefined || addresses.length === 0)
      throw new PlaitError('INVALID_ARGUMENT', 'nobody can join at a node that does not listen')
    await this.#say('admin', () => ({ kind: 'invite', invitation: publicKey, role, notAfter, uses }))
    return formatGroupLink({ nodeId: this.feeds.node.id, addresses, groupId: this.id, role, secret })
  }

  async revoke(link: string): Promise<void> {
    const { publicKey } = identityFromSeed(parseGroupLink(link).secret)
    await this.#say('admin', () => ({ kind: 'revoke', invitation: publicKey }))
  }

  async assign(node: NodeId, role: Role): Promise<void> {
    await this.#sayOf(node, (key) => ({ kind: 'role', node: key, role, ends: this.engine.machine.endsOf(node) }))
  }

  async remove(node: NodeId): Promise<void> {
    await this.#sayOf(node, (key) => ({ kind: 'remove', node: key, ends: this.engine.machine.endsOf(node) }))
  }

  async park(node: NodeId): Promise<void> {
    await this.#sayOf(node, (key) => ({ kind: 'park', node: key, ends: this.engine.machine.endsOf(node) }))
  }

  async leave(): Promise<void> {
    const node = this.#record.node as NodeId
    // Its own entry that says so counts.
    const ends = (): readonly FeedEnd[] =>
      this.engine.machine
        .endsOf(node)
        .map((end) => ({ ...end, length: end.length + (keyText(end.feed) === this.writer ? 1 : 0) }))
    await this.#say('read', () => ({ kind: 'remove', node: publicKeyFromNodeId(node), ends: ends() }))
  }

  snapshot(): GroupSnapshot {
    const { machine, progress } = this.engine
    return groupSnapshot(machine, progress.waiting, this.#own.status())
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** The snapshot by which others can begin, if there is one. */
  get base(): Uint8Array {
    return this.#record.base === undefined ? emptyBytes : keyFromWriter(this.#record.base)
  }

  /** Lets a node in that has come with an invitation. Throws `FORBIDDEN`, with why. */
  async admit(request: JoinRequest): Promise<void> {
    const { node, feed, since, proof, invitation, invitationProof, addresses } = request
    await this.engine.whenWriting(undefined)
    const { roster } = this.engine.machine
    const known = roster.naming(keyText(feed)).length > 0 && roster.memberOf(keyText(feed))?.isRemoved === false
    if (known) return
    const invited = roster.invitations.get(keyText(invitation))
    const at = Math.floor(this.#wallMs)
    if (invited === undefined) throw forbidden('this link is of no invitation that is known here')
    if (invited.isRevoked) throw forbidden('this link was revoked; ask for another one')
    if (invited.uses > 0 && invited.used >= invited.uses)
      throw forbidden('this link was used as often as it may be; ask for another one')
    if (invited.notAfter > 0 && at > invited.notAfter)
      throw forbidden('this link is past its time; ask for another one')
    const claim = claimStatement(keyFromWriter(this.id), request)
    const { verify } = this.#options
    if (!verify(node, claim, proof) || !verify(invitation, claim, invitationProof))
      throw forbidden('the node has not signed for what it asks')
    const statement = { node, feed, since, proof, invitation, invitationProof, at, addresses }
    await this.engine.writeStatement({ kind: 'admit', ...statement }).durable
  }

  /** Lets a member write on in another feed. Throws `FORBIDDEN`, with why. */
  async continueFor({ node, feed, since, proof }: ContinueRequest): Promise<void> {
    await this.engine.whenWriting(undefined)
    const { roster } = this.engine.machine
    const member = roster.members.get(keyText(node))
    if (member === undefined || member.isRemoved) throw forbidden('the node is no member of this group')
    if (roster.memberOf(keyText(feed)) !== undefined) return
    const claim = claimStatement(keyFromWriter(this.id), { node, feed, since })
    if (!this.#options.verify(node, claim, proof)) throw forbidden('the node has not signed for the feed')
    await this.engine.writeStatement({ kind: 'continue', node, feed, since, proof }).durable
  }

  /** The feed in which this node writes. */
  get writer(): Writer {
    return this.#record.feed
  }

  /** Another node has let this one in (again), of which it may know nothing. Resolves with what is remembered. */
  async meet(host: string): Promise<GroupRecord> {
    await this.#remember((record) => metBy(record, host))
    this.#lanes.update(this.engine.machine.roster.members.values(), this.#record.hosts)
    this.engine.review()
    return this.#record
  }

  /** Where the other members can be reached, and who let this node in. */
  urlsOfOthers(): readonly string[] {
    const { members } = this.engine.machine.roster
    const urls = currentMembers(members.values()).flatMap((member) => {
      const url = member.node === this.#record.node ? undefined : urlOf(member)
      return url ?? []
    })
    return [...new Set([...urls, ...this.#record.hosts])]
  }

  #isHost(node: NodeId): boolean {
    return this.#record.hosts.some((host) => parseUrl(host).nodeId === node)
  }

  get #self(): Member | undefined {
    return this.engine.machine.roster.members.get(this.#record.node)
  }

  get #addresses(): readonly string[] {
    return this.#options.addresses()
  }

  get #wallMs(): number {
    return this.feeds.store.runtime.clock.wallMs()
  }

  get #claim(): Claim {
    const { node, feed, since } = this.#record
    return { node: publicKeyFromNodeId(node as NodeId), feed: keyFromWriter(feed), since }
  }

  get #deliveriesHost(): DeliveriesHost {
    return {
      relieve: () => this.engine.relieve(),
      durable: (dot) => this.engine.durable(dot),
      setAside: (dot, error) => this.#emit('setaside', { dot, error }),
    }
  }

  #check(needed: Role): void {
    const member = this.#self
    if (member === undefined || member.isRemoved) throw forbidden('this node is no member of the group any more')
    if (!allows(member.role, needed))
      throw forbidden(`this takes the role ${needed}; this node has the role ${member.role}`)
  }

  async #say(needed: Role, statement: () => RosterStatement): Promise<void> {
    await this.engine.whenWriting(undefined)
    this.#check(needed)
    await this.engine.writeStatement(statement()).durable
  }

  async #sayOf(node: NodeId, statement: (key: Uint8Array) => RosterStatement): Promise<void> {
    const key = publicKeyFromNodeId(node)
    await this.engine.whenWriting(undefined)
    const member = this.engine.machine.roster.members.get(node)
    if (member === undefined || member.isRemoved)
      throw new PlaitError('INVALID_ARGUMENT', `${node} is no member of the group`)
    await this.#say('admin', () => statement(key))
  }

  /** The feed that is written here is one of the group. */
  #takeReady(): void {
    const { machine } = this.engine
    if (this.#own.length === 0 && machine.own?.delivered === 0) {
      const { node } = this.#claim
      const proof = this.#sign()
      const addresses = this.#addresses
      const { since } = this.#record
      const statement: RosterStatement =
        this.id === this.writer
          ? { kind: 'found', name: this.#options.name ?? '', node, since, proof, addresses }
          : { kind: 'begin', group: keyFromWriter(this.id), node }
      this.engine.writeStatement(statement).durable.catch((error: unknown) => this.engine.fail(error))
    }
    const { role } = this
    if (role !== undefined) this.#emit('joined', { role })
    this.#announce()
  }

  /** Says where this node can be reached now, if that is not what members know. */
  #announce(): void {
    const addresses = this.#addresses
    const known = this.#self?.addresses ?? []
    if (addresses.length === 0 || addresses.join(' ') === known.join(' ')) return
    this.engine.writeStatement({ kind: 'addresses', addresses }).durable.catch(() => {})
  }

  #takeMembers(): void {
    const { roster } = this.engine.machine
    this.#lanes.update(roster.members.values(), this.#record.hosts)
    this.#emit('members', { members: this.members })
    this.#review()
  }

  /** A member that can write no more in its feed has to go on in another one, of which others have to know. */
  #review(): void {
    const { roster } = this.engine.machine
    const self = this.#self
    if (self === undefined || self.isRemoved) return
    if (roster.memberOf(this.writer) === undefined) return this.#ask()
    const isLast = self.feeds.at(-1) === this.writer
    if (roster.countsTo(this.writer) === Infinity && (isLast || this.#isSuperseded)) return
    // The disk was put back to before it took the last feed, where alone it is heard. Once: it may run twice.
    if (!isLast) this.#isSuperseded = true
    void this.#continue()
  }

  #ask(): void {
    const { writer } = this
    if (this.#askedFor === writer) return
    this.#askedFor = writer
    const request = { group: keyFromWriter(this.id), ...this.#claim, proof: this.#sign() }
    // What was said may turn out not to count: then it has to be asked for again.
    void this.#options.host.askToContinue(request).then(() => {
      if (this.#askedFor === writer) this.#askedFor = undefined
    })
  }

  /**
   * Whether a snapshot that a node names is believed: an admin's, one that two members name, or that of the only other member that is
   * known; and of who let this node in until members are known.
   */
  isBelieved(node: NodeId, snapshot: Uint8Array): boolean {
    const { members } = this.engine.machine.roster
    if (members.size === 0) return this.#isHost(node)
    const member = members.get(node)
    if (member === undefined || member.isRemoved) return false
    const name = keyText(snapshot)
    const witnesses = (this.#witnessesByName.get(name) ?? new Set()).add(node)
    this.#witnessesByName.set(name, witnesses)
    const others = currentMembers(members.values()).filter((other) => other.node !== this.#record.node)
    return allows(member.role, 'admin') || witnesses.size >= Math.min(2, others.length)
  }

  /** Whether this node needs a snapshot, or is going to write in a feed of which nothing is known here that counts. */
  isAwaiting(feed: Writer): boolean {
    const { machine, needsSnapshot } = this.engine
    if (feed !== this.writer || this.#closing !== undefined) return false
    return needsSnapshot || machine.roster.memberOf(feed) === undefined
  }

  /** Writes on in another feed: this one has entries that are not here, or they do not count. */
  async #continue(): Promise<void> {
    if (this.#isTakingFeed || this.#closing !== undefined) return
    this.#isTakingFeed = true
    this.engine.isContinuing = true
    try {
      await this.#inTurn(async () => {
        const { own, record } = await this.#options.host.continueIn(Math.max(...(this.#self?.since ?? []), 0))
        this.#own = own
        this.#record = record
      })
      await this.engine.writeIn(this.#own)
      this.#ask()
      this.#emit('continued', { feed: this.writer })
      this.#isTakingFeed = false
    } catch (error) {
      this.engine.fail(error)
      return
    }
    // Meanwhile it may have been said of the new feed, too, that it counts no further.
    this.#review()
  }

  /** Of an entry that is durable here. */
  async #replicated({ writer, number }: Dot, level: ReplicationLevel, signal: AbortSignal | undefined): Promise<void> {
    // Of another feed than the one that is written now nothing is heard.
    if (writer !== this.writer) throw forgotten()
    if (level !== 'local') await this.engine.replication.wait(number, level, signal)
  }

  #sign(): Uint8Array {
    const { node } = this.feeds
    if (node === undefined) throw new PlaitError('INVALID_ARGUMENT', 'a group needs a node: give one to feeds()')
    return node.sign(claimStatement(keyFromWriter(this.id), this.#claim))
  }

  /** What is remembered changes in one go after the other: none forgets what another one has changed. */
  #remember(change: (record: GroupRecord) => GroupRecord): Promise<void> {
    return this.#inTurn(async () => {
      const record = change(this.#record)
      await this.#options.host.remember(record)
      this.#record = record
    })
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    const done = this.#remembering.then(task)
    this.#remembering = done.catch(() => {})
    return done
  }

  async #close(): Promise<void> {
    this.#lanes.close()
    await this.engine.close()
    this.#options.host.closed()
  }

  #emit<Name extends GroupEventName>(name: Name, detail: GroupEventDetails[Name]): void {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

function forbidden(message: string): PlaitError {
  return new PlaitError('FORBIDDEN', message)
}
