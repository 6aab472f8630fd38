import { defaultLimits, type Limits } from '../../src/base/limits.ts'
import {
  simulatedTransport,
  type Process,
  type SeededRandom,
  type World,
  type WorldNode,
} from '../../src/testing/index.ts'
import { addressOf } from '../../src/testing/process.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { attacks, type Attack, type Scene } from './attacks.ts'
import { RawWire } from './raw-wire.ts'
import { sleep } from './workload.ts'

/** How long the last attack may go on after the world has become quiet: the longest time-outs are 30 s. */
const overtimeMs = 50_000

const plentiful: readonly Attack[] = Object.values(attacks).flatMap((attack) =>
  Array.from({ length: attack.share }, () => attack),
)

export interface MalloryOptions {
  readonly world: World
  readonly random: SeededRandom
  readonly nodes: readonly WorldNode[]
  readonly limits: Partial<Limits>
  readonly untilMs: number
}

/**
 * A host that keeps to no rule. It has a key like everybody else, attacks some of the nodes, and sees to it that each does what it
 * owes: what is wrong closes what is wrong, typed, and nothing else. At last it is gone without a word.
 */
export class Mallory {
  readonly #options: MalloryOptions

  constructor(options: MalloryOptions) {
    this.#options = options
  }

  /** Comes into the world. */
  appear(): void {
    const { world, random, nodes, untilMs } = this.#options
    const host = world.addHost('mallory', (process) => {
      const victims = random.shuffle(nodes).slice(0, random.integer(1, 2))
      for (const victim of victims) void this.#haunt(process, victim, random.fork(victim.name))
    })
    world.scheduler.at(untilMs + overtimeMs, () => world.end(host.name))
  }

  /** One attack after another on one node. */
  async #haunt(process: Process, victim: WorldNode, random: SeededRandom): Promise<void> {
    const { world, untilMs } = this.#options
    const epoch = random.bytes(16)
    const count = random.integer(1, 4)
    for (let index = 0; index < count; index += 1) {
      await sleep(process, random.real() * (untilMs - world.now) * 0.5)
      if (world.now > untilMs) return
      await this.#attack(process, victim, random, epoch, random.pick(plentiful))
    }
  }

  async #attack(
    process: Process,
    victim: WorldNode,
    random: SeededRandom,
    epoch: Uint8Array,
    attack: Attack,
  ): Promise<void> {
    const { world, limits } = this.#options
    // It may end while it is dialled.
    const { ends } = victim.host
    const wire = await this.#dial(process, victim)
    if (wire === undefined) return
    const expect: Scene['expect'] = async (what, isDone, limitMs, on = wire) => {
      await on.until(isDone, limitMs)
      if (isDone() || victim.host.ends !== ends || on.goAway?.code === 'GOING_AWAY') return
      const state = `${String(on.isClosed)}, sent away: ${String(on.goAway)}`
      world.violation(`mallory's ${attack.run.name} on ${victim.name} expected ${what}; link closed: ${state}`)
    }
    if (attack.greets) {
      wire.say(wire.hello(epoch), rawFrame(frameTypes.READY, 0, wire.proof()))
      await expect('to be greeted', () => wire.isReady, 12_000)
      if (!wire.isReady) return
    }
    await attack.run({
      wire,
      random,
      epoch,
      accountBytes: limits.accountBytes ?? defaultLimits.accountBytes,
      sleep: (ms) => sleep(process, ms),
      again: () => this.#dial(process, victim),
      stolenSessionId: () => this.#stolenSessionId(),
      expect,
    })
    if (random.chance(0.5)) wire.link.close()
    else wire.link.abort()
  }

  async #dial(process: Process, victim: WorldNode): Promise<RawWire | undefined> {
    const { world } = this.#options
    try {
      const link = await simulatedTransport(world.network, process).dial(addressOf(victim.host), {
        remoteId: victim.id,
      })
      return new RawWire(link, process.host.identity.id, process, (text) => world.violation(text))
    } catch {
      // It is down at the moment.
      return undefined
    }
  }

  /** What two honest nodes call a session of theirs: nobody else should know, and it should be of no use to those who do. */
  #stolenSessionId(): Uint8Array {
    for (const [end] of this.#options.world.network.links)
      if (end.process.host.name !== 'mallory') return end.binding.slice(0, 16)
    return new Uint8Array(16)
  }
}
