import type { NodeId } from '../../identity/node-id.ts'
import type { BroadcastMessages, MessageName } from '../messages.ts'
import type { Ring } from '../ring.ts'

/** The way to the other members. */
export interface SpreadPort {
  /** Returns whether there is room for more on the way to that member. */
  send<Name extends MessageName>(to: NodeId, name: Name, message: BroadcastMessages[Name]): boolean
  /** The same for what is encoded already. */
  sendEncoded(to: NodeId, name: MessageName, payload: Uint8Array): boolean
  /** A member does not answer when it should. */
  doubt(id: NodeId, now: number): void
}

/** What has to be known of the members. */
export interface Members {
  readonly self: NodeId
  /** Those who may be there, this node among them. */
  readonly ring: Ring
  /** Whether `ring` has all of them, as far as is known. */
  readonly isWhole: boolean
  isSuspect(id: NodeId): boolean
}
