import { assert } from '../base/assert.ts'
import { PlaitError } from '../base/error.ts'
import { simulatedIdentity } from '../identity/simulated.ts'
import type { Identity } from '../identity/identity.ts'
import { SimulatedDisk } from '../runtime/simulated/disk.ts'
import { CountingProbe } from '../runtime/simulated/probe.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { Scheduler } from '../runtime/simulated/scheduler.ts'
import { simulatedRuntime } from '../runtime/simulated/simulated-runtime.ts'
import { stepTurns } from '../runtime/system/turn.ts'
import { Network } from './network.ts'
import type { Path, PathConditions } from './path.ts'
import type { Host, Process } from './process.ts'
import type { SimulatedLink } from './simulated-link.ts'
import { Trace } from './trace.ts'
import { WorldNode, type Populate, type WorldNodeOptions } from './world-node.ts'

export interface WorldOptions {
  /** Everything in the world follows from it; 3 and '3' are the same one. */
  readonly seed: number | string
  /** Fixed conditions for every way between two hosts; drawn from the seed where absent. */
  readonly conditions?: Partial<PathConditions>
  /** Timers are up to a millisecond early and two late, as real ones are. Drawn from the seed when absent. */
  readonly timerErrors?: boolean
  /** Given a line for each event of the trace, to compare two runs by eye. */
  readonly print?: (line: string) => void
}

export interface CrashOptions {
  /**
   * The whole machine goes dark and answers nothing until its restart, and its disk loses what was not synced. Else only the
   * process dies.
   */
  readonly power?: boolean
}

/** A shorter standstill is no reason to give a link up. */
const harmlessPauseMs = 1_500

/** Keys are dear to make and the same for every seed; which hosts have which depends on the seed. */
const identities: Identity[] = []
const identityCount = 32

/** A world in which nothing is and nothing has happened yet. */
export function createWorld(options: WorldOptions): World {
  return new World(options)
}

/**
 * Machines, the network between them and the time in which they live, all of it following from one seed. Nothing happens
 * outside `run` and `settle`. Whoever drives two worlds gets two worlds: they share nothing.
 */
export class World {
  readonly seed: number | string
  /** For whoever populates the world. */
  readonly random: SeededRandom
  /** The time of the world, for what is to happen at a certain moment: `world.scheduler.at(5_000, () => world.cut('a', 'b'))`. */
  readonly scheduler: Scheduler
  /** How often plait itself has taken each of its rare branches. */
  readonly probe: CountingProbe = new CountingProbe()
  /** For hosts that run something other than a node. */
  readonly network: Network
  /** What must never happen and has, each with its time: from `violation`, and from the world itself. */
  readonly violations: string[] = []
  readonly #marks = new Map<string, number>()
  readonly #trace: Trace
  readonly #timerErrors: boolean
  readonly #identityNumbers: number[]
  readonly #processRandom: SeededRandom
  readonly #startsByHost = new Map<Host, (process: Process) => void>()
  readonly #heals = new Set<() => void>()
  #faults = 0
  #isRunning = false

  constructor(options: WorldOptions) {
    const random = new SeededRandom(options.seed)
    this.seed = options.seed
    this.random = random.fork('workload')
    this.#processRandom = random.fork('processes')
    this.#timerErrors = options.timerErrors ?? random.chance(0.5)
    this.#identityNumbers = random.shuffle(Array.from({ length: identityCount }, (_, index) => index))
    this.scheduler = new Scheduler()
    this.#trace = new Trace(options.print)
    this.network = new Network({
      scheduler: this.scheduler,
      random: random.fork('network'),
      trace: this.#trace,
      violation: (text) => this.violation(text),
      ...(options.conditions === undefined ? {} : { conditions: options.conditions }),
    })
  }

  /** Virtual milliseconds since the beginning. */
  get now(): number {
    return this.scheduler.now
  }

  /** Events of the network so far. */
  get events(): number {
    return this.#trace.events
  }

  /** Faults so far: cuts, blockades, crashes and the like that found something to break. */
  get faults(): number {
    return this.#faults
  }

  /** Changes with every event, its time, its node and its bytes: two runs with the same hash were the same. */
  hash(): string {
    return this.#trace.digest()
  }

  /** Adds something of the workload's to the trace. */
  note(name: string, text: string): void {
    this.#trace.record(this.now, this.host(name).number, 'note', 0)
    this.#trace.text(text)
  }

  /** How often each rare thing of the workload's has happened, by the label given to `mark`. */
  get marks(): ReadonlyMap<string, number> {
    return this.#marks
  }

