import { type ChildProcess, spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

const readyMs = 300_000
const stopMs = 10_000
const lastCharacters = 3_000

/** A program that goes on until it is stopped, and what it has printed. */
export class Server {
  readonly pid: number
  #printed = ''
  readonly #child: ChildProcess
  readonly #command: readonly string[]

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [file = '', ...args] = command
    this.#command = command
    this.#child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    const take = (chunk: Uint8Array | string): void => void (this.#printed += String(chunk))
    this.#child.stdout?.on('data', take)
    this.#child.stderr?.on('data', take)
    this.#child.on('error', (error) => take(error.message))
    // One that could not be started has none.
    this.pid = this.#child.pid ?? 0
  }

  get isOver(): boolean {
    return this.pid === 0 || this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** Throws, with what it said last, when it has ended. */
  check(): void {
    if (this.isOver)
      throw new Error(`${this.#command.join(' ')} ended with ${this.#ending}\n${this.#printed.slice(-lastCharacters)}`)
  }

  /** Until `find` has made something of what was printed so far; rejects when the program ends before. */
  async says<Found>(find: (printed: string) => Found | undefined): Promise<Found> {
    return await this.until('has not said what was waited for', () => find(this.#printed))
  }

  /** Until `look` finds something; rejects when the program ends before. */
  async until<Found>(what: string, look: () => Found | undefined | Promise<Found | undefined>): Promise<Found> {
    for (const endsAt = performance.now() + readyMs; performance.now() < endsAt; await sleep(5)) {
      const found = await look()
      if (found !== undefined) return found
      this.check()
    }
    throw new Error(`${this.#command.join(' ')} ${what}\n${this.#printed}`)
  }

  get #ending(): string {
    return String(this.#child.signalCode ?? this.#child.exitCode)
  }

  /** Sends a signal, kills what does not end in time, and resolves when the process is gone. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.isOver) return
    const gone = new Promise<void>((resolve) => this.#child.once('exit', () => resolve()))
    this.#child.kill(signal)
    const expired = setTimeout(() => this.#child.kill('SIGKILL'), stopMs)
    await gone
    clearTimeout(expired)
  }
}
