import { PlaitError, type ErrorCode } from '../../src/base/error.ts'
import type { Limits } from '../../src/base/limits.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { Peer, PlaitNode } from '../../src/node/node-api.ts'
import type { SeededRandom } from '../../src/runtime/simulated/random.ts'
import type { Process, World, WorldNode } from '../../src/testing/index.ts'
import { drawFragment, fieldsOf, type Sent } from './pattern.ts'
import { drawPlan, refusalsByService, type CircuitPlan } from './plan.ts'
import { CircuitRecord } from './record.ts'
import { Script } from './script.ts'
import { registerServices } from './services.ts'

/** What an open may end with when something has happened between the two nodes, or to one of them. */
const troubledCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'LINK_LOST',
  'UNREACHABLE',
  'PEER_RESTARTED',
  'GOING_AWAY',
  'NODE_CLOSED',
  'HANDSHAKE_TIMEOUT',
  'CLOSE_TIMEOUT',
  'REASSEMBLY_TIMEOUT',
])

/** What was started from afar, or the peer that opened a circuit, goes with its process. */
const goneCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['UNKNOWN_PEER', 'UNKNOWN_SERVICE'])

const failingCodes: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['SERVICE_FAILED', 'ABORTED', 'UNKNOWN_PEER'])

/** With such a window a session survives every link that breaks: its silence is noticed, and several new ones can be tried. */
const patientMs = 20_000

export interface Profile {
  readonly limits: Partial<Limits>
  readonly resumeMs: number
  readonly opensPerProcess: number
  readonly activeMs: number
  /** Everybody dials everybody at the same moment. */
  readonly startsAtOnce: boolean
}

/** Nodes that open circuits to one another and use them as planned, and the records of all that. */
export class Workload {
  readonly world: World
  readonly nodes: WorldNode[] = []
  readonly records: CircuitRecord[] = []
  delivered = 0
  /** All faults are over, and whatever they broke has been found out. */
  isHealed = false
  /** Nodes that are about to close, or have closed and come back later. */
  leaving = 0
  /** Kept because this is asked after every event. */
  #unfinished: CircuitRecord | undefined
  readonly #recordsByKey = new Map<string, CircuitRecord>()
  readonly #plansByRecord = new Map<CircuitRecord, CircuitPlan>()
  readonly #random: SeededRandom
  readonly #profile: Profile

