import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Cable, Side } from './cable.ts'
import { EndMeter } from './end-meter.ts'
import { processTree, treeCpuSeconds } from './process-tree.ts'
import { Server } from './server.ts'

/** How a command comes to run at one side. */
type Way = Pick<Cable, 'addresses' | 'command'>

/** One side of a copy: its folder, and the programs that run there, seen from outside. */
export class End {
  readonly meter: EndMeter = new EndMeter()
  /** The tree. */
  readonly folder: string
  /** An empty folder for what the tool keeps. */
  readonly scratch: string
  readonly #cable: Way
  readonly #side: Side
  readonly #servers = new Set<Server>()
  /** With what each had used when it was killed: who was killed has not waited for what it has started. */
  readonly #commands = new Map<ChildProcess, number>()

  constructor(cable: Way, side: Side, parent: string) {
    this.#cable = cable
    this.#side = side
    this.folder = join(parent, side, 'tree')
    this.scratch = join(parent, side, 'state')
    mkdirSync(this.scratch, { recursive: true })
  }

  get address(): string {
    return this.#cable.addresses[this.#side]
  }

  /** What goes on here now. */
  get servers(): readonly Server[] {
    return [...this.#servers]
  }

  /** Runs a command to its end. Rejects, with what it has written to standard error, when it fails. */
  async run(command: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
    // The shell is there for its account of CPU time: it has that of a process that was killed, too.
    const account = '"$@"; code=$?; times >&3; exit $code'
    const child = spawn('sh', ['-c', account, 'sh', ...this.#cable.command(this.#side, command)], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    const { pid } = child
    if (pid !== undefined) this.meter.watch(pid, true)
    this.#commands.set(child, 0)
    let complaint = ''
    let times = ''
    child.stderr?.on('data', (chunk) => (complaint += String(chunk)))
    child.stdio[3]?.on('data', (chunk) => (times += String(chunk)))
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const killedSeconds = this.#commands.get(child) ?? 0
    this.#commands.delete(child)
    if (pid !== undefined) this.meter.unwatch(pid, Math.max(killedSeconds, childSeconds(times)))
    if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}\n${complaint}`)
  }

  /** Starts what goes on until it is stopped. */
  start(command: readonly string[], env: NodeJS.ProcessEnv): Server {
    const server = new Server(this.#cable.command(this.#side, command), env)
    this.#servers.add(server)
    this.meter.watch(server.pid)
    return server
  }

  async stop(server: Server, signal: NodeJS.Signals): Promise<void> {
    if (!this.#servers.delete(server)) return
    this.meter.unwatch(server.pid)
    await server.stop(signal)
  }

  /** Ends all that runs here, without a chance to say anything. */
  async kill(): Promise<void> {
    for (const command of this.#commands.keys()) {
      const { pid } = command
      if (pid === undefined) continue
      this.#commands.set(command, treeCpuSeconds(pid))
      killAll(processTree(pid).slice(1))
    }
    for (const server of this.#servers) {
      this.meter.unwatch(server.pid)
      killAll(processTree(server.pid))
      await server.stop('SIGKILL')
    }
    this.#servers.clear()
  }

  async close(): Promise<void> {
    await this.kill()
    this.meter.close()
  }
}

/** The second line of `times` is of the children: `0m0.120s 0m0.040s`. */
function childSeconds(times: string): number {
  const line = times.trim().split('\n')[1] ?? ''
  return [...line.matchAll(/(\d+)m([\d.,]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds?.replace(',', '.')),
    0,
  )
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids)
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile.
    }
}
