import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createNode } from 'plait'
import type { Circuit, FeedStatus } from 'plait'
import { onTestFinished } from 'vitest'
import { startProgram, type Program, type ProgramOptions } from '../support/process.ts'
import type { Mischief } from './mischief.ts'

const holder = fileURLToPath(new URL('./holder.ts', import.meta.url))

export interface Completed extends FeedStatus {
  readonly ms: number
  readonly downloaded: number
}

export interface Facts {
  readonly rss: number
  readonly held: number
  readonly stallMs: number
  readonly events: Readonly<Record<string, number>>
  readonly openMs: number
  readonly sent: number
  readonly received: number
  readonly list: number
}

/** A holder of feeds in a process of its own, and the circuit by which a test tells it what to do. */
export class Far {
  readonly program: Program
  readonly address: string
  #circuit: Circuit
  readonly #waiting = new Map<number, (answer: { result?: unknown; error?: string; code?: string }) => void>()
  #number = 0

  private constructor(program: Program, address: string, circuit: Circuit) {
    this.program = program
    this.address = address
    this.#circuit = circuit
    this.#listen(circuit)
  }

  #listen(circuit: Circuit): void {
    circuit.receive(({ part, payload }) => {
      this.#waiting.get(part)?.(JSON.parse(new TextDecoder().decode(payload)) as { result?: unknown })
      this.#waiting.delete(part)
    })
  }

  /** Starts one on a folder, which it keeps; or another program that takes commands and prints its address, with further arguments. */
  static async start(
    folder: string,
    options: ProgramOptions & { mischief?: Mischief; file?: string; args?: readonly string[] } = {},
  ): Promise<Far> {
    const { mischief, file = holder, args: more = [], ...rest } = options
    const args = mischief === undefined ? [folder, ...more] : [folder, mischief]
    const program = startProgram(file, args, { nodeArgs: ['--expose-gc'], ...rest })
    const [address] = await program.line(/^plait:.*$/)
    return new Far(program, address, await control(address))
  }

  /** After it was frozen for so long that the circuit has ended. */
  async reconnect(): Promise<void> {
    this.#circuit = await control(this.address)
    this.#listen(this.#circuit)
  }

  /** Runs a command there. */
  async ask<Result>(name: string, args: object = {}): Promise<Result> {
    this.#number += 1
    const part = this.#number
    const answer = new Promise<{ result?: unknown; error?: string; code?: string }>((resolve) => {
      this.#waiting.set(part, resolve)
      void this.#circuit.closed.then(() => resolve({ error: 'the holder is gone' }))
    })
    this.#circuit.send({ subject: name, part, payload: new TextEncoder().encode(JSON.stringify(args)) })
    const { result, error, code } = await answer
    if (error !== undefined) throw Object.assign(new Error(error), { code })
    return result as Result
  }

  facts(): Promise<Facts> {
    return this.ask<Facts>('facts')
  }

  /** Through a proxy on this port. */
  addressAt(port: number): string {
    return this.address.replace(/:\d+$/, `:${port}`)
  }

  get port(): number {
    return Number(/:(\d+)$/.exec(this.address)?.[1])
  }

  async stop(): Promise<void> {
    this.program.signal('SIGTERM')
    await this.program.outcome()
  }
}

async function control(address: string): Promise<Circuit> {
  // A machine that is busy is no reason to give it up.
  const node = await createNode({ resumeMs: 0, limits: { heartbeatMs: 20_000 } })
  onTestFinished(() => node.close())
  return node.peer('test').open(`${address}/control`)
}

export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'plait-feeds-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'store')
}
