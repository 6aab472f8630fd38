import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { BenchFolder } from './feeds/bench-folder.ts'
import { type GroupBenchOptions, groupUsage, parseGroupOptions } from './groups/group-options.ts'
import { groupAimsTable, groupRowsOf, type GroupSample, groupTableOf, groupVerdictsOf } from './groups/group-sample.ts'
import { type Conditions, type GroupWorkload, us } from './groups/workload.ts'
import { installPackage } from './harness/pack.ts'

// npm run bench:groups: see README.md. Exit code 1: something failed; 3: the run is void.

try {
  process.exitCode = await bench(parseGroupOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${groupUsage}`)
  process.exitCode = 1
}

async function bench(options: GroupBenchOptions): Promise<number> {
  if (options.tools.includes(us)) installPackage()
  const folder = new BenchFolder(options.folder)
  try {
    console.log(
      `Node.js ${process.version}, ${options.repeat} repeats, scale ${options.scale}; medians (minimum-maximum); load ${loadText()}`,
    )
    const samples: GroupSample[] = []
    for (const workload of options.workloads) {
      const tools = options.tools.filter((tool) => workload.tools.includes(tool))
      const conditions = { folder, scale: options.scale, profiled: false }
      const own = await measure(workload, tools, options.repeat, conditions)
      samples.push(...own)
      console.log(`\n${workload.name}: ${workload.about}\n${groupTableOf(groupRowsOf(own, options.scale))}`)
      if (options.profile) await printProfiles(workload, tools, { ...conditions, profiled: true })
    }
    return conclude(samples, folder.isInMemory, options)
  } finally {
    folder.close()
  }
}

function conclude(samples: readonly GroupSample[], isInMemory: boolean, { scale, json }: GroupBenchOptions): number {
  console.log(`\nload ${loadText()}`)
  const reasons = [
    ...(isInMemory ? ['the folder is in memory, where a sync costs nothing: give one on a disk with --folder'] : []),
    ...samples.flatMap(({ workload, reasonsVoid }) => reasonsVoid.map((reason) => `${workload}: ${reason}`)),
  ]
  for (const reason of reasons) console.log(`VOID: ${reason}`)
  if (reasons.length > 0) return 3
  const rows = groupRowsOf(samples, scale)
  const verdicts = groupVerdictsOf(rows)
  if (verdicts.length > 0) console.log(`Aims, at scale ${scale}:\n${groupAimsTable(verdicts)}`)
  if (json !== undefined) writeFileSync(json, `${JSON.stringify({ rows, aims: verdicts }, undefined, 2)}\n`)
  return 0
}

/** All tools once, then all again, so that what disturbs the machine disturbs all of them. */
async function measure(
  workload: GroupWorkload,
  tools: readonly string[],
  repeats: number,
  conditions: Conditions,
): Promise<GroupSample[]> {
  const samples: GroupSample[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const tool of tools) {
      const result = await workload.measure(tool, conditions).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`${workload.name} by ${tool}: ${message}`, { cause: error })
      })
      samples.push({ workload: workload.name, peer: tool, repeat, ...result })
    }
  }
  return samples
}

/** Runs of their own, because sampling slows them: their figures are not used. */
async function printProfiles(workload: GroupWorkload, tools: readonly string[], conditions: Conditions): Promise<void> {
  for (const tool of tools) {
    const { profiles } = await workload.measure(tool, conditions)
    for (const [end, lines] of Object.entries(profiles))
      console.log(`  ${tool}, ${end}, self time\n    ${lines.join('\n    ')}`)
  }
}

function loadText(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')
}
