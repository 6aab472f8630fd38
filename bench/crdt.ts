import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crdtAimsTable, crdtVerdictsOf } from './crdt/crdt-aims.ts'
import { type CrdtBenchOptions, crdtUsage, parseCrdtOptions } from './crdt/crdt-options.ts'
import { crdtRowsOf, type CrdtSample } from './crdt/crdt-sample.ts'
import { crdtTableOf } from './crdt/crdt-table.ts'
import { crdtReasonsVoid } from './crdt/crdt-validity.ts'
import type { CrdtResult } from './crdt/job.ts'
import { missingSetTool, rivalPackage, rivals, setToolNames, us } from './crdt/set-tool-names.ts'
import type { Conditions, CrdtWorkload } from './crdt/workload.ts'
import { installPackage } from './harness/pack.ts'

// npm run bench:crdt: see README.md. Exit code 1: something failed; 2: a tool is not installed; 3: the run is void.

try {
  process.exitCode = await bench(parseCrdtOptions(process.argv.slice(2)))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${crdtUsage}`)
  process.exitCode = 1
}

async function bench(options: CrdtBenchOptions): Promise<number> {
  if (options.tools.includes(us)) installPackage()
  const missing = options.tools.flatMap((tool) => missingSetTool(tool) ?? [])
  const folder = mkdtempSync(join(options.folder, 'plait-bench-crdt-'))
  try {
    console.log(
      `Node.js ${process.version}, ${options.repeat} repeats, scale ${options.scale}; median (minimum-maximum), and the same of plait/rival of the same repeat`,
    )
    const samples: CrdtSample[] = []
    const conditions = { folder, scale: options.scale, profiled: false }
    for (const workload of options.workloads) {
      const columns = workload.columns.filter((column) => isMeasured(column, options))
      const own = await measure(workload, columns, options.repeat, conditions)
      for (const line of aboutNew(own, samples)) console.log(line)
      samples.push(...own)
      console.log(`\n${workload.name}: ${workload.about}\n${crdtTableOf(crdtRowsOf(own, options.scale))}`)
      if (options.profile) await printProfiles(workload, columns, { ...conditions, profiled: true })
    }
    return conclude(samples, missing, options)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function isMeasured(column: string, { tools }: CrdtBenchOptions): boolean {
  if (!setToolNames.includes(column)) return true
  return tools.includes(column) && missingSetTool(column) === undefined
}

function conclude(
  samples: readonly CrdtSample[],
  missing: readonly string[],
  { scale, json, allowMissing }: CrdtBenchOptions,
): number {
  console.log()
  for (const line of missing) console.log(line)
  const reasons = crdtReasonsVoid(samples, pinnedRivals())
  for (const reason of reasons) console.log(`VOID: ${reason}`)
  if (reasons.length > 0) return 3
  const verdicts = crdtVerdictsOf(samples)
  if (verdicts.length > 0) console.log(`Aims, at scale ${scale}:\n${crdtAimsTable(verdicts)}`)
  if (json !== undefined) {
    const report = { rows: crdtRowsOf(samples, scale), aims: verdicts, missing }
    writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
  }
  return missing.length > 0 && !allowMissing ? 2 : 0
}

/** All columns once, then all again, so that what disturbs the machine disturbs all of them. */
async function measure(
  workload: CrdtWorkload,
  columns: readonly string[],
  repeats: number,
  conditions: Conditions,
): Promise<CrdtSample[]> {
  const named = async <Result>(column: string, result: Promise<Result> | undefined): Promise<Result | undefined> => {
    try {
      return await result
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error)
      throw new Error(`${workload.name}, ${column}: ${message}`, { cause: error })
    }
  }
  for (const column of columns) await named(column, workload.prepare?.(column, conditions))
  const samples: CrdtSample[] = []
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    for (const column of columns) {
      const result = await named(column, workload.measure(column, { ...conditions, repeat }))
      samples.push({ workload: workload.name, peer: column, repeat, ...(result as CrdtResult) })
    }
  }
  return samples
}

/** Of tools that have not been there before. */
function aboutNew(samples: readonly CrdtSample[], before: readonly CrdtSample[]): string[] {
  const first = samples.filter(({ repeat, peer }) => repeat === 0 && setToolNames.includes(peer))
  const isNew = first.filter(({ peer }) => before.every((sample) => sample.peer !== peer))
  return isNew.map(({ peer, version, settings }) => `${peer}: ${version}; ${settings}`)
}

/** Runs of their own, because sampling slows them: their figures are not used. */
async function printProfiles(
  workload: CrdtWorkload,
  columns: readonly string[],
  conditions: Conditions,
): Promise<void> {
  for (const column of columns) {
    const { profile } = await workload.measure(column, { ...conditions, repeat: 0 })
    if (profile.length > 0) console.log(`  ${column}, self time\n    ${profile.join('\n    ')}`)
  }
}

function pinnedRivals(): ReadonlyMap<string, string> {
  const manifest = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8')) as {
    readonly dependencies: Readonly<Record<string, string>>
  }
  return new Map(
    rivals.map((rival) => {
      const package_ = rivalPackage(rival) ?? rival
      return [rival, `${package_} ${manifest.dependencies[package_]}`]
    }),
  )
}
