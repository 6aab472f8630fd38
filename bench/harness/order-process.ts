import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** What a process does when it is told, by name: what it is told, and what it answers. */
export type OrderTable<Orders> = {
  readonly [Name in keyof Orders]: { readonly order: object; readonly answer: object }
}

/** Over the channel of `fork`. */
export interface OrderMessage {
  readonly number: number
  readonly name: string
  readonly order: object
}

export type AnswerMessage =
  | { readonly number: number; readonly answer: object }
  | { readonly number: number | undefined; readonly failed: string }

interface Waiting {
  readonly resolve: (answer: object) => void
  readonly reject: (error: Error) => void
}

const defaultTimeoutMs = 600_000

/** A process that does what it is told, as its parent sees it. */
export class OrderProcess<Orders extends OrderTable<Orders>> {
  readonly pid: number
  readonly #child: ChildProcess
  readonly #name: string
  readonly #waitingByNumber = new Map<number, Waiting>()
  #failure: Error | undefined
  #numbers = 0

  /** `name`: for the messages of errors. */
  constructor(file: string, args: readonly string[], name: string, execArgv: readonly string[] = ['--expose-gc']) {
    this.#name = name
    this.#child = fork(file, [...args], { execArgv: [...execArgv] })
    if (this.#child.pid === undefined) throw new Error(`${name}: its process could not be started`)
    this.pid = this.#child.pid
    this.#child.on('message', (message: AnswerMessage) => this.#take(message))
    this.#child.on('exit', (code, signal) => this.#fail(`its process ended (${signal ?? code})`))
  }

  /** Rejects when the process fails, ends, or does not answer in time. */
  async ask<Name extends keyof Orders & string>(
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

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  /** Kills the process: what is to be kept has been closed before. Resolves when it is gone. */
  async end(): Promise<void> {
    this.#failure ??= new Error(`${this.#name}: it has been ended`)
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    this.#child.kill('SIGKILL')
    await once(this.#child, 'exit')
  }

  #take(message: AnswerMessage): void {
    if ('answer' in message) this.#waitingByNumber.get(message.number)?.resolve(message.answer)
    else if (message.number === undefined) this.#fail(message.failed)
    else this.#waitingByNumber.get(message.number)?.reject(new Error(`${this.#name}: ${message.failed}`))
  }

  #fail(why: string): void {
    this.#failure ??= new Error(`${this.#name}: ${why}`)
    for (const { reject } of this.#waitingByNumber.values()) reject(this.#failure)
  }
}

/** The other end: carries out what it is told. */
export function takeOrders(handlers: object): void {
  const report = (message: AnswerMessage): void => void process.send?.(message)
  process.on('uncaughtException', (error) => report({ number: undefined, failed: textOf(error) }))
  process.on('unhandledRejection', (error) => report({ number: undefined, failed: textOf(error) }))
  // When the parent was ended by force, nothing of it stays.
  process.on('disconnect', () => process.exit(1))
  process.on('message', ({ number, name, order }: OrderMessage) => {
    // Each name has a handler that takes its own kind of order.
    const handle = Reflect.get(handlers, name) as (order: object) => Promise<object> | object
    Promise.resolve(order)
      .then(handle)
      .then(
        (answer) => report({ number, answer }),
        (error: unknown) => report({ number, failed: textOf(error) }),
      )
  })
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
