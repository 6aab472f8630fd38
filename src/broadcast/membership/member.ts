import { publicKeyFromNodeId, type NodeId } from '../../identity/node-id.ts'
import type { Verify } from '../../identity/signature.ts'
import { defaultLimits } from '../../base/limits.ts'
import { array, bool, encode, fixed, struct, text, varint, type Schema } from '../../wire/schema.ts'
import { nodeId } from '../field-schemas.ts'

/** In this order: of two that are said of one incarnation the later one counts. */
export const memberStatuses = ['alive', 'suspect', 'dead', 'left'] as const
export type MemberStatus = (typeof memberStatuses)[number]

/** What is known of a member. Only the member itself begins a new incarnation, by which it contradicts what is said of the last one. */
export interface Member {
  readonly id: NodeId
  readonly incarnation: number
  readonly status: MemberStatus
  /** `HOST:PORT`, the best first; none when it cannot be dialled. */
  readonly addresses: readonly string[]
  /** By the member: of its incarnation and its addresses, or of its leaving. That it is suspect or dead others say. */
  readonly signature: Uint8Array
}

/** Of one member; the best first. */
export const addressesMax = 4

interface SignedMember {
  readonly context: Uint8Array
  readonly network: string
  readonly id: NodeId
  readonly incarnation: number
  readonly isLeaving: boolean
  readonly addresses: readonly string[]
}

/** What a member signs of itself. */
export const signedMemberSchema: Schema<SignedMember> = struct({
  context: fixed(16),
  network: text({ max: defaultLimits.nameBytes }),
  id: nodeId,
  incarnation: varint,
  isLeaving: bool,
  addresses: array(text({ max: defaultLimits.nameBytes }), { max: addressesMax }),
})

/** "plait member" and the version of what follows. */
export const memberContext: Uint8Array = Uint8Array.from([...new TextEncoder().encode('plait member'), 0, 0, 0, 1])

/** What a member says of itself. */
export function signMember(
  facts: Omit<Member, 'signature' | 'status'> & { readonly status: 'alive' | 'left' },
  { network, sign }: { readonly network: string; readonly sign: (statement: Uint8Array) => Uint8Array },
): Member {
  return { ...facts, signature: sign(statementOf(facts, network)) }
}

export function isMemberSigned(member: Member, network: string, verify: Verify): boolean {
  return verify(publicKeyFromNodeId(member.id), statementOf(member, network), member.signature)
}

function statementOf({ id, incarnation, status, addresses }: Omit<Member, 'signature'>, network: string): Uint8Array {
  const isLeaving = status === 'left'
  return encode(signedMemberSchema, { context: memberContext, network, id, incarnation, isLeaving, addresses })
}

/**
 * Whether `one` is news where `other` is known: a later incarnation, or of the same one something worse. (Das, Gupta, Motivala: SWIM,
 * 2002, section 4.2, but that a death needs no refutation by another number.)
 */
export function isNewer(
  one: Pick<Member, 'incarnation' | 'status'>,
  other: Pick<Member, 'incarnation' | 'status'>,
): boolean {
  if (one.incarnation !== other.incarnation) return one.incarnation > other.incarnation
  return memberStatuses.indexOf(one.status) > memberStatuses.indexOf(other.status)
}

/** Whether it may still be there. */
export function isPresent({ status }: Pick<Member, 'status'>): boolean {
  return status === 'alive' || status === 'suspect'
}
