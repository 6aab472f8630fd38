import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { AnswerMessage, OrderMessage, OrderName, Orders } from './order.ts'

const endFile = fileURLToPath(new URL('end.ts', import.meta.url))
const defaultTimeoutMs = 600_000

interface Waiting {
  readonly resolve: (answer: object) => void
  readonly reject: (error: Error) => void
}

/** A process with one tool, as its parent sees it. */
export class EndProcess {
  readonly #child: ChildProcess
  readonly #tool: string
  readonly #waitingByNumber = new Map<number, Waiting>()
  #failure: Error | undefined
  #numbers = 0

  constructor(tool: string) {
    this.#tool = tool
    this.#child = fork(endFile, [tool], { execArgv: ['--expose-gc'] })
    this.#child.on('message', (message: AnswerMessage) => this.#take(message))
    this.#child.on('exit', (code, signal) => this.#fail(`its process ended (${signal ?? code})`))
  }

  /** Rejects when the process fails, ends, or does not answer in time. */
  async ask<Name extends OrderName>(
    name: Name,
    order: Orders[Name]['order'],
    timeoutMs: number = defaultTimeoutMs,
  ): Promise<Orders[Name]['answer']> {
    if (this.#failure !== undefined) throw this.#failure
    const number = this.#numbers++
    const expired = setTimeout(() => this.#fail(`no answer to "${name}" in time`), timeoutMs)
    try {
      return await new Promise<object>((resolve, reject) => {
        this.#waitingByNumber.set(number, { resolve, reject })
        this.#child.send({ number, name, order } satisfies OrderMessage, () => {})
      })
    } finally {
      clearTimeout(expired)
      this.#waitingByNumber.delete(number)
    }
  }

  /** Kills the process: what is to be kept has been closed before. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#failure ??= new Error(`${this.#tool}: it has been ended`)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  #take(message: AnswerMessage): void {
    if ('answer' in message) this.#waitingByNumber.get(message.number)?.resolve(message.answer)
    else if (message.number === undefined) this.#fail(message.failed)
    else this.#waitingByNumber.get(message.number)?.reject(new Error(`${this.#tool}: ${message.failed}`))
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.#tool}: ${why}`)
    for (const { reject } of this.#waitingByNumber.values()) reject(this.#failure)
  }
}

/** Runs something with a process of its own for each of these tools, which are gone when it is done. */
export async function withEnds<Result>(
  tools: readonly string[],
  run: (...ends: EndProcess[]) => Promise<Result>,
): Promise<Result> {
  const ends = tools.map((tool) => new EndProcess(tool))
  try {
    return await run(...ends)
  } finally {
    await Promise.all(ends.map((end) => end.end()))
  }
}
