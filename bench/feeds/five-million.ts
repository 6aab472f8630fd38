import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { positive } from '../harness/options.ts'
import { installPackage } from '../harness/pack.ts'
import { BenchFolder } from './bench-folder.ts'
import type { Corpus } from './corpus.ts'
import { withEnds } from './end-process.ts'
import { judgeMemory, type MemoryCourse, type MemoryVerdict, watchMemory } from './memory-course.ts'
import type { Source } from './order.ts'
import { missingTool, us } from './tool-names.ts'

// npm run bench:five-million: see ../README.md. Exit code 1: something failed; 2: the tool is not installed.

const usage =
  'npm run bench:five-million -- [--blocks 5000000] [--tool plait] [--folder DIR] [--pause 100] [--json out.json]'
const blockBytes = 100
const batch = 1_000
const inFlight = 8
/** The slower tool needs most of it. */
const timeoutMs = 3_600_000
const openSecondsMost = 2

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
      blocks: { type: 'string', default: '5000000' },
      tool: { type: 'string', default: us },
      folder: { type: 'string', default: tmpdir() },
      // Between two samples of memory.
      pause: { type: 'string', default: '100' },
      json: { type: 'string' },
    },
  })
  const { tool } = values
  const corpus = { blocks: positive('--blocks', values.blocks, Number.isSafeInteger), blockBytes }
  const pauseMs = positive('--pause', values.pause, Number.isFinite)
  const missing = missingTool(tool)
  if (missing !== undefined) {
    console.log(missing)
    return 2
  }
  if (tool === us) installPackage()
  console.log(`${tool}, Node.js ${process.version}: ${corpus.blocks.toLocaleString('en')} blocks of ${blockBytes} B`)
  const folder = new BenchFolder(values.folder)
  try {
    const appended = await append(tool, { folder: folder.empty(), id: '', corpus }, pauseMs)
    printRate('append', corpus, appended.seconds)
    const replicated = await replicate(tool, appended.source, folder.empty(), pauseMs)
    printRate('replicate', corpus, replicated.seconds)
    const openSeconds = [await open(tool, appended.source), await open(tool, replicated.source)]
    printOpening(openSeconds)
    const courses = { append: appended.course, serve: replicated.serve, fetch: replicated.fetch }
    const memory = Object.entries(courses).map(([process, course]) => ({
      process,
      ...judgeMemory(course, corpus.blocks),
    }))
    for (const judged of memory) printMemory(judged)
    const { seconds: appendSeconds } = appended
    const all = { tool, corpus, appendSeconds, replicateSeconds: replicated.seconds, openSeconds, memory, courses }
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(all, undefined, 2)}\n`)
    return 0
  } finally {
    folder.close()
  }
}

function printRate(name: string, { blocks }: Corpus, seconds: number): void {
  console.log(`${name}: ${seconds.toFixed(1)} s, ${Math.round(blocks / seconds).toLocaleString('en')} blocks/s`)
}

function printOpening(seconds: readonly number[]): void {
  const texts = seconds.map((one) => `${one.toFixed(3)} s`)
  const holds = Math.max(...seconds) < openSecondsMost
  console.log(`open: ${texts.join(', its copy ')}; < ${openSecondsMost} s ${holds ? 'holds' : 'falls short'}`)
}

function printMemory(judged: MemoryVerdict & { readonly process: string }): void {
  const { process, heapMiB, heapBytesPerBlock, rssBytesPerBlock, growthMiB, growthShare, samples, isFlat } = judged
  const grown = `${growthMiB.toFixed(2)} MiB, ${(100 * growthShare).toFixed(1)} %`
  console.log(
    `memory, ${process}: ${heapMiB.toFixed(1)} MiB of heap and buffers; slope ${heapBytesPerBlock.toFixed(3)} B/block over the second half ` +
      `(${grown}; RSS ${rssBytesPerBlock.toFixed(3)} B/block; ${samples} samples): ${isFlat ? 'flat' : 'grows'}`,
  )
}

interface Appended {
  readonly source: Source
  readonly seconds: number
  readonly course: MemoryCourse
}

/** The time has the making of the blocks in it, and the collections. */
function append(tool: string, { folder, corpus }: Source, pauseMs: number): Promise<Appended> {
  return withEnds([tool], async (writer) => {
    const began = performance.now()
    const work = writer.ask('fill', { folder, corpus, batch, inFlight }, timeoutMs)
    const courses = await watchMemory([writer], work, pauseMs)
    const { id } = await work
    return {
      source: { folder, id, corpus },
      seconds: (performance.now() - began) / 1_000,
      course: courses[0] as MemoryCourse,
    }
  })
}

interface Copied {
  readonly source: Source
  readonly seconds: number
  readonly serve: MemoryCourse
  readonly fetch: MemoryCourse
}

function replicate(tool: string, source: Source, folder: string, pauseMs: number): Promise<Copied> {
  return withEnds([tool, tool], async (server, client) => {
    const { address } = await server.ask('serve', source)
    await client.ask('prepare', { ...source, folder })
    const work = client.ask('fetch', { address }, timeoutMs)
    const courses = await watchMemory([server, client], work, pauseMs)
    const { seconds } = await work
    await client.ask('verify', {})
    await client.ask('close', {})
    await server.ask('close', {})
    return {
      source: { ...source, folder },
      seconds,
      serve: courses[0] as MemoryCourse,
      fetch: courses[1] as MemoryCourse,
    }
  })
}

async function open(tool: string, source: Source): Promise<number> {
  return (await withEnds([tool], (end) => end.ask('open', source))).openSeconds
}
