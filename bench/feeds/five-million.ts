import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { positive } from '../harness/options.ts'
import { installPackage } from '../harness/pack.ts'
import { BenchFolder } from './bench-folder.ts'
import { withEnds } from './end-process.ts'
import { judgeMemory, type MemoryCourse, watchMemory } from './memory-course.ts'
import type { Source } from './order.ts'
import { missingTool, us } from './tool-names.ts'

// npm run bench:five-million: see ../README.md. Exit code 1: something failed; 2: the tool is not installed.

const usage = 'npm run bench:five-million -- [--blocks 5000000] [--tool plait] [--folder DIR] [--json out.json]'
const blockBytes = 100
const batch = 1_000
const inFlight = 8
const pauseMs = 100
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
      json: { type: 'string' },
    },
  })
  const { tool } = values
  const corpus = { blocks: positive('--blocks', values.blocks, Number.isSafeInteger), blockBytes }
  const missing = missingTool(tool)
  if (missing !== undefined) {
    console.log(missing)
    return 2
  }
  if (tool === us) installPackage()
  console.log(`${tool}, Node.js ${process.version}: ${corpus.blocks.toLocaleString('en')} blocks of ${blockBytes} B`)
  const folder = new BenchFolder(values.folder)
  try {
    const appended = await append(tool, { folder: folder.empty(), id: '', corpus })
    const replicated = await replicate(tool, appended.source, folder.empty())
    const opened = [await open(tool, appended.source), await open(tool, replicated.source)] as const
    const courses = { append: appended.course, serve: replicated.serve, fetch: replicated.fetch }
    const judged = Object.entries(courses).map(([process, course]) => ({
      process,
      ...judgeMemory(course, corpus.blocks),
    }))
    for (const [name, seconds] of [
      ['append', appended.seconds],
      ['replicate', replicated.seconds],
    ] as const)
      console.log(
        `${name}: ${seconds.toFixed(1)} s, ${Math.round(corpus.blocks / seconds).toLocaleString('en')} blocks/s`,
      )
    for (const one of judged)
      console.log(
        `memory, ${one.process}: ${one.heapMiB.toFixed(1)} MiB of heap and buffers, slope ${one.heapBytesPerBlock.toFixed(3)} B/block over the second half ` +
          `(${one.growthMiB.toFixed(2)} MiB, ${(100 * one.growthShare).toFixed(1)} %; RSS ${one.rssBytesPerBlock.toFixed(3)} B/block; ${one.samples} samples): ${one.isFlat ? 'flat' : 'grows'}`,
      )
    const slowest = Math.max(...opened)
    console.log(
      `open: ${opened.map((seconds) => `${seconds.toFixed(3)} s`).join(' by its writer, ')} of the copy; < ${openSecondsMost} s ${slowest < openSecondsMost ? 'holds' : 'falls short'}`,
    )
    if (values.json !== undefined)
      writeFileSync(
        values.json,
        `${JSON.stringify({ tool, corpus, appendSeconds: appended.seconds, replicateSeconds: replicated.seconds, openSeconds: opened, memory: judged, courses }, undefined, 2)}\n`,
      )
    return 0
  } finally {
    folder.close()
  }
}

interface Appended {
  readonly source: Source
  readonly seconds: number
  readonly course: MemoryCourse
}

/** The time has the making of the blocks in it, and the collections. */
function append(tool: string, { folder, corpus }: Source): Promise<Appended> {
  return withEnds([tool], async (writer) => {
    const began = performance.now()
    const work = writer.ask('fill', { folder, corpus, batch, inFlight })
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

function replicate(tool: string, source: Source, folder: string): Promise<Copied> {
  return withEnds([tool, tool], async (server, client) => {
    const { address } = await server.ask('serve', source)
    await client.ask('prepare', { ...source, folder })
    const work = client.ask('fetch', { address })
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
