import { parseArgs } from 'node:util'
import { runBatch } from './batch.ts'
import { fuzz } from './runner.ts'

const usage = `usage: npm run fuzz -- --mutants COUNT [--seed SEED] [--workers COUNT]
       npm run fuzz -- --seed SEED --lives COUNT`

/** Reads the arguments, and exits with 1 when something that must never happen has happened. */
async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      mutants: { type: 'string' },
      seed: { type: 'string' },
      lives: { type: 'string' },
      workers: { type: 'string' },
    },
  })
  const numbers = Object.values(values).map(Number)
  const { mutants, lives, seed = '1', workers = '2' } = values
  if (
    (mutants === undefined) === (lives === undefined) ||
    !numbers.every((value) => Number.isSafeInteger(value) && value > 0)
  ) {
    console.error(usage)
    return 2
  }
  if (lives !== undefined) return replay(Number(seed), Number(lives))
  return fuzz({ seed: Number(seed), mutants: Number(mutants), workers: Number(workers) })
}

/** In this very process, with whole stacks. */
async function replay(from: number, count: number): Promise<number> {
  const { failures, mutants } = await runBatch({ from, count })
  for (const { life, mistakes } of failures) for (const mistake of mistakes) console.log(`life ${life}: ${mistake}`)
  console.log(`lives ${count}; mutants ${mutants}; failures ${failures.length}`)
  return failures.length > 0 ? 1 : 0
}

process.exitCode = await main()
