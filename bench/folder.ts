import { writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { folderAimsTable, folderVerdictsOf } from './folder/folder-aims.ts'
import { type FolderBenchOptions, folderUsage, parseFolderOptions } from './folder/folder-options.ts'
import { folderRowsOf, type FolderSample } from './folder/folder-sample.ts'
import { folderTableOf } from './folder/folder-table.ts'
import { folderReasonsVoid } from './folder/folder-validity.ts'
import { missingTool, toolNamed } from './folder/tools.ts'
import { TreeStore } from './folder/tree-store.ts'
import type { Conditions, FolderWorkload } from './folder/workload.ts'

// npm run bench:folder: see README.md. Exit code 1: a copy failed or is not the original; 2: a tool is not installed; 3: the run is void.

try {
  process.exitCode = await bench(parseFolderOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`${textOf(error)}\n\n${folderUsage}`)
  process.exitCode = 1
}

async function bench(options: FolderBenchOptions): Promise<number> {
  const missing = options.tools.flatMap((tool) => missingTool(tool) ?? [])
  const tools = options.tools.filter((tool) => missingTool(tool) === undefined)
  const store = new TreeStore(options.folder)
  try {
    console.log(
      `Node.js ${process.version}, ${options.repeat} repeats, scale ${options.scale}; medians, and plait/rsync of the same repeat: median (minimum-maximum)`,
    )
    for (const tool of tools) console.log(`${tool}: ${toolNamed(tool).version()}; ${toolNamed(tool).settings}`)
    const samples: FolderSample[] = []
    const failures: string[] = []
    for (const workload of options.workloads) {
      const conditions = { store, scale: options.scale, profiled: false }
      const own = await measure(workload, tools, options.repeat, conditions, failures)
      samples.push(...own)
      const load = loadavg()[0]?.toFixed(1)
      console.log(
        `\n${workload.name}: ${workload.about} (load ${load})\n${folderTableOf(folderRowsOf(own, options.scale))}`,
      )
      if (options.profile) await printProfiles(workload, tools, { ...conditions, profiled: true })
      store.forget()
    }
    return conclude(samples, { missing, failures, isInMemory: store.isInMemory }, options)
  } finally {
    store.close()
  }
}

interface Outcome {
  readonly missing: readonly string[]
  readonly failures: readonly string[]
  readonly isInMemory: boolean
}

function conclude(
  samples: readonly FolderSample[],
  { missing, failures, isInMemory }: Outcome,
  { scale, json, allowMissing }: FolderBenchOptions,
): number {
  console.log()
  for (const line of missing) console.log(line)
  for (const failure of failures) console.log(`FAILED: ${failure}`)
  const reasons = folderReasonsVoid(samples, { isInMemory })
  for (const reason of reasons) console.log(`VOID: ${reason}`)
  if (reasons.length > 0) return 3
  const verdicts = folderVerdictsOf(samples)
  if (verdicts.length > 0) console.log(`Aims, at scale ${scale}:\n${folderAimsTable(verdicts)}`)
  if (json !== undefined) {
    const facts = { rows: folderRowsOf(samples, scale), aims: verdicts, missing, failures }
    writeFileSync(json, `${JSON.stringify(facts, undefined, 2)}\n`)
  }
  if (failures.length > 0) return 1
  return missing.length > 0 && !allowMissing ? 2 : 0
}

/** All tools once, then all again. Who fails is not tried again, and the others go on. */
async function measure(
  workload: FolderWorkload,
  tools: readonly string[],
  repeats: number,
  conditions: Conditions,
  failures: string[],
): Promise<FolderSample[]> {
  const samples: FolderSample[] = []
  const failed = new Set<string>()
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const name of tools.filter((tool) => workload.tools.includes(tool) && !failed.has(tool))) {
      const tool = toolNamed(name)
      try {
        const result = await workload.measure(tool, conditions)
        samples.push({ workload: workload.name, peer: name, repeat, settings: tool.settings, ...result })
      } catch (error) {
        failed.add(name)
        failures.push(`${workload.name} by ${name}: ${textOf(error)}`)
      }
    }
  }
  return samples
}

/** Runs of their own, because sampling slows them: their figures are not used. */
async function printProfiles(
  workload: FolderWorkload,
  tools: readonly string[],
  conditions: Conditions,
): Promise<void> {
  for (const name of tools.filter((tool) => workload.tools.includes(tool))) {
    const { profiles } = await workload.measure(toolNamed(name), conditions)
    for (const [thread, lines] of Object.entries(profiles))
      console.log(`  ${name}, ${thread}, self time\n    ${lines.join('\n    ')}`)
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
