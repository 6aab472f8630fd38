import { readFileSync, writeFileSync } from 'node:fs'
import { BenchFolder } from './feeds/bench-folder.ts'
import { withEnds } from './feeds/end-process.ts'
import { feedAimsTable, feedVerdictsOf } from './feeds/feed-aims.ts'
import { type FeedBenchOptions, feedUsage, parseFeedOptions } from './feeds/feed-options.ts'
import { feedRowsOf, type FeedSample } from './feeds/feed-sample.ts'
import { feedTableOf } from './feeds/feed-table.ts'
import { feedReasonsVoid } from './feeds/feed-validity.ts'
import { missingTool, rival, us } from './feeds/tool-names.ts'
import type { Conditions, FeedWorkload } from './feeds/workload.ts'
import { installPackage } from './harness/pack.ts'

// npm run bench:feeds: see README.md. Exit code 1: something failed; 2: a tool is not installed; 3: the run is void.

try {
  process.exitCode = await bench(parseFeedOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${feedUsage}`)
  process.exitCode = 1
}

async function bench(options: FeedBenchOptions): Promise<number> {
  if (options.tools.includes(us)) installPackage()
  const missing = options.tools.flatMap((tool) => missingTool(tool) ?? [])
  const tools = options.tools.filter((tool) => missingTool(tool) === undefined)
  const folder = new BenchFolder(options.folder)
  try {
    console.log(
      `Node.js ${process.version}, ${options.repeat} repeats, scale ${options.scale}; medians, and plait/hypercore of the same repeat: median (minimum-maximum)`,
    )
    const about = await describe(tools)
    console.log('Durable when an append resolves or a fetch is done: file, tls-file, plait. hypercore syncs nothing.')
    const samples: FeedSample[] = []
    for (const workload of options.workloads) {
      const own = await measure(workload, tools, options, { folder, scale: options.scale, profiled: false }, about)
      samples.push(...own)
      console.log(`\n${workload.name}: ${workload.about}\n${feedTableOf(feedRowsOf(own, options.scale))}`)
      if (options.profile) await printProfiles(workload, tools, { folder, scale: options.scale, profiled: true })
    }
    return conclude(samples, missing, folder.isInMemory, options)
  } finally {
    folder.close()
  }
}

function conclude(
  samples: readonly FeedSample[],
  missing: readonly string[],
  isInMemory: boolean,
  { scale, json, allowMissing }: FeedBenchOptions,
): number {
  console.log()
  for (const line of missing) console.log(line)
  const reasons = feedReasonsVoid(samples, { isInMemory, pinned: pinnedRival() })
  for (const reason of reasons) console.log(`VOID: ${reason}`)
  if (reasons.length > 0) return 3
  const verdicts = feedVerdictsOf(samples)
  if (verdicts.length > 0) console.log(`Aims, at scale ${scale}:\n${feedAimsTable(verdicts)}`)
  if (json !== undefined)
    writeFileSync(
      json,
      `${JSON.stringify({ rows: feedRowsOf(samples, scale), aims: verdicts, missing }, undefined, 2)}\n`,
    )
  return missing.length > 0 && !allowMissing ? 2 : 0
}

type About = Readonly<Pick<FeedSample, 'version' | 'settings'>>

/** Asked of the tools in processes of their own, as they are used. */
async function describe(tools: readonly string[]): Promise<ReadonlyMap<string, About>> {
  const aboutByTool = new Map<string, About>()
  for (const tool of tools) {
    const about = await withEnds([tool], (end) => end.ask('about', {}))
    aboutByTool.set(tool, about)
    console.log(`${tool}: ${about.version}; ${about.settings}`)
  }
  return aboutByTool
}

/** All tools once, then all again, so that what disturbs the machine disturbs all of them. */
async function measure(
  workload: FeedWorkload,
  tools: readonly string[],
  { repeat: repeats }: FeedBenchOptions,
  conditions: Conditions,
  aboutByTool: ReadonlyMap<string, About>,
): Promise<FeedSample[]> {
  const samples: FeedSample[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const tool of tools.filter((name) => workload.tools.includes(name))) {
      const result = await workload.measure(tool, conditions).catch((error: unknown) => {
        const message = error instanceof Error ? error.message : String(error)
        throw new Error(`${workload.name} by ${tool}: ${message}`, { cause: error })
      })
      const about = aboutByTool.get(tool) as About
      samples.push({ workload: workload.name, peer: tool, repeat, ...about, ...result })
    }
  }
  return samples
}

/** Runs of their own, because sampling slows them: their figures are not used. */
async function printProfiles(workload: FeedWorkload, tools: readonly string[], conditions: Conditions): Promise<void> {
  for (const tool of tools.filter((name) => workload.tools.includes(name))) {
    const { profiles } = await workload.measure(tool, conditions)
    for (const [end, lines] of Object.entries(profiles))
      console.log(`  ${tool}, ${end}, self time\n    ${lines.join('\n    ')}`)
  }
}

function pinnedRival(): string {
  const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  return `${rival} ${manifest.dependencies[rival]}`
}
