import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { encodeBatch, type Batch, type BatchContent } from '../../src/broadcast/batch.ts'
import { Broadcaster } from '../../src/broadcast/broadcaster.ts'
import {
  broadcastOps,
  decodeMessage,
  encodeMessage,
  type BroadcastMessage,
  type BroadcastMessages,
  type MessageName,
} from '../../src/broadcast/messages.ts'
import { Ring } from '../../src/broadcast/ring.ts'
import type { BroadcastSettings } from '../../src/broadcast/settings.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { NodeId } from '../../src/identity/node-id.ts'
import { silentProbe } from '../../src/runtime/probe.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { keyedVerify } from './keyed.ts'

export const networkName = 'test'

export interface Sent {
  readonly to: NodeId
  readonly message: BroadcastMessage
}

export interface LoneMemberOptions {
  readonly identity: Identity
  /** Those whom it knows. */
  readonly others: readonly Identity[]
  readonly isWhole?: boolean
  readonly limits?: Partial<Limits>
  readonly settings?: Partial<BroadcastSettings>
}

/** One member, to which a test says what the others say, and of which it sees all that it does. */
export class LoneMember {
  readonly identity: Identity
  readonly broadcaster: Broadcaster
  readonly delivered: Batch[] = []
  readonly blamed: NodeId[] = []
  readonly sent: Sent[] = []
  now = 0

  constructor(options: LoneMemberOptions) {
    const { identity, others, isWhole = true, limits = {}, settings = {} } = options
    this.identity = identity
    const { id: self } = identity
    const ring = new Ring([self, ...others.map(({ id }) => id)])
    this.broadcaster = new Broadcaster({
      ...{ self, network: networkName, addresses: [], epoch: 1 },
      sign: (statement) => identity.sign(statement),
      verify: keyedVerify,
      port: {
        send: (to, op, payload) => {
          this.sent.push({ to, message: decodeMessage(op, payload) })
          return true
        },
        deliver: (batch) => this.delivered.push(batch),
        changed: () => undefined,
        blame: (from) => this.blamed.push(from),
      },
      random: new SeededRandom(1),
      probe: silentProbe,
      limits: { ...defaultLimits, ...limits },
      settings: { starMembersMax: 0, ...settings },
      members: { self, ring, isWhole, isSuspect: () => false },
    })
  }

  hear<Name extends MessageName>(from: Identity, name: Name, message: BroadcastMessages[Name]): void {
    this.hearBytes(from, name, encodeMessage(name, message))
  }

  hearBytes(from: Identity, name: MessageName, payload: Uint8Array): void {
    this.broadcaster.receive(from.id, broadcastOps[name], payload, this.now)
  }

  /** What it has sent of one kind since this was asked last. */
  take<Name extends MessageName>(name: Name): readonly { to: NodeId; value: BroadcastMessages[Name] }[] {
    const [taken, left] = [
      this.sent.filter(({ message }) => message.name === name),
      this.sent.filter(({ message }) => message.name !== name),
    ]
    this.sent.splice(0, this.sent.length, ...left)
    return taken.map(({ to, message }) => ({ to, value: message.value as BroadcastMessages[Name] }))
  }
}

/** A batch of its author, or one that pretends to be. */
export function batchOf(
  author: Identity,
  counter: number,
  options: Partial<Pick<BatchContent, 'epoch' | 'isDirect'>> & {
    readonly texts?: readonly string[]
    readonly network?: string
    readonly sign?: (statement: Uint8Array) => Uint8Array
  } = {},
): Batch {
  const { epoch = 1, isDirect = false, texts = ['hello'], network = networkName } = options
  const { sign = (statement: Uint8Array): Uint8Array => author.sign(statement) } = options
  const posts = texts.map((text) => ({ topic: 'news', payload: new TextEncoder().encode(text) }))
  return encodeBatch({ author: author.id, epoch, counter, isDirect, posts }, { network, sign })
}
