import type { WaitOptions } from '../circuit/circuit-api.ts'
import type { NodeId } from '../identity/node-id.ts'
import type { Verify } from '../identity/signature.ts'
import type { Admission } from '../node/node-api.ts'
import type { BroadcasterCounts } from './broadcaster.ts'
import type { MemberStatus } from './membership/member.ts'
import type { BroadcastSettings } from './settings.ts'
import type { SpreadReport } from './spread/task.ts'

export interface TopicsOptions {
  /** Who may be a member: everyone who can connect, or these nodes. Beyond them nobody is let in. */
  readonly open: Admission
  /** Which network: members of one hear nothing of another. 1 to 255 bytes; `main` when absent. */
  readonly network?: string
  /**
   * Addresses of members, `plait://NODEID@HOST:PORT`; one that can be reached is enough. They are tried again while nobody else is known.
   * Without any it is for others to come.
   */
  readonly join?: readonly string[]
  /** `HOST:PORT` at which the others reach this node, at most 4; the addresses on which it listens when absent. */
  readonly addresses?: readonly string[]
  readonly settings?: Partial<BroadcastSettings>
  /** Checks signatures; for simulated identities. */
  readonly verify?: Verify
}

/** A message as it arrives. */
export interface TopicMessage {
  readonly topic: string
  /** Belongs to the receiver; it is a view of what came along with it. */
  readonly payload: Uint8Array
  /** Who has published it, proven by the session or by a signature. */
  readonly author: NodeId
  /** It was sent to this node, not to all. */
  readonly isDirect: boolean
}

/** Whom a message has reached. */
export type PublishReport = SpreadReport

/** What was published in one turn: it travels as one. */
export interface Publication {
  /**
   * Resolves when everybody has it who can be reached, and says who has not. Of whom a member says that it has passed the message on, that
   * is believed. Rejects with `NODE_CLOSED` when these topics are closed before.
   */
  report(): Promise<PublishReport>
}

/** Messages of one topic, from now on. */
export interface Subscription extends AsyncIterable<TopicMessage>, AsyncDisposable {
  readonly topic: string
  /** Messages that were dropped because nobody took those before them: 16 MiB of them wait at most. */
  readonly dropped: number
  close(): Promise<void>
}

export interface MemberInfo {
  readonly id: NodeId
  readonly status: MemberStatus
  readonly incarnation: number
  readonly addresses: readonly string[]
}

export interface TopicsEventDetails {
  /** Somebody has joined, is suspected of being gone, has come back, is gone, or has left. */
  readonly member: MemberInfo & { readonly before: MemberStatus | undefined }
  /** The handler of a subscription has thrown; it is handed the next message all the same. */
  readonly handlerfailed: { readonly topic: string; readonly error: unknown }
}

type ListenerOptions = Parameters<EventTarget['addEventListener']>[2]

export interface TopicsEvents {
  addEventListener<Name extends keyof TopicsEventDetails>(
    name: Name,
    listener: (event: CustomEvent<TopicsEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  addEventListener(...other: Parameters<EventTarget['addEventListener']>): void
  removeEventListener<Name extends keyof TopicsEventDetails>(
    name: Name,
    listener: (event: CustomEvent<TopicsEventDetails[Name]>) => void,
    options?: ListenerOptions,
  ): void
  removeEventListener(...other: Parameters<EventTarget['removeEventListener']>): void
}

/** How messages go from here: to each member, over a tree of all of them, or over a tree of those that one can know. */
export type Shape = 'star' | 'tree' | 'overlay'

export interface TopicsSnapshot {
  readonly network: string
  readonly shape: Shape
  readonly members: readonly MemberInfo[]
  /** Members to which a circuit is open. */
  readonly connected: readonly NodeId[]
  readonly counts: BroadcasterCounts
  /** What is held for others. */
  readonly held: { readonly bytes: number; readonly batches: number; readonly authors: number; readonly tasks: number }
}

/** A node's part in a network of members, each of which publishes to all. Made by `topics`. */
export interface Topics extends TopicsEvents, AsyncDisposable {
  readonly network: string
  /** Those who are there, as far as is known, this node among them. */
  readonly members: readonly MemberInfo[]
  /** Bytes published that quick members have not got yet. */
  readonly bufferedBytes: number
  /**
   * Brings a message to every other member, once to each; what is published in one turn of the event loop goes together, in
   * order; of two turns the later one may arrive first. `payload` is copied. Throws `INVALID_ARGUMENT` for a topic that is not
   * 1 to 255 bytes, `FRAGMENT_TOO_LARGE` beyond 64 KiB, `BUFFER_FULL` when 16 MiB wait (see `ready`), and `NODE_CLOSED`.
   */
  publish(topic: string, payload: Uint8Array): Publication
  /** The same for some members only: directly, to those who are subscribed there. At most 256 of them. */
  send(to: NodeId | readonly NodeId[], topic: string, payload: Uint8Array): Publication
  /** Resolves when less than 1 MiB waits for members that are quick; slow ones hold nobody up. */
  ready(options?: WaitOptions): Promise<void>
  /** Messages of others. With a handler each is handed to it as it comes, and the iterator yields nothing. */
  subscribe(topic: string, handler?: (message: TopicMessage) => void): Subscription
  /** Resolves when another member is known. Rejects with the signal's reason, or `NODE_CLOSED`. */
  joined(options?: WaitOptions): Promise<void>
  snapshot(): TopicsSnapshot
  /** Tells the others that it leaves, after what was published has left; at most 2 s. Idempotent. */
  close(): Promise<void>
}
