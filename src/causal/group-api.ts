import type { PlaitError } from '../base/error.ts'
import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { Dot, Writer } from '../crdt/dot.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Identity } from '../identity/identity.ts'
import type { Verify } from '../identity/signature.ts'
import type { View, ViewSource } from '../store/view.ts'
import type { Role } from './members/roster-operation.ts'
import type { ReplicationLevel } from './replication.ts'

/** What a group is named by: the feed of its founder, in base32. */
export type GroupId = Writer

export interface GroupsOptions {
  /** Who has delivered something and has nothing to say says so after so long, in ms. 1,000 when absent. */
  readonly acknowledgeMs?: number
  /** An admin makes a snapshot when so many entries were delivered since the last one. 100,000 when absent. */
  readonly snapshotEntries?: number
  /**
   * Where others reach this node, `plait://NODEID@HOST:PORT`: what it tells the members of its groups, and what stands in links. The
   * addresses of the node when absent, which is of no use to others where it listens on every interface.
   */
  readonly addresses?: () => readonly string[]
  /** Doors for tests. */
  readonly openView?: (name: string, source: ViewSource) => View
  readonly createFeedIdentity?: () => Identity
  /** The one that `createFeedIdentity` has made for a feed. */
  readonly feedIdentity?: (feed: Writer) => Identity | undefined
  /** The secret of an invitation. */
  readonly createSecret?: () => Uint8Array
  readonly verify?: Verify
}

/** The groups of a store, whose members are its node and those of others. */
export interface Groups extends AsyncDisposable {
  /** A new group, of which this node is an admin and the only member. */
  create(options: { readonly name: string }): Promise<Group>
  /**
   * Joins by a link that a member has made (`Group.invite`). Resolves when a member has let this node in; what was written is on its way
   * then. Rejects with `INVALID_LINK`, what `Peer.open` rejects with when nobody is there, and `FORBIDDEN` for a link that has been
   * revoked or used up, or is past its time. Who asks again with the same link goes on where it was.
   */
  join(link: string, options?: WaitOptions): Promise<Group>
  /** A group that is here. Rejects with `INVALID_ARGUMENT` for one that is not. One that is open already is given again. */
  open(id: GroupId): Promise<Group>
  list(): Promise<readonly GroupId[]>
  close(): Promise<void>
}

export interface PublishOptions extends WaitOptions {
  /** `local` when absent: synced here. */
  readonly replication?: ReplicationLevel
}

export interface InviteOptions {
  /** `write` when absent. */
  readonly role?: Role
  /** How long the link is good for; for ever when absent. */
  readonly validMs?: number
  /** How many nodes may join by it; any number when absent. */
  readonly uses?: number
}

/** An operation that has been delivered. */
export interface GroupDelivery {
  readonly dot: Dot
  /** Who has published it. */
  readonly from: NodeId
  /** Its own. */
  readonly payload: Uint8Array
}

/** One that has to be told when it has been carried out. */
export interface AcknowledgedDelivery extends GroupDelivery {
  /** It is not delivered again after a restart; nor is any before it whose `ack` was called too. */
  ack(): void
}

/** What a handler changes in its tables, in one transaction with how far it has come. */
export interface DeliveryTransaction {
  /** Rejects with `CANCELLED` when everything is going to be delivered again: what the handler does now does not count. */
  read(table: string, key: Uint8Array): Promise<Uint8Array | undefined>
  put(table: string, key: Uint8Array, value: Uint8Array): void
  delete(table: string, key: Uint8Array): void
}

export type DeliveryHandler = (delivery: GroupDelivery, transaction: DeliveryTransaction) => void | Promise<void>