  constructor(world: World, names: readonly string[], profile: Profile) {
    this.world = world
    this.#profile = profile
    this.#random = world.random.fork('circuits')
    const options = {
      limits: profile.limits,
      resumeMs: profile.resumeMs,
      application: { name: 'simulation', version: '1' },
    }
    for (const name of names)
      this.nodes.push(world.addNode(name, options, (node, process) => this.#populate(node, process)))
  }

  /** For so long circuits are opened, in virtual milliseconds. */
  get activeMs(): number {
    return this.#profile.activeMs
  }

  /** Everything that was begun has ended. */
  get isIdle(): boolean {
    if (this.#unfinished?.isOver !== false) this.#unfinished = this.records.find((record) => !record.isOver)
    return this.#unfinished === undefined
  }

  /** Opens a circuit from a peer, drives this end of it as planned, and resolves when it is over. Never rejects. */
  async open(peer: Peer, process: Process, target: WorldNode, plan: CircuitPlan): Promise<CircuitRecord> {
    const record = this.#record(process.host.name, target.name, plan)
    const random = this.#random.fork(record.key)
    record.opener.process = process
    const first: Sent = { ...drawFragment(random, 'tiny'), subject: record.key }
    try {
      const url = plan.starts ? await this.#startRemote(process, target, plan) : `${target.address}/${plan.service}`
      const circuit = await this.#request(peer, process, url, plan, record, first)
      record.isSettled = true
      this.#checkAccepted(record, plan)
      await this.#run(record, circuit, process, plan, random, first)
    } catch (error) {
      record.isSettled = true
      this.#checkRefused(record, plan, error)
    }
    return record
  }

  /** Drives the other end of a circuit that was taken from `peer.incoming`. Never rejects. */
  async accept(peer: Peer, process: Process, circuit: Circuit): Promise<void> {
    let first
    try {
      first = await circuit.read()
    } catch (error) {
      if (!PlaitError.is(error)) this.world.violation(`a circuit of ${peer.url} failed untyped: ${String(error)}`)
    }
    if (first === undefined) return void circuit.close()
    const record = this.#recordsByKey.get(first.subject)
    if (record === undefined)
      return this.world.violation(`${peer.url} has got a circuit that nobody has opened: ${first.subject}`)
    const end = record.acceptor
    if (end.process !== undefined) return this.world.violation(`${record.key} was accepted twice`)
    if (end.name !== process.host.name)
      return this.world.violation(`${record.key} came to ${process.host.name} instead of ${end.name}`)
    end.process = process
    record.deliver(end, first)
    this.delivered += 1
    const plan = this.#plansByRecord.get(record) as CircuitPlan
    const random = this.#random.fork(`${record.key} acceptor`)
    const script = this.#script(record, end, plan.acceptor, random, circuit, process)
    if (plan.opensBack && plan.service !== 'failing') void this.#openBack(circuit, process, record)
    await script.run()
  }

  #populate(node: PlaitNode, process: Process): void {
    const violation = (text: string): void => this.world.violation(text)
    registerServices(node, (peer, circuit) => this.accept(peer, process, circuit), violation)
    const peer = node.peer('visitor', { open: 'anyone' })
    void (async () => {
      for await (const circuit of peer.incoming) void this.accept(peer, process, circuit)
    })()
    void this.#act(peer, process)
  }

  /** Opens circuits now and then for as long as the world is active. */
  async #act(peer: Peer, process: Process): Promise<void> {
    const random = this.#random.fork(`${process.host.name} ${process.epoch}`)
    const { activeMs, opensPerProcess, startsAtOnce } = this.#profile
    const others =
      this.nodes.length > 1 ? () => random.pick(this.nodes.filter(({ name }) => name !== process.host.name)) : undefined
    for (let index = 0; others !== undefined && index < opensPerProcess; index += 1) {
      const isFirst = startsAtOnce && index === 0
      await sleep(process, isFirst ? 1 : (random.real() * 2 * activeMs) / opensPerProcess)
      if (this.world.now > activeMs) return
      void this.open(peer, process, others(), drawPlan(random))
    }
  }

  async #startRemote(process: Process, target: WorldNode, plan: CircuitPlan): Promise<string> {
    const node = this.nodes.find(({ name }) => name === process.host.name)?.node as PlaitNode
    return node.startRemote(target.address, plan.service, plan.version === undefined ? {} : { version: plan.version })
  }

