import { createCorpus, Life, type Corpus } from './life.ts'
import { Tally } from './state-table.ts'

/** Lives that one process runs in one go. */
export interface BatchOrder {
  readonly from: number
  readonly count: number
}

export interface Failure {
  readonly life: number
  readonly mistakes: readonly string[]
}

export interface BatchResult {
  readonly lives: number
  readonly mutants: number
  readonly passed: number
  readonly failures: readonly Failure[]
  readonly counts: readonly (readonly [string, number])[]
  /** What the process holds afterwards, garbage aside, in bytes; 0 where that cannot be told. */
  readonly heldBytes: number
}

let corpus: Corpus | undefined

/** Runs the lives `from` .. `from + count - 1`; each follows from its number alone. */
export async function runBatch({ from, count }: BatchOrder): Promise<BatchResult> {
  corpus ??= createCorpus()
  const tally = new Tally()
  const failures: Failure[] = []
  let mutants = 0
  let passed = 0
  for (let life = from; life < from + count; life += 1) {
    const result = new Life(life, corpus, tally).run()
    mutants += result.mutants
    passed += result.passed
    if (result.mistakes.length > 0) failures.push({ life, mistakes: result.mistakes })
    // What waits for a circuit learns of its end, and lets go of it.
    if (life % 16 === 0) await Promise.resolve()
  }
  // A rejection that nobody handles ends the process here.
  await new Promise((resolve) => setImmediate(resolve))
  return { lives: count, mutants, passed, failures, counts: [...tally.counts], heldBytes: heldBytes() }
}

function heldBytes(): number {
  if (globalThis.gc === undefined) return 0
  // The memory of buffers is given back by the collection after the one that finds them.
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}