  /** Counts something rare, to prove that a scenario reaches it; see `reaches` of `runSeeds`. */
  mark(label: string): void {
    this.#marks.set(label, (this.#marks.get(label) ?? 0) + 1)
  }

  /** Reports what must never happen. The world goes on; whoever drives it looks at `violations`, as `runSeeds` does. */
  violation(text: string): void {
    this.violations.push(`${this.now.toFixed(3)} ms: ${text}`)
  }

  /** Adds a machine and starts its process; `start` runs again at each restart. */
  addHost(name: string, start: (process: Process) => void): Host {
    const { hosts } = this.network
    assert(!hosts.some((host) => host.name === name), `there is a host ${name} already`)
    const number = hosts.length
    const host: Host = {
      name,
      number,
      address: `10.0.${number >> 8}.${(number & 255) + 1}`,
      identity: this.#identity(number),
      disk: new SimulatedDisk(),
      random: this.#processRandom.fork(name),
      isPowered: true,
      epochs: 0,
      ends: 0,
      process: undefined,
    }
    hosts.push(host)
    this.#startsByHost.set(host, start)
    this.#start(host)
    return host
  }

  /** Adds a machine that runs a plait node; `populate` is given each new one, to register its services and set it to work. */
  addNode(name: string, options: WorldNodeOptions, populate: Populate): WorldNode {
    return new WorldNode(this, name, options, populate)
  }

  /** The machine of this name, which has been added. */
  host(name: string): Host {
    const host = this.network.hosts.find((candidate) => candidate.name === name)
    assert(host !== undefined, `there is no host ${name}`)
    return host
  }

