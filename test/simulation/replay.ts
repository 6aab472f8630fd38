import { runSeed, type WorldName } from './seed.ts'
import { summarize } from './summary.ts'

/** Runs one seed, and prints what went wrong, a summary, and last the hash of its trace. */
export async function replay(seed: number, world: WorldName, traces: boolean): Promise<number> {
  const startedAt = performance.now()
  const result = await runSeed(seed, world, traces ? (line) => console.log(line) : undefined)
  for (const violation of result.violations) console.log(`seed ${seed}: ${violation}`)
  console.log(`${result.nodes} nodes, ${Math.round(result.virtualMs)} virtual ms`)
  console.log(summarize([result], (performance.now() - startedAt) / 1_000))
  console.log(result.hash)
  return result.violations.length > 0 ? 1 : 0
}
