import { fork, type ChildProcess } from 'node:child_process'
import { on, once } from 'node:events'
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
    Array.from({ length: Math.min(workers, count) }, () => work({ worker, world, seedMs, ahead: !stop, take, finish })),
  )
  if (process.stderr.isTTY) process.stderr.write('\r')
  console.log(summarize(results, (performance.now() - startedAt) / 1_000))
  return results.some(({ violations }) => violations.length > 0) ? 1 : 0
}

interface Work {
  readonly worker: URL
  readonly world: WorldName
  readonly seedMs: number
  /** A process is given the next seed before it has answered the last one, so that it never waits. */
  readonly ahead: boolean
  readonly take: () => number | undefined
  readonly finish: (result: SeedResult) => void
}

/** Keeps one process busy until there are no more seeds; a process that dies is a violation of its seed, and is replaced. */
async function work({ worker, world, seedMs, ahead, take, finish }: Work): Promise<void> {
  let crew = startWorker(worker, world)
  let isSent = false
  for (let seed = take(); seed !== undefined;) {
    if (!isSent) crew.child.send(seed)
    const next = ahead ? take() : undefined
    if (next !== undefined) crew.child.send(next)
    const result = await answer(crew, seedMs)
    const isAlive = typeof result !== 'string'
    finish(isAlive ? result : failed(seed, result))
    if (!isAlive) crew = startWorker(worker, world)
    isSent = isAlive && next !== undefined
    seed = next ?? take()
  }
  crew.child.disconnect()
}

/**
 * There is a worker for each core: a collector with threads of its own would take their time, and more of it. Most of a world is
 * garbage when the next one begins: in room for several of them there is little left to be copied.
 */
const workerFlags = [
  '--single-threaded-gc',
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  '--initial-old-space-size=256',
]

interface Worker {
  readonly child: ChildProcess
  /** What it has sent, in order; ends behind the last of it. */
  readonly answers: AsyncIterator<unknown[]>
}

function startWorker(worker: URL, world: WorldName): Worker {
  const child = fork(fileURLToPath(worker), [world], {
    execArgv: [...process.execArgv, ...workerFlags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  return { child, answers: on(child, 'message', { close: ['disconnect'] }) }
}

/** The next result, or why there is none. */
async function answer({ child, answers }: Worker, seedMs: number): Promise<SeedResult | string> {
  let isLate = false
  const deadline = setTimeout(() => {
    isLate = true
    child.kill('SIGKILL')
  }, seedMs)
  const { value, done } = await answers.next()
  clearTimeout(deadline)
  if (done !== true) return value[0] as SeedResult
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return isLate
    ? `it did not end in ${seedMs} ms`
    : `the process died with ${child.signalCode ?? `code ${child.exitCode}`}`
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