  /**
   * Lets time pass until `until`: a time in milliseconds, or a condition, which is looked at after each instant. False when the
   * condition did not come true before `limitMs` from now, or nothing is left to happen.
   */
  async run(until: number | (() => boolean), limitMs: number = Number.POSITIVE_INFINITY): Promise<boolean> {
    assert(!this.#isRunning, 'the world is running already; only one call of run or settle at a time')
    const isTime = typeof until === 'number'
    const endMs = isTime ? until : this.now + limitMs
    let isDone = false
    this.#isRunning = true
    try {
      await stepTurns(() => {
        isDone = isTime ? this.now >= until : until()
        return !isDone && this.scheduler.step(endMs)
      })
    } finally {
      this.#isRunning = false
    }
    return isTime || isDone
  }

  /** Lets time pass until `promise` has settled, and gives what it gives. Throws when that takes more than `limitMs`. */
  async settle<Value>(promise: Promise<Value>, limitMs = 600_000): Promise<Value> {
    let isSettled = false
    const settled = (): void => void (isSettled = true)
    promise.then(settled, settled)
    const isDone = await this.run(() => isSettled, limitMs)
    if (!isDone)
      throw new Error(`still waiting after ${limitMs} virtual milliseconds, at ${this.now} ms of seed ${this.seed}`)
    return promise
  }

  /** Breaks the links between two hosts; each end learns it after a delay of its own. */
  cut(one: string, other: string): void {
    const path = this.network.path(this.host(one), this.host(other))
    const links = this.network.between(this.host(one), this.host(other))
    if (links.length > 0) this.#break(one, path)
    for (const ends of links)
      for (const end of ends) path.carry(() => end.fail(new PlaitError('LINK_LOST', 'the network cut the link')))
  }

  /**
   * Breaks the links between two hosts for `one` only: what it has written still arrives, and the other end is told nothing and
   * writes into the void, as when something between them forgets the connection.
   */
  cutAt(one: string, other: string): void {
    const path = this.network.path(this.host(one), this.host(other))
    const links = this.network.between(this.host(one), this.host(other))
    if (links.length > 0) this.#break(one, path)
    const error = new PlaitError('LINK_LOST', 'the network cut the link at this end')
    for (const ends of links) {
      for (const end of ends) {
        if (end.process.host.name === one) path.carry(() => end.lose(error))
        else end.vanish()
      }
    }
  }

  /** The two of these hosts between which the most is on its way, from the first to the second; undefined when nothing is. */
  busiest(names: readonly string[]): readonly [string, string] | undefined {
    let most: readonly [string, string] | undefined
    let mostBytes = 0
    for (const ends of this.network.links) {
      for (const [end, other] of [ends, [ends[1], ends[0]] as const]) {
        const [from, to] = [end.process.host.name, other.process.host.name]
        if (!names.includes(from) || !names.includes(to)) continue
        if (end.isClosed || other.isClosed || end.undeliveredBytes <= mostBytes) continue
        mostBytes = end.undeliveredBytes
        most = [from, to]
      }
    }
    return most
  }

  /** How often the links between two hosts broke while new ones could be made: no excuse for a session that can wait for that. */
  breaks(one: string, other: string): number {
    return this.network.path(this.host(one), this.host(other)).breaks
  }

  /** How often something has happened to two hosts or the way between them that takes time to mend: the excuse of a lost session. */
  troubles(one: string, other: string): number {
    const [host, otherHost] = [this.host(one), this.host(other)]
    return this.network.path(host, otherHost).troubles + host.ends + otherHost.ends
  }

  /** What is written from now on to the present links between two hosts vanishes; with `oneWay` only what `one` writes. */
  halfOpen(one: string, other: string, oneWay = false): void {
    const links = this.network.between(this.host(one), this.host(other))
    if (links.length > 0) this.#break(one, this.network.path(this.host(one), this.host(other)))
    for (const ends of links) for (const end of ends) if (!oneWay || end.process.host.name === one) end.vanish()
  }

  /** Holds everything back between two hosts for a while; nothing is lost. */
  pause(one: string, other: string, forMs: number): void {
    const path = this.network.path(this.host(one), this.host(other))
    this.#fault(one, forMs < harmlessPauseMs ? undefined : path)
    path.block()
    this.scheduler.at(this.now + forMs, () => path.unblock())
  }

  /** Holds everything back between two groups until `heal`, or until the function that it returns is called. */
  partition(group: readonly string[], otherGroup: readonly string[]): () => void {
    this.#fault(group[0] ?? '')
    const paths = group.flatMap((one) => otherGroup.map((other) => this.network.path(this.host(one), this.host(other))))
    for (const path of paths) {
      path.block()
      path.troubles += 1
    }
    const heal = (): void => {
      if (this.#heals.delete(heal)) for (const path of paths) path.unblock()
    }
    this.#heals.add(heal)
    return heal
  }

  /** Ends all partitions. */
  heal(): void {
    for (const heal of this.#heals) heal()
  }

  /** Ends the process of a host at once, in the midst of whatever it does. Nothing of it happens any more. */
  crash(name: string, options: CrashOptions = {}): void {
    const host = this.host(name)
    if (host.process === undefined) return
    this.disturb(name)
    host.isPowered = options.power !== true
    if (options.power === true) host.disk.crash()
    this.end(name)
  }

  /** Counts something that a test does to a host as a fault, and as an excuse for sessions that end. */
  disturb(name: string): void {
    this.host(name).ends += 1
    this.#fault(name)
  }

  /** The process of a host exits: nothing of it happens any more. Not a fault in itself. */
  end(name: string): void {
    const host = this.host(name)
    const { process } = host
    if (process === undefined) return
    this.#trace.record(this.now, host.number, 'crash', 0)
    process.scope.ended = true
    host.process = undefined
    this.network.drop(process, host.isPowered)
  }

  /** Starts a new process on a host that has none, with the same identity and the next epoch. */
  restart(name: string): void {
    const host = this.host(name)
    if (host.process !== undefined) return
    host.isPowered = true
    this.#start(host)
  }

  #start(host: Host): void {
    host.epochs += 1
    const random = host.random.fork(`epoch ${host.epochs}`)
    const scope = { ended: false }
    const errors = random.fork('timers')
    const runtime = simulatedRuntime({
      scheduler: this.scheduler,
      scope,
      random,
      disk: host.disk,
      probe: this.probe,
      ...(this.#timerErrors ? { timerErrorMs: () => errors.real() * 3 - 1 } : {}),
    })
    const process = {
      host,
      epoch: host.epochs,
      scope,
      runtime,
      links: new Set<SimulatedLink>(),
      acceptsByPort: new Map(),
    }
    host.process = process
    this.#trace.record(this.now, host.number, 'start', 0)
    this.#startsByHost.get(host)?.(process)
  }

  #identity(number: number): Identity {
    const key = this.#identityNumbers[number] ?? number
    return (identities[key] ??= simulatedIdentity(Uint8Array.of(key & 255, key >> 8)))
  }

  #break(name: string, path: Path): void {
    path.breaks += 1
    this.#fault(name)
  }

  #fault(name: string, path?: Path): void {
    this.#faults += 1
    if (path !== undefined) path.troubles += 1
    this.#trace.record(this.now, this.host(name).number, 'fault', 0)
  }
}
