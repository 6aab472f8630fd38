import { PlaitError } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import { json } from '../../src/message/codecs/json.ts'
import { utf8 } from '../../src/message/codecs/utf8.ts'
import { defineMessage } from '../../src/message/define-message.ts'
import type { Messenger } from '../../src/message/messenger-api.ts'
import { messenger } from '../../src/message/messenger.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { scheduleFaults, type Process, type World, type WorldNode } from '../../src/testing/index.ts'

const Ask = defineMessage({
  id: 4_096,
  name: 'ask',
  request: json<{ question: string; afterMs: number }>(),
  response: utf8(),
})
const Count = defineMessage({ id: 4_097, name: 'count', request: json<number>() })
const names = ['ada', 'ben', 'cyd']
const activeMs = 20_000

/** Nodes that talk by messages while their links break; every exchange must settle once, typed, and leave nothing behind. */
export async function messageScenario(world: World): Promise<{ readonly nodes: number; readonly delivered: number }> {
  const talks = new Talks(world)
  const limits = { requestsWaiting: 3 }
  const resumeMs = world.random.pick([0, 500, 30_000])
  for (const name of names)
    talks.nodes.push(world.addNode(name, { limits, resumeMs }, (node, process) => talks.populate(node, process)))
  scheduleFaults(world, world.random.fork('faults'), {
    names,
    fromMs: 500,
    untilMs: activeMs,
    count: world.random.integer(0, 12),
    kinds: ['cut', 'cutAtOneEnd', 'halfOpen', 'pause', 'longPause'],
  })
  await world.run(activeMs)
  await world.run(90_000)
  talks.check()
  return { nodes: names.length, delivered: talks.delivered }
}

class Talks {
  readonly nodes: WorldNode[] = []
  readonly #world: World
  readonly #messengers: Messenger[] = []
  #begun = 0
  #settled = 0

  constructor(world: World) {
    this.#world = world
  }

  populate(node: PlaitNode, process: Process): void {
    const random = this.#world.random.fork(process.host.name)
    node.register('messages', { open: 'anyone', start: 'anyone' }, async (peer) => {
      for await (const circuit of peer.incoming) this.#join(circuit, process, random)
    })
    for (let index = 0; index < 3; index += 1) {
      process.runtime.timers.after(random.real() * activeMs * 0.7, () => void this.#talk(node, process, random))
    }
  }

  /** Fragments that circuits of this world have received, as far as their nodes live. */
  get delivered(): number {
    return this.nodes.reduce((sum, { node }) => sum + (node?.stats().fragments.received ?? 0), 0)
  }

  /** Nothing is left of all that was begun. */
  check(): void {
    if (this.#settled !== this.#begun)
      this.#world.violation(`${this.#settled} of ${this.#begun} exchanges have settled`)
    for (const { live, circuit } of this.#messengers)
      if (live > 0) this.#world.violation(`${live} exchanges are left on ${circuit.id} of ${circuit.local}`)
  }

  async #talk(node: PlaitNode, process: Process, random: SeededRandom): Promise<void> {
    const target = random.pick(this.nodes.filter(({ name }) => name !== process.host.name))
    try {
      const circuit = await node.peer(`talk ${random.integer(0, 1e9)}`).open(`${target.address}/messages`)
      await this.#say(this.#join(circuit, process, random), process, random)
    } catch (error) {
      if (!PlaitError.is(error)) this.#world.violation(`a talk failed untyped: ${String(error)}`)
    }
  }

  /** One end of a circuit: it serves, and checks what comes. */
  #join(circuit: Circuit, process: Process, random: SeededRandom): Messenger {
    const messages = messenger(circuit, { maxInFlight: random.integer(1, 4), maxHandlers: 2 })
    this.#messengers.push(messages)
    let posted = 0
    messages.handle(Ask, async ({ question, afterMs }) => {
      if (afterMs > 0) await sleep(process, afterMs)
      return `${question}!`
    })
    messages.handle(Count, (number) => {
      if (number !== posted) this.#world.violation(`post ${number} came instead of ${posted}`)
      posted += 1
      return number
    })
    messages.handleStream(Count, async (first, _context, stream) => {
      let next = first
      stream.send(next)
      if (first % 5 === 4) stream.end()
      if (first % 3 === 0 || first % 5 === 4) return
      for await (const item of stream) {
        next += 1
        if (item !== next) this.#world.violation(`item ${item} of a stream came instead of ${next}`)
        if (!stream.send(item)) await stream.ready()
        if (first % 3 === 1 && next === first + 5) stream.close()
      }
    })
    return messages
  }

  async #say(messages: Messenger, process: Process, random: SeededRandom): Promise<void> {
    let posts = 0
    for (let turn = 0; turn < 20; turn += 1) {
      const lot = random.real()
      if (lot < 0.3) {
        for (let count = random.integer(1, 30); count > 0; count -= 1) messages.post(Count, posts++)
      } else if (lot < 0.75) {
        for (let count = random.integer(1, 9); count > 0; count -= 1) void this.#ask(messages, process, random)
      } else void this.#stream(messages, random)
      await sleep(process, random.logarithmic(1, 400))
    }
    await messages.close()
  }

  async #ask(messages: Messenger, process: Process, random: SeededRandom): Promise<void> {
    this.#begun += 1
    const question = `question ${this.#begun}`
    const controller = new AbortController()
    if (random.chance(0.3)) process.runtime.timers.after(random.logarithmic(1, 200), () => controller.abort(cancelled))
    const request = { question, afterMs: random.chance(0.5) ? 0 : random.logarithmic(1, 300) }
    const deadlineMs = random.chance(0.5) ? random.logarithmic(5, 300) : 5_000
    try {
      const answer = await messages.request(Ask, request, { signal: controller.signal, deadlineMs })
      if (answer !== `${question}!`) this.#world.violation(`${question} was answered with ${answer}`)
    } catch (error) {
      this.#typed(error)
    }
    this.#settled += 1
  }

  async #stream(messages: Messenger, random: SeededRandom): Promise<void> {
    this.#begun += 1
    const first = random.integer(0, 1_000)
    const items = random.chance(0.2) ? 600 : random.integer(0, 40)
    const leavesAfter = random.chance(0.3) ? random.integer(1, 10) : Infinity
    try {
      const stream = messages.stream(Count, first, random.chance(0.3) ? { deadlineMs: 200 } : { deadlineMs: 10_000 })
      for (let item = 1; item <= items; item += 1) stream.send(first + item)
      if (random.chance(0.7)) stream.end()
      let next = first
      for await (const item of stream) {
        if (item !== next) this.#world.violation(`item ${item} came back instead of ${next}`)
        next += 1
        if (next - first >= leavesAfter) break
      }
      await stream.closed
    } catch (error) {
      this.#typed(error)
    }
    this.#settled += 1
  }

  #typed(error: unknown): void {
    if (error !== cancelled && !PlaitError.is(error)) this.#world.violation(`failed untyped: ${String(error)}`)
  }
}

const cancelled = new Error('not wanted any more')

function sleep(process: Process, elapsedMs: number): Promise<void> {
  return new Promise((resolve) => void process.runtime.timers.after(elapsedMs, resolve))
}
