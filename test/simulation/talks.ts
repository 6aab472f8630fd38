import { PlaitError } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import { MessageSection } from '../../src/message/message-stats.ts'
import type { Messenger } from '../../src/message/messenger-api.ts'
import { messenger } from '../../src/message/messenger.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import type { Process, SeededRandom, World, WorldNode } from '../../src/testing/index.ts'
import { Ask, Count, Hold } from './message-types.ts'
import { sleep } from './workload.ts'

/** An exchange as it is seen from outside: who has begun it, and how often it has come to an end there. */
interface Record {
  readonly name: string
  readonly process: Process
  settled: number
}

/** One end of a circuit at work. */
interface End {
  readonly messages: Messenger
  readonly process: Process
  readonly random: SeededRandom
  /** The other end keeps to no rule: what it says is not held against this one. */
  readonly isStrange: boolean
}

/** Honest nodes that talk to one another, and the records of all that. */
export class Talks {
  readonly nodes: WorldNode[] = []
  /** One that keeps to no rule; it is talked to like the others. */
  stranger: WorldNode | undefined
  readonly #world: World
  readonly #activeMs: number
  readonly #ends: End[] = []
  readonly #records: Record[] = []
  /** Questions that a handler has begun to answer. */
  readonly #served = new Set<string>()

  constructor(world: World, activeMs: number) {
    this.#world = world
    this.#activeMs = activeMs
  }

  /** Sets a node to work. */
  populate(node: PlaitNode, process: Process): void {
    const random = this.#world.random.fork(process.host.name)
    node.register('messages', { open: 'anyone', start: 'anyone' }, async (peer) => {
      for await (const circuit of peer.incoming) this.#join(circuit, process, random)
    })
    const restMs = Math.max(0, this.#activeMs * 0.7 - this.#world.now)
    for (let index = 0; index < 3; index += 1)
      process.runtime.timers.after(random.real() * restMs, () => void this.#talk(node, process, random))
  }

  /** Fragments that circuits of this world have received, as far as their nodes live. */
  get delivered(): number {
    return this.nodes.reduce((sum, { node }) => sum + (node?.stats().fragments.received ?? 0), 0)
  }

  /** The stranger has said a last word, right or wrong, on all that it was asked: none of it may be left. */
  checkStrange(): void {
    for (const { messages, process, isStrange } of this.#ends)
      if (isStrange && !process.scope.ended && messages.live > 0)
        this.#world.violation(`${process.host.name} keeps ${messages.live} exchanges that the stranger has ended`)
  }

  /** Each exchange has settled once, unless its process has died first, and nothing is left of any. */
  check(): void {
    for (const { name, process, settled } of this.#records)
      if (settled > 1 || (settled === 0 && !process.scope.ended))
        this.#world.violation(`${name} of ${process.host.name} has settled ${settled} times`)
    for (const { messages, process } of this.#ends) {
      if (process.scope.ended) continue
      const { live, circuit } = messages
      if (live > 0) this.#world.violation(`${live} exchanges are left on ${circuit.id} of ${circuit.local}`)
      const { streamsLive } = MessageSection.of(circuit.context).read()
      if (streamsLive !== 0) this.#world.violation(`${process.host.name} counts ${streamsLive} live streams`)
    }
  }

  async #talk(node: PlaitNode, process: Process, random: SeededRandom): Promise<void> {
    const others = this.nodes.filter(({ name }) => name !== process.host.name)
    const target = random.pick(this.stranger === undefined ? others : [...others, this.stranger])
    try {
      const circuit = await node.peer(`talk ${random.integer(0, 1e9)}`).open(`${target.address}/messages`)
      await this.#say(this.#join(circuit, process, random))
    } catch (error) {
      this.#typed(error)
    }
  }

  /** One end of a circuit: it serves, and checks what comes. */
  #join(circuit: Circuit, process: Process, random: SeededRandom): End {
    const messages = messenger(circuit, {
      maxInFlight: random.integer(1, 4),
      maxHandlers: 2,
      accept: random.chance(0.5) ? ['gzip'] : [],
      compressFromBytes: 64,
    })
    const end = { messages, process, random, isStrange: circuit.context.remoteId === this.stranger?.id }
    this.#ends.push(end)
    messages.handle(Ask, async ({ question, afterMs, paddingBytes }) => {
      if (this.#served.has(question) && !end.isStrange) this.#world.violation(`${question} was served twice`)
      this.#served.add(question)
      if (afterMs > 0) await sleep(process, afterMs)
      return answerTo(question, paddingBytes)
    })
    let posted = 0
    messages.handle(Count, (number) => {
      if (number !== posted) this.#wrong(end, `post ${number} came instead of ${posted}`)
      posted += 1
      return number
    })
    messages.handle(Hold, (_message, { signal }) => {
      return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
    })
    messages.handleStream(Count, async (first, _context, stream) => {
      let next = first
      stream.send(next)
      if (first % 5 === 4) stream.end()
      if (first % 3 === 0 || first % 5 === 4) return
      for await (const item of stream) {
        next += 1
        if (item !== next) this.#wrong(end, `item ${item} of a stream came instead of ${next}`)
        if (!stream.send(item)) await stream.ready()
        if (first % 3 === 1 && next === first + 5) stream.close()
      }
    })
    messages.handleStream(Hold, (_first, _context, { closed }) => closed)
    return end
  }

  /** Says this and that, waits for what it has asked, and closes the circuit. */
  async #say(end: End): Promise<void> {
    try {
      await this.#chatter(end)
    } finally {
      await end.messages.close()
    }
  }

  async #chatter(end: End): Promise<void> {
    const { messages, process, random } = end
    let posts = 0
    for (let turn = 0; turn < 20; turn += 1) {
      const lot = random.real()
      if (lot < 0.3) {
        for (let count = random.integer(1, 30); count > 0; count -= 1) messages.post(Count, posts++)
      } else if (lot < 0.75) {
        for (let count = random.integer(1, 9); count > 0; count -= 1) void this.#ask(end)
      } else void this.#stream(end)
      await sleep(process, random.logarithmic(1, 400))
    }
  }

  async #ask(end: End): Promise<void> {
    const { messages, process, random } = end
    const record = this.#record('question', process)
    const question = record.name
    const controller = new AbortController()
    if (random.chance(0.3)) process.runtime.timers.after(random.logarithmic(1, 200), () => controller.abort(cancelled))
    const afterMs = random.chance(0.5) ? 0 : random.logarithmic(1, 300)
    const paddingBytes = random.chance(0.9) ? 0 : random.integer(100, 5_000)
    const deadlineMs = random.chance(0.5) ? random.logarithmic(5, 300) : 5_000
    const options = { signal: controller.signal, deadlineMs }
    try {
      const answer = await messages.request(Ask, { question, afterMs, paddingBytes }, options)
      if (answer !== answerTo(question, paddingBytes)) this.#wrong(end, `${question} was answered with ${answer}`)
    } catch (error) {
      this.#typed(error)
    }
    record.settled += 1
  }

