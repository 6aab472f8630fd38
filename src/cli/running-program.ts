import { PlaitError } from '../base/error.ts'
import type { PlaitNode } from '../node/node-api.ts'
import { parseAddress } from '../node/url.ts'
import { serveMetrics, type MetricsServer } from '../metrics/http/serve-metrics.ts'
import type { ControlRequest, FeedRequest, PeerFacts, ProgramFacts, Status, Work } from './control/control-protocol.ts'
import type { DriveRequest } from './control/drive-requests.ts'
import type { GroupRequest } from './control/group-requests.ts'
import { ControlServer } from './control/control-server.ts'
import { pingPeer, servePings } from './ping-service.ts'
import { jsonLine, printable } from './printable.ts'
import { statusLines } from './status-lines.ts'
import type { Terminal } from './terminal.ts'
import { version } from './version.ts'

export const metricsFlag = '--metrics <HOST:PORT>'
export const metricsHelp =
  'show counters over HTTP there, for Prometheus; without a password, so 127.0.0.1:PORT unless others may see them'

/** What others have asked for is on its way to the disk: it gets there, and they learn it. */
const graceMs = 2_000

export interface RunningOptions {
  readonly node: PlaitNode
  /** What the program does, as it is when called. */
  readonly work: () => Work
  readonly terminal: Terminal
  readonly json: boolean
  /** `HOST:PORT` for the counters over HTTP; none when absent. */
  readonly metrics?: string | undefined
  /** What it does for others with the store that it has; nothing when absent. */
  readonly control?: StoreControl
}

/** What this user's other programs can ask of the one that has a store. */
export type StoreRequest = FeedRequest | GroupRequest | DriveRequest

/** Answers such a question; `facts` are those of the program. */
export type StoreControl = (request: StoreRequest, facts: ProgramFacts) => Promise<unknown>

/**
 * What a program offers besides its work while it runs: answers to pings, a control socket for `plait status` and others, its
 * snapshot on SIGUSR1, and its counters over HTTP if asked for.
 */
export class RunningProgram implements AsyncDisposable {
  readonly #options: RunningOptions
  readonly #startedMs = performance.now()
  #control: ControlServer | undefined
  #metrics: MetricsServer | undefined

  private constructor(options: RunningOptions) {
    this.#options = options
  }

  /** Rejects with `INVALID_ADDRESS` when the counters cannot be shown where they should; without a control socket it goes on. */
  static async open(options: RunningOptions): Promise<RunningProgram> {
    const program = new RunningProgram(options)
    await program.#open()
    return program
  }

  /** Takes all of it away; the node stays. Idempotent. */
  async close(): Promise<void> {
    process.off('SIGUSR1', this.#printSnapshot)
    await Promise.all([this.#control?.close(this.#options.control === undefined ? 0 : graceMs), this.#metrics?.close()])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #open(): Promise<void> {
    const { node, metrics, terminal, json } = this.#options
    servePings(node)
    process.on('SIGUSR1', this.#printSnapshot)
    try {
      if (metrics !== undefined) {
        this.#metrics = await serveMetrics(node, parseAddress(metrics))
        if (json) terminal.print(jsonLine({ event: 'metrics', url: this.#metrics.url }))
        else terminal.note(`counters are at ${this.#metrics.url}`)
      }
    } catch (error) {
      await this.close()
      throw error
    }
    await this.#openControl()
  }

  async #openControl(): Promise<void> {
    const { node, terminal, json } = this.#options
    try {
      this.#control = await ControlServer.open(node.id, (request) => this.#answer(request))
    } catch (error) {
      // The work is what counts.
      const message = `\`plait status\` will not find this program: ${error instanceof Error ? error.message : String(error)}`
      if (json) terminal.print(jsonLine({ event: 'warning', message }))
      else terminal.note(`warning: ${printable(message)}`)
    }
  }

  #answer(request: ControlRequest): unknown {
    switch (request.command) {
      case 'status':
        return this.#status()
      case 'peers':
        return { ...this.#facts(), peers: peersOf(this.#options.node) }
      case 'ping':
        return pingPeer(this.#options.node, request.nodeId).then((roundTripMs) => ({ roundTripMs }))
      default:
        return this.#answerOfStore(request)
    }
  }

  async #answerOfStore(request: StoreRequest): Promise<unknown> {
    const { control } = this.#options
    if (control === undefined) throw new PlaitError('INVALID_ARGUMENT', 'this program has no store of feeds or groups')
    return control(request, this.#facts())
  }

  readonly #printSnapshot = (): void => {
    const { terminal, json } = this.#options
    const status = this.#status()
    if (json) terminal.print(jsonLine({ event: 'snapshot', ...status }))
    else terminal.note(statusLines(status).join('\n'))
  }

  #status(): Status {
    const { node } = this.#options
    return { ...this.#facts(), stats: node.stats(), snapshot: node.snapshot() }
  }

  #facts(): ProgramFacts {
    const { node, work } = this.#options
    return {
      pid: process.pid,
      version: version(),
      nodeId: node.id,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
      work: work(),
    }
  }
}

function peersOf(node: PlaitNode): readonly PeerFacts[] {
  return node.snapshot().sessions.map((session) => {
    const { remoteId, remoteAddress, state, dialled, roundTripMs, bytesSent, bytesReceived, resumes, circuits } =
      session
    return {
      nodeId: remoteId,
      remoteAddress,
      state,
      dialled,
      roundTripMs,
      bytesSent,
      bytesReceived,
      resumes,
      circuits: circuits.length,
    }
  })
}
