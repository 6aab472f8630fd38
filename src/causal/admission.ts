import { array, fixed, struct, text, u64 } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { bytes } from '../message/codecs/bytes.ts'
import { messageType } from '../message/define-message.ts'
import type { MessageType } from '../message/define-message.ts'
import { rosterBounds } from './members/roster-operation.ts'
import type { Claim } from './members/roster-operation.ts'

/** The service by which nodes come into groups, and the one instance of it that a node has. */
export const groupService = 'plait.groups'
export const groupPeerId = 'groups'

/** A node wants to be let in. It is the one at the other end of the circuit, or it is refused. */
export interface JoinRequest extends Claim {
  readonly group: Uint8Array
  readonly proof: Uint8Array
  readonly invitation: Uint8Array
  readonly invitationProof: Uint8Array
  readonly addresses: readonly string[]
}

/** A member wants to write on in another feed. */
export interface ContinueRequest extends Claim {
  readonly group: Uint8Array
  readonly proof: Uint8Array
}

const key = fixed(32)
const signature = fixed(64)
const claim = { group: key, node: key, feed: key, since: u64, proof: signature } as const

export const joinRequest: Schema<JoinRequest> = struct({
  ...claim,
  ...{ invitation: key, invitationProof: signature },
  addresses: array(text({ max: rosterBounds.addressBytes }), { max: rosterBounds.addresses }),
})
export const continueRequest: Schema<ContinueRequest> = struct(claim)

/**
 * Answered when it is durable where it was asked for, with the name of a snapshot to begin with, or with nothing; `FORBIDDEN` says why
 * not.
 */
export const joinMessage: MessageType<Uint8Array, Uint8Array> = messageType({
  id: 16,
  name: 'group.join',
  request: bytes(),
})
export const continueMessage: MessageType<Uint8Array, Uint8Array> = messageType({
  id: 17,
  name: 'group.continue',
  request: bytes(),
})
