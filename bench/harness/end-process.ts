import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Job, Order, Report } from './job.ts'

const endFile = fileURLToPath(new URL('../end.ts', import.meta.url))

/** One of the two processes of a run, as its parent sees it. */
export class EndProcess {
  readonly #child: ChildProcess
  readonly #side: string
  readonly #arrived: Report[] = []
  #failure: Error | undefined
  #ending = false
  #wake: () => void = () => {}

  constructor(job: Job) {
    this.#side = job.side
    this.#child = fork(endFile, [JSON.stringify(job)], { execArgv: ['--expose-gc'] })
    this.#child.on('message', (report: Report) => {
      if (report.step === 'failed') this.#fail(report.message)
      else this.#arrived.push(report)
      this.#wake()
    })
    this.#child.on('exit', (code, signal) => {
      if (!this.#ending) this.#fail(`it ended early (${signal ?? code})`)
    })
  }

  /** What this process said was wrong, or how it ended unasked. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** The next report, which must be of this step. Rejects when the process failed or is silent for `timeoutMs`. */
  async next<Step extends Report['step']>(step: Step, timeoutMs: number): Promise<Extract<Report, { step: Step }>> {
    const expired = setTimeout(() => this.#fail(`no "${step}" within ${timeoutMs / 1_000} s`), timeoutMs)
    try {
      while (this.#arrived.length === 0 && this.#failure === undefined)
        await new Promise<void>((resolve) => (this.#wake = resolve))
    } finally {
      clearTimeout(expired)
    }
    const report = this.#arrived.shift()
    if (report === undefined) throw this.#failure ?? new Error(`${this.#side} end: no report`)
    if (report.step !== step) throw new Error(`${this.#side}: "${report.step}" instead of "${step}"`)
    return report as Extract<Report, { step: Step }>
  }

  /** Rejects with what goes wrong in this process; never resolves. */
  async failed(): Promise<never> {
    while (this.#failure === undefined) await new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    throw this.#failure
  }

  /** A process that is gone before it is told takes no order; that it is gone is its failure, not this. */
  order(order: Order): void {
    if (this.#child.connected) this.#child.send(order, () => {})
  }

  /** Asks the process to exit, and kills it when it does not. Resolves when it is gone and all that it said has arrived. */
  async end(): Promise<void> {
    this.#ending = true
    this.order('exit')
    const expired = setTimeout(() => this.#child.kill('SIGKILL'), 5_000)
    if (this.#child.connected) await once(this.#child, 'disconnect')
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit')
    clearTimeout(expired)
  }

  #fail(message: string): void {
    this.#failure ??= new Error(`${this.#side} end: ${message}`)
    this.#wake()
  }
}
