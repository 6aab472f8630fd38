import { memoryUsage } from 'node:process'
import { parseArgs } from 'node:util'
import { runSeed } from '../../src/testing/index.ts'
import { soakGroup, type SoakLook } from './groups/soak.ts'

// npm run soak:world: a group that lives for many virtual hours. Exit code 1: something failed, or grows.

const usage = 'npm run soak:world -- [--hours 24] [--seed 1]'
const growthShareMax = 0.05
/** What is looked at, and how much of it may come and go by chance. */
const quantities = [
  ['heapBytes', 2 * 1024 * 1024],
  ['openFiles', 4],
  ['logBytes', 256 * 1024],
] as const

const { values } = parseArgs({
  options: { hours: { type: 'string', default: '24' }, seed: { type: 'string', default: '1' } },
})
const hours = Number(values.hours)
if (hours > 0 && globalThis.gc !== undefined) process.exitCode = await soak(hours)
else {
  console.error(usage)
  process.exitCode = 2
}

async function soak(hours: number): Promise<number> {
  const looks: SoakLook[] = []
  const { violations, faults, marks, hash } = await runSeed(Number(values.seed), (world) =>
    soakGroup(world, {
      hours,
      heapBytes: () => {
        globalThis.gc?.()
        return memoryUsage().heapUsed
      },
      onLook: (look) => {
        looks.push(look)
        if (looks.length % 4 === 0) console.log(lineOf(look))
      },
    }),
  )
  for (const violation of violations) console.log(violation)
  console.log(`faults ${faults}; ${[...marks].map(([label, count]) => `${label} ${count}`).join(', ')}; ${hash}`)
  const grown = quantities.filter(([quantity, chance]) => hasGrown(looks, quantity, chance))
  for (const [quantity] of grown) console.log(`${quantity} grows`)
  return violations.length + grown.length > 0 ? 1 : 0
}

function lineOf({ seconds, heapBytes, openFiles, logBytes, derivedBytes, entries }: SoakLook): string {
  const mib = (bytes: number): string => (bytes / 1024 / 1024).toFixed(2)
  return `${seconds / 3_600} h: heap ${mib(heapBytes)} MiB, open files ${openFiles}, logs ${mib(logBytes)} MiB, derived ${mib(derivedBytes)} MiB, ${entries} entries`
}

/** Whether the last third is more than the third before it. */
function hasGrown(looks: readonly SoakLook[], quantity: (typeof quantities)[number][0], chance: number): boolean {
  const third = Math.floor(looks.length / 3)
  const mean = (part: readonly SoakLook[]): number =>
    part.reduce((sum, look) => sum + look[quantity], 0) / Math.max(1, part.length)
  const [before, last] = [mean(looks.slice(-2 * third, -third)), mean(looks.slice(-third))]
  console.log(`${quantity}: ${before.toFixed(0)} then ${last.toFixed(0)}`)
  return last > before * (1 + growthShareMax) + chance
}
