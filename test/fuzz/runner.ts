import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BatchOrder, BatchResult } from './batch.ts'
import { Tally } from './state-table.ts'

export interface FuzzOptions {
  /** The first life; those that follow have the next numbers. */
  readonly seed: number
  /** Ends after so many mutants. */
  readonly mutants: number
  /** Processes that share the work. */
  readonly workers: number
}

const livesPerBatch = 2_000

/** So much a process may hold more than after its first batch. */
const growthBytesMax = 32 * 1024 * 1024

const worker = new URL('./worker.ts', import.meta.url)

/** Runs lives in several processes until there have been enough mutants; prints what went wrong, and last a summary in one line. */
export async function fuzz(options: FuzzOptions): Promise<number> {
  const run = new Run(options)
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: options.workers }, () => run.work()))
  if (process.stderr.isTTY) process.stderr.write('\r')
  return run.report((performance.now() - startedAt) / 1_000)
}

class Run {
  readonly #options: FuzzOptions
  readonly #tally = new Tally()
  #next: number
  #lives = 0
  #mutants = 0
  #passed = 0
  #failures = 0
  #growthBytes = 0

  constructor(options: FuzzOptions) {
    this.#options = options
    this.#next = options.seed
  }

  /** Keeps one process busy. */
  async work(): Promise<void> {
    let child = start()
    let baseBytes = 0
    while (this.#mutants < this.#options.mutants) {
      const order = { from: this.#next, count: livesPerBatch }
      this.#next += livesPerBatch
      const result = await runIn(child, order)
      if (typeof result === 'string') {
        this.#fail(order.from, [result], livesPerBatch)
        child = start()
        baseBytes = 0
        continue
      }
      this.#take(result)
      if (process.stderr.isTTY) process.stderr.write(`\r${this.#mutants} of ${this.#options.mutants} mutants `)
      if (baseBytes === 0) baseBytes = result.heldBytes
      this.#growthBytes = Math.max(this.#growthBytes, result.heldBytes - baseBytes)
    }
    child.disconnect()
  }

  report(seconds: number): number {
    const { missing } = this.#tally
    for (const line of this.#tally.lines()) console.log(line)
    for (const cell of missing) console.log(`not seen: ${cell}`)
    const passed = this.#passed / this.#mutants
    const growthMiB = this.#growthBytes / 1024 / 1024
    console.log(
      [
        `lives ${this.#lives}`,
        `mutants ${this.#mutants}`,
        `past the header ${(100 * passed).toFixed(1)} %`,
        `failures ${this.#failures}`,
        `empty cells ${missing.length}`,
        `memory +${growthMiB.toFixed(1)} MiB`,
        `seconds ${seconds.toFixed(1)}`,
      ].join('; '),
    )
    const isFine = this.#failures === 0 && missing.length === 0 && passed >= 0.5
    return isFine && this.#growthBytes < growthBytesMax ? 0 : 1
  }

  #take(result: BatchResult): void {
    this.#lives += result.lives
    this.#mutants += result.mutants
    this.#passed += result.passed
    this.#tally.merge(result.counts)
    for (const { life, mistakes } of result.failures) this.#fail(life, mistakes, 1)
  }

  #fail(life: number, mistakes: readonly string[], lives: number): void {
    this.#failures += 1
    if (this.#failures > 20) return
    for (const mistake of mistakes.slice(0, 3)) console.log(`life ${life}: ${mistake}`)
    console.log(`to replay: npm run fuzz -- --seed ${life} --lives ${lives}`)
  }
}

function start(): ChildProcess {
  return fork(fileURLToPath(worker), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    execArgv: [...process.execArgv, '--expose-gc'],
  })
}

/** The result, or why there is none. */
function runIn(child: ChildProcess, order: BatchOrder): Promise<BatchResult | string> {
  return new Promise((resolve) => {
    const onExit = (code: number | null, signal: string | null): void => {
      child.off('message', onMessage)
      resolve(`the process died with ${signal ?? `code ${code}`}`)
    }
    const onMessage = (message: unknown): void => {
      child.off('exit', onExit)
      resolve(message as BatchResult)
    }
    child.once('exit', onExit)
    child.once('message', onMessage)
    child.send(order)
  })
}
