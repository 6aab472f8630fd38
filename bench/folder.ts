import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { plait } from './folder/plait.ts'
import { rsync } from './folder/rsync.ts'
import { cpuSecondsOf, runTimed } from './folder/timed.ts'
import type { Tool } from './folder/tool.ts'
import { hashTree, treeKinds } from './folder/tree.ts'
import { type Figure, ratioBetween, spreadOf, valueOf } from './harness/rows.ts'
import type { Measure } from './workloads/workload.ts'

// npm run bench:folder: see README.md. Exit code 1: a copy failed or is not the original; 2: a tool is not installed.

const usage = 'npm run bench:folder -- [--only D1,D2] [--repeat 5] [--scale 1] [--json out.json] [--allow-missing]'
const tools: readonly Tool[] = [rsync, plait]
/** Memory, not a disk: what is measured is the tools. */
const memoryFolder = '/dev/shm'

try {
  process.exitCode = await bench(process.argv.slice(2))
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`)
  process.exitCode = 1
}

async function bench(args: string[]): Promise<number> {
  const { values } = parseArgs({
    args,
    options: {
      only: { type: 'string', default: Object.keys(treeKinds).join(',') },
      repeat: { type: 'string', default: '5' },
      scale: { type: 'string', default: '1' },
      json: { type: 'string' },
      'allow-missing': { type: 'boolean', default: false },
    },
  })
  const installed = tools.filter((tool) => tool.version() !== undefined)
  const missing = tools.filter((tool) => !installed.includes(tool)).map(({ name }) => `not installed: ${name}`)
  const rows: object[] = missing.map((about) => ({ peer: about }))
  for (const kind of values.only.split(',')) {
    const figures = await measure(kind, installed, Number(values.repeat), Number(values.scale))
    rows.push(...rowsOf(kind, figures, installed))
  }
  for (const line of missing) console.log(line)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, undefined, 2)}\n`)
  return missing.length > 0 && !values['allow-missing'] ? 2 : 0
}

/** All tools once, then all again. */
async function measure(kind: string, installed: readonly Tool[], repeats: number, scale: number): Promise<Figure[]> {
  const tree = treeKinds[kind]
  if (tree === undefined)
    throw new Error(`--only: there is no ${kind}; choose from ${Object.keys(treeKinds).join(', ')}`)
  console.log(`${kind}: ${tree.about}${scale === 1 ? '' : `, scale ${scale}`}; ${repeats} repeats, on ${memoryFolder}`)
  const folder = mkdtempSync(join(memoryFolder, 'plait-bench-'))
  try {
    const source = join(folder, 'source')
    mkdirSync(source)
    tree.make(source, scale)
    const figures: Figure[] = []
    for (let repeat = 0; repeat < repeats; repeat += 1) {
      for (const tool of installed) {
        figures.push({ workload: kind, peer: tool.name, repeat, measures: await copyOnce(tool, folder, source) })
      }
    }
    return figures
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** One copy, between a server and a client of its own. Both trees are read again afterwards. */
async function copyOnce(tool: Tool, folder: string, source: string): Promise<Measure[]> {
  const scratch = mkdtempSync(join(folder, 'scratch-'))
  const target = join(folder, 'target')
  try {
    const began = performance.now()
    const server = await tool.serve(source, scratch)
    const readySeconds = (performance.now() - began) / 1_000
    try {
      const { command, env } = server.fetch(target)
      const { wallSeconds, cpuSeconds } = await runTimed(command, env)
      if (hashTree(target) !== hashTree(source)) throw new Error(`${tool.name}: the copy is not the original`)
      // Only now: the daemon's account has what its children used when it has waited for them.
      const serverSeconds = cpuSecondsOf(server.pid)
      return [
        { metric: 'wall', unit: 's', value: wallSeconds },
        { metric: 'cpu', unit: 's', value: cpuSeconds + serverSeconds },
        { metric: 'cpuClone', unit: 's', value: cpuSeconds },
        { metric: 'cpuShare', unit: 's', value: serverSeconds },
        { metric: 'ready', unit: 's', value: readySeconds },
      ]
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(target, { recursive: true, force: true })
    rmSync(scratch, { recursive: true, force: true })
  }
}

function rowsOf(kind: string, figures: readonly Figure[], installed: readonly Tool[]): object[] {
  const rows: object[] = []
  for (const tool of installed) {
    const own = figures.filter(({ peer }) => peer === tool.name)
    const texts: string[] = []
    for (const { metric, unit } of own[0]?.measures ?? []) {
      const { median, min, max } = spreadOf(own.map((figure) => valueOf(figure, metric)))
      const ratio = ratioBetween(figures, kind, metric, tool.name, rsync.name)
      rows.push({
        workload: kind,
        peer: tool.name,
        metric,
        unit,
        median,
        min,
        max,
        ratioToRsync: ratio?.median ?? null,
        version: tool.version(),
      })
      const spread =
        ratio === undefined || tool === rsync
          ? ''
          : ` (${ratio.median.toFixed(2)}; ${ratio.min.toFixed(2)}-${ratio.max.toFixed(2)})`
      texts.push(`${metric} ${median.toFixed(3)} ${unit}${spread}`)
    }
    console.log(`  ${tool.name.padEnd(7)}${texts.join('   ')}   [${tool.version()}]`)
  }
  return rows
}
