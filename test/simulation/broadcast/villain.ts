import type { BatchId } from '../../../src/broadcast/batch.ts'
import { broadcastOps } from '../../../src/broadcast/messages.ts'
import { keyOf } from '../../../src/broadcast/spread/archive.ts'
import type { NodeId } from '../../../src/identity/node-id.ts'
import type { SeededRandom } from '../../../src/runtime/simulated/random.ts'
import type { Site } from '../../broadcast/network.ts'
import { HostileMessages, type HostileMessage } from './hostile-messages.ts'
import type { BroadcastWorld } from './world.ts'

/** What was heard and may be said again. */
const recordedMax = 100
const awakeMs = 15_500

/** A member that is one like the others, and beside that says what it should not. */
export class Villain {
  readonly #world: BroadcastWorld
  readonly #random: SeededRandom
  readonly #messages: HostileMessages
  readonly #untilMs: number
  readonly #recorded: HostileMessage[] = []

  constructor(world: BroadcastWorld, untilMs: number) {
    this.#world = world
    this.#random = world.random.fork('villain')
    this.#messages = new HostileMessages(world, this.#random)
    this.#untilMs = untilMs
  }

  begin(): void {
    this.#world.overhear = (_from, op, payload) => {
      if (this.#recorded.length >= recordedMax) this.#recorded.splice(0, recordedMax / 2)
      this.#recorded.push({ op, payload })
    }
    const deeds = Math.round(this.#random.logarithmic(10, 120))
    for (let index = 0; index < deeds; index += 1)
      this.#world.net.scheduler.at(awakeMs + this.#random.real() * (this.#untilMs - awakeMs), () => this.#act())
  }

  #act(): void {
    const { villain } = this.#world
    if (villain === undefined) return
    const choices = [
      () => this.#replay(villain),
      () => this.#replay(villain),
      () => this.#pretend(villain),
      () => this.#pretend(villain),
      () => this.#tellInTwoWays(villain),
      () => this.#say(this.#messages.past(), 6),
      () => this.#say(this.#messages.offersOfNothing(), 6),
      () => this.#say(this.#messages.answer(), 6),
      () => this.#say(this.#messages.offer(this.#nextOf()), 6),
      () => this.#say(this.#messages.forgedMember(this.#victim()), 6),
      () => this.#say(this.#messages.memberFromElsewhere(this.#victim()), 6),
      () => this.#say(this.#messages.accusation(this.#victim()), 2),
      () => this.#say(this.#messages.ghost(), 3),
      () => this.#say(this.#messages.garbage(this.#recorded), 3),
    ]
    this.#random.pick(choices)()
  }

  /** What it has heard, several times, to several others. */
  #replay(villain: Site): void {
    const batches = this.#recorded.filter(({ op }) => op === broadcastOps.relay || op === broadcastOps.batch)
    if (batches.length === 0) return
    const message = this.#messages.again(this.#random.pick(batches), villain)
    const times = Math.round(this.#random.logarithmic(1, 20))
    for (let time = 0; time < times; time += 1) this.#say(message, 5)
  }

  /** Something under an id that its author is about to use, or has used. */
  #pretend(villain: Site): void {
    const id = this.#nextOf()
    if (id === undefined) return
    this.#world.noteGarbage(keyOf(id))
    this.#say(this.#messages.pretended(id, this.#victim(id.author), villain), 12)
  }

  #tellInTwoWays(villain: Site): void {
    const [one, other] = this.#messages.twoWays(villain)
    this.#say(one, 5)
    this.#say(other, 5)
    this.#world.mark('batch of its own told in two ways')
  }

  #say(message: HostileMessage | undefined, mostReceivers: number): void {
    const { villain, net, honest } = this.#world
    if (villain === undefined || message === undefined) return
    const receivers = this.#random.shuffle(honest).slice(0, this.#random.integer(1, mostReceivers))
    for (const { id } of receivers) net.carry(villain, id, message.op, message.payload)
  }

  /** The next id of somebody who has published, or a later one. */
  #nextOf(): BatchId | undefined {
    const entries = [...this.#world.ledger.entriesByKey.values()].filter(({ author }) => author.state === 'up')
    if (entries.length === 0) return undefined
    const { author } = this.#random.pick(entries)
    const last = entries.findLast((entry) => entry.author === author)
    if (last === undefined) return undefined
    const ahead = this.#random.pick([0, 1, 1, 1, 2, 3, 5_000])
    return { ...last.id, counter: last.id.counter + ahead }
  }

  #victim(id?: NodeId): Site {
    const { honest, net } = this.#world
    const known = id === undefined ? undefined : net.sitesById.get(id)
    return known ?? this.#random.pick(honest)
  }
}
