import type { GroupId, NodeId, ReplicationLevel, Writer } from 'plait'
import type { Usage } from '../feeds/order.ts'

/**
 * What takes the operations: `note` only notes when they came, by `deliver`; `table` besides puts the newest operation of each place
 * into a table; `replica` is a set of texts.
 */
export type MemberKind = 'note' | 'table' | 'replica'

/** How a member of a group is started. Who has neither a link nor an id makes the group. */
export interface Opening {
  /** Its store and its key. */
  readonly folder: string
  readonly kind: MemberKind
  readonly link?: string
  readonly id?: GroupId
  /** 0 when absent. */
  readonly port?: number
  readonly snapshotEntries?: number
}

export interface Opened {
  readonly id: GroupId
  readonly node: NodeId
  readonly port: number
}

export interface Publishing {
  readonly operations: number
  readonly inFlight: number
  readonly replication: ReplicationLevel
  /** Of each payload. */
  readonly bytes: number
  /** Numbers of operations: where they are in the table or the set. */
  readonly first: number
  /** How many places this writer has, which are taken in turn. */
  readonly places: number
  /** Which writer it is. */
  readonly writer: number
  /** Operations a second; as many as go when absent. */
  readonly rate?: number
}

/** Milliseconds. */
export interface Latencies {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

export type Clock = Readonly<Record<Writer, number>>

export interface MemberFacts {
  readonly clock: Clock
  readonly stable: Clock
  readonly uncommitted: number
  readonly remembered: number
  readonly members: readonly { readonly node: NodeId; readonly lag: number; readonly isConnected: boolean }[]
  /** Of the node's sessions: before encryption. */
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly heapBytes: number
  readonly failures: readonly string[]
  readonly setAside: number
}

/** What a member's process does when it is told, and what it answers. */
export interface MemberOrders {
  about: { readonly order: object; readonly answer: { readonly version: string; readonly settings: string } }
  /** Resolves when it can write. */
  open: { readonly order: Opening; readonly answer: Opened }
  invite: { readonly order: object; readonly answer: { readonly link: string } }
  remove: { readonly order: { readonly node: NodeId }; readonly answer: object }
  publish: {
    readonly order: Publishing
    readonly answer: { readonly seconds: number; readonly resolved: Latencies }
  }
  /** Forgets what has been heard. */
  listen: { readonly order: object; readonly answer: object }
  /** What other members have published since `listen`, by the clock that processes of a machine share: from publishing to here. */
  heard: { readonly order: object; readonly answer: { readonly delivered: Latencies } }
  /** Resolves when so much has been delivered here and is in the view. */
  level: { readonly order: { readonly clock: Clock }; readonly answer: { readonly ms: number } }
  /** SHA-256 of what the operations have led to, in hex: of the replica; of the table when everything has been delivered everywhere. */
  hash: { readonly order: object; readonly answer: { readonly hash: string } }
  /** `collect`: after forced collections. */
  facts: { readonly order: { readonly collect: boolean }; readonly answer: MemberFacts }
  begin: { readonly order: { readonly profiled: boolean }; readonly answer: object }
  usage: { readonly order: object; readonly answer: Usage }
  close: { readonly order: object; readonly answer: object }
}

export type MemberHandlers = {
  readonly [Name in keyof MemberOrders]: (
    order: MemberOrders[Name]['order'],
  ) => Promise<MemberOrders[Name]['answer']> | MemberOrders[Name]['answer']
}
