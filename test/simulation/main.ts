import { replay } from './replay.ts'
import { runSeeds } from './runner.ts'
import { worldNames, type WorldName } from './seed.ts'

const usage = `usage: npm run sim -- --seeds COUNT [--from SEED] [--workers COUNT] [--stop] [--world messages|feeds|groups|trees|broadcast]
       npm run sim -- --seed SEED [--trace] [--world messages|feeds|groups|trees|broadcast]`

/** Reads the arguments, runs the seeds, and exits with 1 when something that must never happen has happened. */
async function main(args: readonly string[]): Promise<number> {
  const numbers = new Map<string, number>()
  const flags = new Set<string>()
  let world: WorldName = 'whole'
  for (let index = 0; index < args.length; index += 1) {
    const name = args[index] ?? ''
    if (name === '--trace' || name === '--stop') {
      flags.add(name)
      continue
    }
    if (name === '--world') {
      const given = args[(index += 1)]
      const chosen = worldNames.find((known) => known === given)
      if (chosen === undefined) return fail()
      world = chosen
      continue
    }
    const value = Number(args[(index += 1)])
    if (!['--seeds', '--from', '--seed', '--workers'].includes(name) || !Number.isSafeInteger(value)) return fail()
    numbers.set(name, value)
  }
  const seed = numbers.get('--seed')
  if (seed !== undefined) return replay(seed, world, flags.has('--trace'))
  const count = numbers.get('--seeds')
  if (count === undefined || count < 1) return fail()
  const workers = Math.max(1, numbers.get('--workers') ?? 2)
  return runSeeds({ from: numbers.get('--from') ?? 1, count, workers, world, stop: flags.has('--stop') })
}

function fail(): number {
  console.error(usage)
  return 2
}

process.exitCode = await main(process.argv.slice(2))