  async #request(
    peer: Peer,
    process: Process,
    url: string,
    plan: CircuitPlan,
    record: CircuitRecord,
    first: Sent,
  ): Promise<Circuit> {
    const controller = plan.cancelAfterMs === undefined ? undefined : new AbortController()
    if (plan.first) record.flows[0].send(first)
    if (plan.cancelAfterMs !== undefined) {
      process.runtime.timers.after(plan.cancelAfterMs, () => {
        if (!record.isSettled) record.opener.aborted = true
        controller?.abort(new Error(`${record.key} is not wanted any more`))
      })
    }
    return peer.open(url, plan.first ? fieldsOf(first) : undefined, {
      ...(controller === undefined ? {} : { signal: controller.signal }),
      ...(plan.version === undefined ? {} : { version: plan.version }),
    })
  }

  async #run(
    record: CircuitRecord,
    circuit: Circuit,
    process: Process,
    plan: CircuitPlan,
    random: SeededRandom,
    first: Sent,
  ): Promise<void> {
    const script = this.#script(record, record.opener, plan.opener, random, circuit, process)
    if (!plan.first) await script.begin(first)
    await script.run()
  }

  async #openBack(circuit: Circuit, process: Process, record: CircuitRecord): Promise<void> {
    const plan: CircuitPlan = {
      ...drawPlan(this.#random),
      service: 'talk',
      first: true,
      starts: true,
      opensBack: false,
      version: undefined,
    }
    const back = this.#record(process.host.name, record.opener.name, plan)
    const random = this.#random.fork(back.key)
    const first: Sent = { ...drawFragment(random, 'tiny'), subject: back.key }
    back.opener.process = process
    back.flows[0].send(first)
    try {
      const opened = await circuit.open(fieldsOf(first))
      back.isSettled = true
      await this.#run(back, opened, process, plan, random, first)
    } catch (error) {
      back.isSettled = true
      this.#checkRefused(back, plan, error)
    }
  }

  #script(
    record: CircuitRecord,
    end: CircuitRecord['opener'],
    plan: CircuitPlan['opener'],
    random: SeededRandom,
    circuit: Circuit,
    process: Process,
  ): Script {
    const delivered = (): void => void (this.delivered += 1)
    return new Script({ record, end, plan, random, circuit, sleep: (ms) => sleep(process, ms), delivered })
  }

  #record(from: string, to: string, plan: CircuitPlan): CircuitRecord {
    const key = `circuit ${this.records.length} ${from} ${to} ${plan.service}`
    // A link that was broken in silence may be found out long after; in the healed world nothing is excused.
    const before = this.isHealed ? this.#excuses(from, to) : 0
    const record = new CircuitRecord(key, from, to, {
      now: () => this.world.now,
      excuses: (code) => {
        if (plan.service === 'failing' && failingCodes.has(code)) return true
        if (code === 'BUDGET' && this.#profile.limits.accountBytes !== undefined) return true
        // A link that breaks under the last READY leaves a session that only one end has: nothing can have arrived on it.
        const neverArrived = record.acceptor.process === undefined && this.world.breaks(from, to) > 0
        if (code === 'LINK_LOST' && neverArrived && !this.isHealed) return true
        const isCausedByTrouble = troubledCodes.has(code) || (plan.starts && goneCodes.has(code))
        return isCausedByTrouble && this.#excuses(from, to) > before
      },
      violation: (text) => this.world.violation(text),
    })
    this.records.push(record)
    this.#recordsByKey.set(key, record)
    this.#plansByRecord.set(record, plan)
    return record
  }

  /** What may have ended a session: a broken link is no excuse where there is time for another one. */
  #excuses(from: string, to: string): number {
    const breaks = this.#profile.resumeMs < patientMs ? this.world.breaks(from, to) : 0
    return this.world.troubles(from, to) + breaks
  }

  #checkAccepted(record: CircuitRecord, plan: CircuitPlan): void {
    const isForbidden = plan.service === 'secret' || plan.service === 'nothing' || plan.service === 'shy'
    if (isForbidden || plan.version === 3) record.violation(`${record.key} was accepted`)
  }

  #checkRefused(record: CircuitRecord, plan: CircuitPlan, error: unknown): void {
    record.refusal = error
    if (
      plan.cancelAfterMs !== undefined &&
      error instanceof Error &&
      error.message === `${record.key} is not wanted any more`
    )
      return
    if (!PlaitError.is(error))
      return record.violation(
        `the open of ${record.key} failed untyped: ${error instanceof Error ? error.stack : String(error)}`,
      )
    const refusals = refusalsByService[plan.service]
    const isRight = refusals.includes(error.code) && !(error.code === 'VERSION_MISMATCH' && plan.version === 2)
    if (!isRight) record.fail(record.opener, error)
    if (isRight && record.acceptor.circuit !== undefined && plan.service !== 'failing')
      record.violation(`${record.key} was refused and accepted`)
  }
}

/** On the clock of a process: it never comes back from here when the process has ended. */
export function sleep({ runtime }: Process, ms: number): Promise<void> {
  return new Promise((resolve) => void runtime.timers.after(ms, resolve))
}
