import { encodeBatch, type BatchId } from '../../../src/broadcast/batch.ts'
import type { Member } from '../../../src/broadcast/membership/member.ts'
import { signMember } from '../../../src/broadcast/membership/member.ts'
import {
  broadcastOps,
  decodeMessage,
  encodeMessage,
  type BroadcastMessages,
  type MessageName,
  type Offer,
  type RelayMessage,
} from '../../../src/broadcast/messages.ts'
import type { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import { networkName, type Site } from '../../broadcast/network.ts'
import type { BroadcastWorld } from './world.ts'

export interface HostileMessage {
  readonly op: number
  readonly payload: Uint8Array
}

const most = Number.MAX_SAFE_INTEGER
const elsewhere = 'elsewhere'
const ops = Object.values(broadcastOps)

/** What a member may say that no honest one would. */
export class HostileMessages {
  readonly #world: BroadcastWorld
  readonly #random: SeededRandom
  #ghosts = 0

  constructor(world: BroadcastWorld, random: SeededRandom) {
    this.#world = world
    this.#random = random
  }

  /** A batch that was heard, as it was or with another duty. */
  again(message: HostileMessage, villain: Site): HostileMessage {
    if (message.op === broadcastOps.batch || this.#random.chance(0.3)) return message
    const { name, value } = decodeMessage(message.op, message.payload)
    if (name !== 'relay') return message
    if (this.#random.chance(0.3)) return messageOf('batch', { batch: value.batch })
    return messageOf('relay', { ...value, ...this.#duty(villain), isAgain: this.#random.chance(0.3) })
  }

  /** A batch that is not its author's: unsigned, or signed for another network. */
  pretended(id: BatchId, author: Site, villain: Site): HostileMessage {
    const isElsewhere = this.#random.chance(0.3)
    if (isElsewhere) this.#world.mark('elsewhere signed and brought here')
    const posts = [{ topic: 'topic', payload: this.#random.bytes(12) }]
    const batch = encodeBatch(
      { ...id, isDirect: this.#random.chance(0.2), posts },
      isElsewhere
        ? { network: elsewhere, sign: (statement) => author.identity.sign(statement) }
        : { network: networkName, sign: () => this.#random.bytes(64) },
    ).bytes
    if (this.#random.chance(0.3)) return messageOf('batch', { batch })
    return messageOf('relay', { ...this.#duty(villain), isAgain: false, batch })
  }

  /** Two batches of its own under one id, perhaps an absurd one. */
  twoWays(villain: Site): readonly [HostileMessage, HostileMessage] {
    const { random } = { random: this.#random }
    const epoch = random.pick([1, 2_000_000, 3_000_000, most])
    const counter = random.pick([1, random.integer(1, 10_000), most])
    const tell = (): HostileMessage => {
      const posts = [{ topic: 'topic', payload: random.bytes(8) }]
      const sign = (statement: Uint8Array): Uint8Array => villain.identity.sign(statement)
      const content = { author: villain.id, epoch, counter, isDirect: false, posts }
      const { bytes: batch } = encodeBatch(content, { network: networkName, sign })
      return messageOf('relay', { ...this.#duty(villain), isAgain: false, batch })
    }
    return [tell(), tell()]
  }

  past(): HostileMessage {
    const near = 1_000_000 + Math.floor(this.#world.now)
    return messageOf('past', { epoch: this.#random.pick([0, near, near + 1_000, near * 1_000, 2e15, most - 1, most]) })
  }

  /** Claims to have, or to want, what nobody has published. */
  offersOfNothing(): HostileMessage {
    const random = this.#random
    const offers: Offer[] = Array.from({ length: random.integer(1, 3) }, () => ({
      author: random.chance(0.7) ? random.pick(this.#world.live).id : this.#world.net.identity('nobody').id,
      epoch: random.pick([0, 1_000_000 + Math.floor(this.#world.now), most]),
      runs: Array.from({ length: random.integer(1, 3) }, () => ({
        first: random.pick([0, 1, random.integer(1, 100), most - 100, most]),
        count: random.pick([0, 1, 64, 4_096]),
      })),
    }))
    return messageOf(random.pick(['have', 'want']), { offers })
  }

  /** Answers to what it was not asked. */
  answer(): HostileMessage {
    const random = this.#random
    const ticket = random.pick([random.integer(0, 200), most])
    const number = random.uint32()
    const unreached = random.shuffle(this.#world.live).slice(0, 3)
    return random.pick([
      () => messageOf('taken', { ticket }),
      () => messageOf('done', { ticket, reached: most, missing: most, unreached: unreached.map(({ id }) => id) }),
      () => messageOf('pong', { number, members: [] }),
    ])()
  }

  /** Offers what its author has yet to publish. */
  offer(id: BatchId | undefined): HostileMessage | undefined {
    const { villain } = this.#world
    if (id === undefined || villain === undefined) return undefined
    return messageOf('offer', { ...this.#duty(villain), isAgain: true, ...id })
  }

  /** What a member has never said of itself. */
  forgedMember(victim: Site): HostileMessage | undefined {
    const record = this.#recordOf(victim)
    if (record === undefined) return undefined
    const incarnation = record.incarnation + this.#random.integer(0, 100)
    const status = incarnation > record.incarnation ? this.#random.pick(['alive', 'left', 'dead'] as const) : 'left'
    return this.#tell({ ...record, incarnation, status, signature: this.#random.bytes(64) })
  }

  /** What a member has said of itself in another network. */
  memberFromElsewhere(victim: Site): HostileMessage | undefined {
    const record = this.#recordOf(victim)
    if (record === undefined) return undefined
    this.#world.mark('elsewhere signed and brought here')
    const facts = {
      ...record,
      incarnation: record.incarnation + this.#random.integer(0, 50),
      status: this.#random.pick(['alive', 'left'] as const),
    }
    const sign = (statement: Uint8Array): Uint8Array => victim.identity.sign(statement)
    return this.#tell(signMember(facts, { network: elsewhere, sign }))
  }

  /** That somebody is gone who is not: anybody may say so, and it contradicts. */
  accusation(victim: Site): HostileMessage | undefined {
    const record = this.#recordOf(victim)
    if (record === undefined) return undefined
    this.#world.mark('accused though it was there')
    return this.#tell({ ...record, status: this.#random.pick(['suspect', 'dead']) })
  }

  /** Somebody who is nowhere. */
  ghost(): HostileMessage {
    this.#world.mark('ghost told of')
    const identity = this.#world.net.identity(`ghost ${(this.#ghosts += 1)}`)
    const incarnation = this.#random.pick([0, 1, most])
    const sign = (statement: Uint8Array): Uint8Array => identity.sign(statement)
    const facts = { id: identity.id, incarnation, status: 'alive', addresses: ['127.0.0.1:9'] } as const
    return this.#tell(signMember(facts, { network: networkName, sign }))
  }

  /** Bytes that mean nothing, or not what they meant. */
  garbage(recorded: readonly HostileMessage[]): HostileMessage {
    const random = this.#random
    if (recorded.length === 0 || random.chance(0.3))
      return { op: random.pick([...ops, 0, 99]), payload: random.bytes(random.integer(0, 200)) }
    const { op, payload } = random.pick(recorded)
    const bytes = payload.slice(0, random.chance(0.3) ? random.integer(0, payload.length) : payload.length)
    for (let times = random.integer(0, 3); times > 0 && bytes.length > 0; times -= 1)
      bytes[random.integer(0, bytes.length - 1)] = random.uint32()
    return { op, payload: bytes }
  }

  #tell(member: Member): HostileMessage {
    const members = [member]
    return this.#random.pick([
      () => messageOf('news', { members }),
      () => messageOf('ping', { number: this.#random.uint32(), members }),
      () => messageOf('table', { isWhole: this.#random.chance(0.9), members }),
      () => messageOf('sync', { hash: this.#random.uint32(), isWhole: this.#random.chance(0.9), members }),
      () => messageOf('probe', { number: this.#random.uint32(), target: member }),
    ])()
  }

  #recordOf(victim: Site): Member | undefined {
    return this.#world.villain?.broadcaster.membership.table.find(victim.id)
  }

  #duty(villain: Site): Pick<RelayMessage, 'ticket' | 'region' | 'hops' | 'skipped'> {
    const random = this.#random
    const { live } = this.#world
    const region = random.pick([
      undefined,
      { from: villain.id, to: villain.id },
      { from: random.pick(live).id, to: random.pick(live).id },
    ])
    return {
      ticket: random.pick([0, random.integer(1, 200), most]),
      region,
      hops: random.pick([0, 1, 15, 16]),
      skipped: random
        .shuffle(live)
        .slice(0, random.integer(0, 16))
        .map(({ id }) => id),
    }
  }
}

function messageOf<Name extends MessageName>(name: Name, value: BroadcastMessages[Name]): HostileMessage {
  return { op: broadcastOps[name], payload: encodeMessage(name, value) }
}
