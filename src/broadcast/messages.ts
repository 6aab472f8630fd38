import { defaultLimits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { malformed } from '../wire/reader.ts'
import { array, bool, decode, encode, optional, struct, u32, upTo, varint } from '../wire/schema.ts'
import type { Schema } from '../wire/schema.ts'
import { batchBytesMax, type BatchId } from './batch.ts'
import { nodeId, remainder } from './field-schemas.ts'
import { memberSchema } from './membership/member-schema.ts'
import type { Member } from './membership/member.ts'
import type { Region } from './ring.ts'

const { broadcastHops, broadcastMembersTold } = defaultLimits

/** Of one message that hands a part over. */
export const skippedMax = 16
/** Named in one answer; how many there are is said beside. */
export const unreachedMax = 64
/** Of one message that offers batches or asks for them. */
export const offersMax = 64
export const runsMax = 64

export interface NumberedMessage {
  readonly number: number
  /** What the sender has heard of members rides along. */
  readonly members: readonly Member[]
}

export interface ProbeMessage {
  readonly number: number
  readonly target: Member
}

export interface NewsMessage {
  readonly members: readonly Member[]
}

export interface SyncMessage {
  /** Of all that the sender knows of members. */
  readonly hash: number
  /** Whether it knows all members, as far as it knows. */
  readonly isWhole: boolean
  readonly members: readonly Member[]
}

export interface TableMessage {
  readonly isWhole: boolean
  readonly members: readonly Member[]
}

interface Hand {
  /** The number by which the sender knows what is answered to this. */
  readonly ticket: number
  /** Whom the receiver has to bring the batch to; nobody when absent. */
  readonly region?: Region | undefined
  readonly hops: number
  /** Some of them may have it already. */
  readonly isAgain: boolean
  /** Those of them whom the sender sees to. */
  readonly skipped: readonly NodeId[]
}

export interface RelayMessage extends Hand {
  readonly batch: Uint8Array
}

export interface OfferMessage extends Hand, BatchId {}

export interface TakenMessage {
  readonly ticket: number
}

export interface DoneMessage extends TakenMessage {
  /** How many others of the part have it, by the receiver or by others that it knows of. */
  readonly reached: number
  /** How many have not, and who they are, as far as there is room. */
  readonly missing: number
  readonly unreached: readonly NodeId[]
}

export interface PastMessage {
  readonly epoch: number
}

/** Batches of one epoch of an author. */
export interface Offer {
  readonly author: NodeId
  readonly epoch: number
  readonly runs: readonly { readonly first: number; readonly count: number }[]
}

export interface OffersMessage {
  readonly offers: readonly Offer[]
}

export interface BatchMessage {
  readonly batch: Uint8Array
}

/** The messages by their names. */
export interface BroadcastMessages {
  /** Are you there? */
  readonly ping: NumberedMessage
  readonly pong: NumberedMessage
  /** Asks to ping a member that does not answer the sender. */
  readonly probe: ProbeMessage
  /** What has changed. */
  readonly news: NewsMessage
  /** Is answered with `table` where something else is known. */
  readonly sync: SyncMessage
  readonly table: TableMessage
  /** Hands a batch over, and with a region the duty to bring it to all who are there. */
  readonly relay: RelayMessage
  /** The same without the batch: who has not got it asks for it. */
  readonly offer: OfferMessage
  /** The batch is here, and on its way to the others of the part. */
  readonly taken: TakenMessage
  /** All that could be done for the part is done. */
  readonly done: DoneMessage
  /** The receiver has published in an epoch that is not its last: this one was. */
  readonly past: PastMessage
  readonly have: OffersMessage
  readonly want: OffersMessage
  readonly batch: BatchMessage
}

export type MessageName = keyof BroadcastMessages

export type BroadcastMessage = {
  [Name in MessageName]: { readonly name: Name; readonly value: BroadcastMessages[Name] }
}[MessageName]

/** The op of the fragment that carries each. */
export const broadcastOps: { readonly [Name in MessageName]: number } = {
  ping: 1,
  pong: 2,
  probe: 3,
  news: 4,
  sync: 5,
  table: 6,
  relay: 7,
  offer: 8,
  taken: 9,
  done: 10,
  past: 11,
  have: 12,
  want: 13,
  batch: 14,
}

const members = array(memberSchema, { max: broadcastMembersTold })
const numbered = struct({ number: u32, members })
const hand = {
  ticket: varint,
  region: optional(struct({ from: nodeId, to: nodeId })),
  hops: upTo(broadcastHops),
  isAgain: bool,
  skipped: array(nodeId, { max: skippedMax }),
}
const runs = array(struct({ first: varint, count: upTo(defaultLimits.broadcastWindow) }), { max: runsMax })
const offers = struct({ offers: array(struct({ author: nodeId, epoch: varint, runs }), { max: offersMax }) })
const batch = remainder({ max: batchBytesMax })

/** How the payload of each is laid out. */
export const broadcastSchemas: { readonly [Name in MessageName]: Schema<BroadcastMessages[Name]> } = {
  ping: numbered,
  pong: numbered,
  probe: struct({ number: u32, target: memberSchema }),
  news: struct({ members }),
  sync: struct({ hash: u32, isWhole: bool, members }),
  table: struct({ isWhole: bool, members }),
  relay: struct({ ...hand, batch }),
  offer: struct({ ...hand, author: nodeId, epoch: varint, counter: varint }),
  taken: struct({ ticket: varint }),
  done: struct({ ticket: varint, reached: varint, missing: varint, unreached: array(nodeId, { max: unreachedMax }) }),
  past: struct({ epoch: varint }),
  have: offers,
  want: offers,
  batch: struct({ batch }),
}

/** The payload of a message, fresh. Throws `INVALID_ARGUMENT` for what is beyond a bound. */
export function encodeMessage<Name extends MessageName>(name: Name, value: BroadcastMessages[Name]): Uint8Array {
  return encode<BroadcastMessages[Name]>(broadcastSchemas[name], value)
}

/** Throws `PROTOCOL` or `LIMIT`. A batch is a view of the payload; everything else is copied. */
export function decodeMessage(op: number, payload: Uint8Array): BroadcastMessage {
  const name = namesByOp.get(op)
  if (name === undefined) throw malformed(`a message ${op} of no kind`)
  return { name, value: decode<BroadcastMessages[typeof name]>(broadcastSchemas[name], payload) } as BroadcastMessage
}

const namesByOp: ReadonlyMap<number, MessageName> = new Map(
  Object.entries(broadcastOps).map(([name, op]) => [op, name as MessageName]),
)