  async #stream(end: End): Promise<void> {
    const { messages, process, random } = end
    const record = this.#record('stream', process)
    const first = random.integer(0, 1_000)
    const items = random.chance(0.2) ? 600 : random.integer(0, 40)
    const leavesAfter = random.chance(0.3) ? random.integer(1, 10) : Infinity
    try {
      const stream = messages.stream(Count, first, random.chance(0.3) ? { deadlineMs: 200 } : { deadlineMs: 10_000 })
      for (let item = 1; item <= items; item += 1) stream.send(first + item)
      if (random.chance(0.7)) stream.end()
      let next = first
      for await (const item of stream) {
        if (item !== next) this.#wrong(end, `item ${item} came back instead of ${next}`)
        next += 1
        if (next - first >= leavesAfter) break
      }
      await stream.closed
    } catch (error) {
      this.#typed(error)
    }
    record.settled += 1
  }

  #record(kind: string, process: Process): Record {
    const record = { name: `${kind} ${this.#records.length}`, process, settled: 0 }
    this.#records.push(record)
    return record
  }

  #wrong({ isStrange }: End, what: string): void {
    if (!isStrange) this.#world.violation(what)
  }

  #typed(error: unknown): void {
    if (error !== cancelled && !PlaitError.is(error)) this.#world.violation(`failed untyped: ${String(error)}`)
  }
}

const cancelled = new Error('not wanted any more')

function answerTo(question: string, paddingBytes: number): string {
  return `${question}!${'='.repeat(paddingBytes)}`
}
