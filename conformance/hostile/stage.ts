import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { fullCounts } from '../counts.ts'
import { seed } from '../seed.ts'
import { nodeProcessors, otherProcessors } from './processors.ts'
import { startProgram } from '../support/process.ts'
import type { Program } from '../support/process.ts'

const MiB = 1024 * 1024

/** How a node fares, in bytes and ms; what is measured is since the last report. */
export interface TargetReport {
  readonly memory: number
  readonly budget: number
  readonly sessions: number
  readonly connecting: number
  readonly sockets: number
  readonly refused: number
  /**
   * The longest time without a turn of the event loop: by the wall, how much of one the process has worked, its threads that collect
   * garbage included, and how much of one the thread of the loop itself.
   */
  readonly stallMs: number
  readonly busyMs: number
  readonly ownMs: number
  /** How much of a processor it has used. */
  readonly cores: number
  /** The part of the time in which it could have run, and others had its processor. */
  readonly waited: number
}

/** What an honest node has got, in ms and bytes. */
export interface HonestReport {
  readonly requests: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly most: number
  readonly bytesPerSecond: number
  /** The longest time that a new session took. */
  readonly dialMs: number
  readonly cores: number
  /** What has happened to its own session. */
  readonly events: readonly string[]
}

/** What has become of the connections of an attack. */
export interface AttackReport {
  readonly rounds: number
  /** Connections that time was up for. */
  readonly cut: number
  /** How often no session was to be had. */
  readonly unreached: number
  /** From the last byte to the end of the connection. */
  readonly latestMs: number
  /** Connections that were not ended in 2 s. */
  readonly open: number
  /** What the node said at their end, and of circuits that it reset. */
  readonly codes: Readonly<Record<string, number>>
  readonly resets: Readonly<Record<string, number>>
}

/** A program that reports when it gets a signal. */
export class Reporting<Report> {
  readonly program: Program
  #reports = 0

  constructor(program: Program) {
    this.program = program
  }

  async report(): Promise<Report> {
    this.#reports += 1
    this.program.signal('SIGUSR2')
    const [, json = ''] = await this.program.line(new RegExp(`^report ${this.#reports} (.+)$`), { timeoutMs: 60_000 })
    return JSON.parse(json) as Report
  }
}

/** The node that is attacked. */
export class Target extends Reporting<TargetReport> {
  readonly address: string
  readonly port: number
  #peakBytes = 0
  #watch: NodeJS.Timeout | undefined

  static async start(): Promise<Target> {
    const program = startProgram(fileOf('target.ts'), [], {
      nodeArgs: ['--expose-gc'],
      processors: nodeProcessors,
    })
    const [, address = ''] = await program.line(/^listening (.+)$/)
    return new Target(program, address.replace('0.0.0.0', '127.0.0.1'))
  }

  private constructor(program: Program, address: string) {
    super(program)
    this.address = address
    this.port = Number(/:(\d+)$/.exec(address)?.[1])
  }

  /** Memory of its own that it has had at most from here until `peak`, seen from outside ten times a second. */
  watch(): void {
    this.#peakBytes = this.#residentBytes()
    this.#watch = setInterval(() => {
      if (this.program.running) this.#peakBytes = Math.max(this.#peakBytes, this.#residentBytes())
      else this.peak()
    }, 100)
  }

  peak(): number {
    clearInterval(this.#watch)
    return this.#peakBytes
  }

  /** It lives, has said nothing to stderr, and all connections but so many are gone; within `timeoutMs`. */
  async calmsDown(sockets: number, timeoutMs: number): Promise<TargetReport> {
    const deadline = performance.now() + timeoutMs
    for (;;) {
      const report = await this.report()
      const isCalm = report.sockets <= sockets && report.connecting === 0
      const { stderr } = this.program
      if (stderr !== '') throw new Error(`the attacked node has complained: ${stderr}`)
      if (isCalm) return report
      if (performance.now() > deadline) throw new Error(`not calm after ${timeoutMs} ms: ${JSON.stringify(report)}`)
      await sleep(100)
    }
  }

  #residentBytes(): number {
    try {
      const status = readFileSync(`/proc/${this.program.pid}/status`, 'utf8')
      return Number(/^RssAnon:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
    } catch {
      // It ends this very moment.
      return 0
    }
  }
}

export async function startHonest(target: Target, bulk = false): Promise<Reporting<HonestReport>> {
  const program = startOther('honest.ts', [target.address, ...(bulk ? ['bulk'] : [])])
  await program.line(/^ready$/, { timeoutMs: 20_000 })
  const honest = new Reporting<HonestReport>(program)
  // What it costs to begin is no measure of anything.
  await sleep(1_000)
  await honest.report()
  return honest
}

/** How long an attack waits for the end of its connection, where that is to come and where it is not. */
const patienceMs: Readonly<Record<'ends' | 'stays', number>> = { ends: 2_000, stays: fullCounts ? 2_000 : 300 }

/** Starts attacks, all in one process; each goes on with new connections for `forMs`, or has one. */
export async function startAttack(
  target: Target,
  names: string,
  count: number,
  forMs: number,
  end: 'ends' | 'stays' = 'ends',
): Promise<Program> {
  const patience = String(patienceMs[end])
  const program = startOther('attack.ts', [names, target.address, String(count), String(forMs), patience])
  await program.line(/^attacking$/, { timeoutMs: 30_000 })
  return program
}

export async function attackReports(program: Program, forMs: number): Promise<Readonly<Record<string, AttackReport>>> {
  const [, json = ''] = await program.line(/^report (.+)$/, { timeoutMs: forMs + 60_000 })
  return JSON.parse(json) as Record<string, AttackReport>
}

/** Starts handshakes that are mutated on their way, so many at a time. */
export function startMutants(target: Target, count: number, workers: number): Program {
  return startOther('mutants.ts', [target.address, String(count), String(workers), String(seed)])
}

/** Starts handshakes that never end, each `(address, how many)` of them from an address of its own. */
export function startStalls(target: Target, total: number, addresses: number): Program {
  return startOther('stall.ts', [String(target.port), String(total), String(addresses)])
}

/** For people: what was measured. */
export function say(what: string, facts: object): void {
  const text = JSON.stringify(facts, (_, value: unknown) =>
    typeof value === 'number' ? (value > MiB ? `${Math.round(value / MiB)} MiB` : Math.round(value * 10) / 10) : value,
  )
  process.stdout.write(`${what}: ${text}\n`)
}

/** Not where the node runs that is attacked. */
function startOther(name: string, args: readonly string[]): Program {
  return startProgram(fileOf(name), args, { processors: otherProcessors })
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}
