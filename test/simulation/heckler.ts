import type { ErrorCode } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import type { Process, SeededRandom, World, WorldNode } from '../../src/testing/index.ts'
import { heckles } from './heckles.ts'
import { misanswer } from './misanswer.ts'
import { RawMessages } from './raw-messages.ts'
import { sleep } from './workload.ts'

/** Longer than any fault of these worlds keeps a healthy end from answering. */
const patienceMs = 30_000

/** What a circuit ends with when something has happened to the other end, or to the way there. */
const troubledCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['LINK_LOST', 'PEER_RESTARTED', 'GOING_AWAY'])

/**
 * A node whose sessions and circuits are in order, and whose messages keep to no rule. It asks the other nodes in all the wrong ways, and
 * sees to it that each ends what is wrong, with the right code, and nothing else; when it is asked it answers as wrongly.
 */
export class Heckler {
  readonly node: WorldNode
  readonly #world: World
  readonly #victims: readonly WorldNode[]
  readonly #activeMs: number

  constructor(world: World, victims: readonly WorldNode[], activeMs: number) {
    this.#world = world
    this.#victims = victims
    this.#activeMs = activeMs
    this.node = world.addNode('mallory', { resumeMs: 30_000 }, (node, process) => this.#populate(node, process))
  }

  #populate(node: PlaitNode, process: Process): void {
    const random = this.#world.random.fork('mallory')
    node.register('messages', { open: 'anyone', start: 'anyone' }, async (peer) => {
      for await (const circuit of peer.incoming) misanswer(new RawMessages(circuit), random, process)
    })
    for (let index = random.integer(1, 6); index > 0; index -= 1) {
      process.runtime.timers.after(
        random.real() * this.#activeMs,
        () => void this.#heckle(node, process, random.pick(this.#victims), random.fork(`heckle ${index}`)),
      )
    }
  }

  async #heckle(node: PlaitNode, process: Process, victim: WorldNode, random: SeededRandom): Promise<void> {
    const [name, heckle] = random.pick(Object.entries(heckles))
    const peer = node.peer(`heckler ${random.integer(0, 1e9)}`)
    const { ends } = victim.host
    let circuits: readonly [Circuit, Circuit]
    try {
      circuits = [await peer.open(`${victim.address}/messages`), await peer.open(`${victim.address}/messages`)]
    } catch {
      // It is down at the moment.
      return
    }
    const [wire, bystander] = [new RawMessages(circuits[0]), new RawMessages(circuits[1])]
    const expect = async (what: string, isDone: () => boolean, on = wire): Promise<boolean> => {
      await on.until(isDone, process, patienceMs)
      if (isDone()) return true
      const isTroubled = victim.host.ends !== ends || (on.error !== undefined && troubledCodes.has(on.error.code))
      const state = `the circuit is ${on.circuit.state}, ${String(on.error)}`
      if (!isTroubled) this.#world.violation(`${name} on ${victim.name}: mallory expected ${what}; ${state}`)
      return false
    }
    // Whatever is wrong with an exchange, or with a circuit, the others go on.
    if (await heckle.run({ wire, random, expect })) {
      if (heckle.ends) await expect('the circuit to end', () => wire.error?.code === 'PROTOCOL')
      else await expect('an answer on the same circuit', wire.ping())
      await expect('an answer on another circuit', bystander.ping(), bystander)
    }
    await sleep(process, random.logarithmic(1, 1_000))
    for (const circuit of circuits) {
      if (random.chance(0.5)) circuit.abort()
      else void circuit.close()
    }
  }
}
