import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SeedResult, WorldName } from './seed.ts'
import { summarize } from './summary.ts'

export interface SeedRange {
  readonly from: number
  readonly count: number
  readonly world?: WorldName
  /** Processes that share the work. */
  readonly workers: number
  /** No seed is begun after the first one with a violation. */
  readonly stop?: boolean
  /** A seed that takes longer than this hangs; two minutes when absent. */
  readonly seedMs?: number
  /** The program of a worker; `worker.ts` when absent. */
  readonly worker?: URL
}

const ownWorker = new URL('./worker.ts', import.meta.url)

/** Runs many seeds in several processes; prints each violation with the command that replays it, and last a summary in one line. */
export async function runSeeds(range: SeedRange): Promise<number> {
  const { from, count, workers, world = 'whole', stop = false, seedMs = 120_000, worker = ownWorker } = range
  const startedAt = performance.now()
  const results: SeedResult[] = []
  let next = from
  let end = from + count
  const take = (): number | undefined => (next < end ? (next += 1) - 1 : undefined)
  const finish = (result: SeedResult): void => {
    results.push(result)
    report(result, world)
    if (stop && result.violations.length > 0) end = next
    if (process.stderr.isTTY && results.length % 50 === 0)
      process.stderr.write(`\r${results.length} of ${count} seeds `)
  }
  await Promise.all(
    Array.from({ length: Math.min(workers, count) }, () => work({ worker, world, seedMs, take, finish })),
  )
  if (process.stderr.isTTY) process.stderr.write('\r')
  console.log(summarize(results, (performance.now() - startedAt) / 1_000))
  return results.some(({ violations }) => violations.length > 0) ? 1 : 0
}

interface Work {
  readonly worker: URL
  readonly world: WorldName
  readonly seedMs: number
  readonly take: () => number | undefined
  readonly finish: (result: SeedResult) => void
}

/** Keeps one process busy until there are no more seeds; a process that dies is a violation of its seed, and is replaced. */
async function work({ worker, world, seedMs, take, finish }: Work): Promise<void> {
  let child = startWorker(worker, world)
  for (let seed = take(); seed !== undefined; seed = take()) {
    const result = await runIn(child, seed, seedMs)
    finish(typeof result === 'string' ? failed(seed, result) : result)
    if (typeof result === 'string') child = startWorker(worker, world)
  }
  child.disconnect()
}

/** There is a worker for each core: a collector with threads of its own would take their time, and more of it. */
const workerFlags = ['--single-threaded-gc']

function startWorker(worker: URL, world: WorldName): ChildProcess {
  return fork(fileURLToPath(worker), [world], {
    execArgv: [...process.execArgv, ...workerFlags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
}

/** The result, or why there is none. */
function runIn(child: ChildProcess, seed: number, seedMs: number): Promise<SeedResult | string> {
  return new Promise((resolve) => {
    let isLate = false
    const deadline = setTimeout(() => {
      isLate = true
      child.kill('SIGKILL')
    }, seedMs)
    const onExit = (code: number | null, signal: string | null): void => {
      clearTimeout(deadline)
      child.off('message', onMessage)
      resolve(isLate ? `it did not end in ${seedMs} ms` : `the process died with ${signal ?? `code ${code}`}`)
    }
    const onMessage = (message: unknown): void => {
      clearTimeout(deadline)
      child.off('exit', onExit)
      resolve(message as SeedResult)
    }
    child.once('exit', onExit)
    child.once('message', onMessage)
    child.send(seed)
  })
}

function failed(seed: number, why: string): SeedResult {
  return { seed, hash: '', violations: [why], events: 0, delivered: 0, faults: 0, nodes: 0, virtualMs: 0, marks: [] }
}

function report({ seed, violations }: SeedResult, world: WorldName): void {
  if (violations.length === 0) return
  for (const violation of violations.slice(0, 5)) console.log(`seed ${seed}: ${violation}`)
  if (violations.length > 5) console.log(`seed ${seed}: and ${violations.length - 5} more`)
  console.log(`to replay: npm run sim -- --seed ${seed}${world === 'whole' ? '' : ` --world ${world}`}`)
}