/** A set of writers, whose operations reach every member in causal order. */
export interface Group extends GroupEvents, AsyncDisposable {
  readonly id: GroupId
  readonly name: string
  readonly members: readonly GroupMember[]
  /** What this node may do; undefined as long as that is not known here, and when it was removed. */
  readonly role: Role | undefined
  /**
   * Publishes an operation, which follows all that has been delivered here. Resolves when it is durable where `replication` asks for.
   * When the signal fires before that it is published nevertheless. Rejects with `FORBIDDEN` for who may not write, `LIMIT` for more
   * than about 1 MiB, and what `WritableFeed.append` rejects with.
   */
  publish(payload: Uint8Array, options?: PublishOptions): Promise<Dot>
  /**
   * Resolves when an operation that this node has published is durable where `level` asks for. Rejects with the reason of the signal, and
   * with `STORE_CLOSED` when the group is closed before.
   */
  replicated(dot: Dot, level: ReplicationLevel, options?: WaitOptions): Promise<void>
  /**
   * Hands operations to `handler`, one after the other, those of this node too once they are durable: each once for each transaction that
   * was committed. One that the handler rejects is tried again after a while; at the third time it is set aside (`setaside`), and what
   * follows it goes on. To be called once, and not with `deliveries`.
   */
  deliver(handler: DeliveryHandler): void
  /** Operations as they are delivered. To be called once, and not with `deliver`. */
  deliveries(options?: WaitOptions): AsyncIterable<AcknowledgedDelivery>
  /** Follows who belongs to the group, and takes no operations. */
  observe(): void
  /** A link by which others can join. For admins. */
  invite(options?: InviteOptions): Promise<string>
  /** Nobody joins by this link any more. */
  revoke(link: string): Promise<void>
  /** For admins. */
  assign(node: NodeId, role: Role): Promise<void>
  /** What it has written and is not here is void. For admins. */
  remove(node: NodeId): Promise<void>
  /** Nobody waits for it until it comes back; as for `remove`. */
  park(node: NodeId): Promise<void>
  leave(): Promise<void>
  /** What it is doing. */
  snapshot(): GroupSnapshot
  /** Makes durable what was taken, and shares it no more. Idempotent. */
  close(): Promise<void>
}

export interface GroupMember {
  readonly node: NodeId
  readonly role: Role
  readonly isParked: boolean
  readonly addresses: readonly string[]
}

export interface GroupSnapshot {
  readonly id: GroupId
  readonly name: string
  /** How much of each feed has been delivered. */
  readonly clock: Readonly<Record<Writer, number>>
  /** What every member has delivered. */
  readonly stable: Readonly<Record<Writer, number>>
  readonly frontier: readonly Dot[]
  readonly members: readonly GroupMemberSnapshot[]
  readonly feeds: readonly GroupFeedSnapshot[]
  /** Entries that are delivered and not in the view. */
  readonly uncommitted: number
  /** Of which what they follow is remembered. */
  readonly remembered: number
}

export interface GroupMemberSnapshot extends GroupMember {
  readonly feeds: readonly Writer[]
  /** Entries that it has not said to have delivered. */
  readonly lag: number
  readonly isConnected: boolean
}

export interface GroupFeedSnapshot {
  readonly writer: Writer
  readonly delivered: number
  readonly received: number
  /** Bytes that wait for what they follow. */
  readonly waitingBytes: number
  readonly waitsFor: Dot | undefined
}

export interface GroupEventDetails {
  /** Who belongs to the group, or what they may do, has changed. */
  readonly members: { readonly members: readonly GroupMember[] }
  /** This node is a member and can write, from now on. */
  readonly joined: { readonly role: Role }
  /** An operation cannot be carried out, or does not count. */
  readonly setaside: { readonly dot: Dot; readonly error: PlaitError }
  /** What was delivered does not count any more, because its writer was removed: all is delivered again. */
  readonly overturned: undefined
  /** This node had forgotten what it has written, and goes on under another feed. */
  readonly continued: { readonly feed: Writer }
  /** Nothing more is delivered or published. */
  readonly failed: { readonly error: PlaitError }
}

export type GroupEventName = keyof GroupEventDetails

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

/** An `EventTarget` whose events have their types. */
export interface GroupEvents {
  addEventListener<Name extends GroupEventName>(
    name: Name,
    listener: (event: CustomEvent<GroupEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  addEventListener(...other: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends GroupEventName>(
    name: Name,
    listener: (event: CustomEvent<GroupEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  removeEventListener(...other: Parameters<EventTarget['removeEventListener']>): void
  dispatchEvent(event: Event): boolean
}
