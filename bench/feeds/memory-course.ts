import { setTimeout as sleep } from 'node:timers/promises'
import type { EndProcess } from './end-process.ts'
import type { MemorySample } from './order.ts'
import { slopeOf } from './slope.ts'

/** The memory of one process while blocks went through it, in order. */
export type MemoryCourse = readonly MemorySample[]

export interface MemoryVerdict {
  readonly samples: number
  /** By least squares over the second half of the blocks. */
  readonly heapBytesPerBlock: number
  readonly rssBytesPerBlock: number
  /** What the slope of the heap makes of the second half, and of what there was at its beginning. */
  readonly growthMiB: number
  readonly growthShare: number
  readonly heapMiB: number
  readonly isFlat: boolean
}

const mebibyte = 1024 * 1024
/** Flat: under both. */
const growthMiBMost = 1
const growthShareMost = 0.02
const samplesLeast = 5

export function judgeMemory(course: MemoryCourse, blocks: number): MemoryVerdict {
  const second = course.filter((sample) => sample.blocks * 2 >= blocks && sample.blocks < blocks)
  const first = second[0]
  if (first === undefined || second.length < samplesLeast)
    throw new Error(`${second.length} samples of the second half: too few for a slope; take more blocks`)
  const slope = (value: (sample: MemorySample) => number): number =>
    slopeOf(second.map((sample) => ({ x: sample.blocks, y: value(sample) })))
  const heapBytesPerBlock = slope(({ heapBytes }) => heapBytes)
  const growthBytes = (heapBytesPerBlock * blocks) / 2
  return {
    samples: second.length,
    heapBytesPerBlock,
    rssBytesPerBlock: slope(({ rssBytes }) => rssBytes),
    growthMiB: growthBytes / mebibyte,
    growthShare: growthBytes / first.heapBytes,
    heapMiB: (second.at(-1) ?? first).heapBytes / mebibyte,
    isFlat: growthBytes / mebibyte < growthMiBMost && growthBytes / first.heapBytes < growthShareMost,
  }
}

/** Samples these processes, one after the other, until the work is done. What the last one has done counts for all. */
export async function watchMemory(
  ends: readonly EndProcess[],
  work: Promise<unknown>,
  pauseMs: number,
): Promise<readonly MemoryCourse[]> {
  const courses = ends.map((): MemorySample[] => [])
  let isDone = false
  const end = (): void => void (isDone = true)
  // A failure is the caller's, who waits for the work as well.
  work.then(end, end)
  while (!isDone) {
    const samples: MemorySample[] = []
    for (const process of ends) samples.push(await process.ask('sample', {}))
    const blocks = samples.at(-1)?.blocks ?? 0
    for (const [index, sample] of samples.entries()) courses[index]?.push({ ...sample, blocks })
    await sleep(pauseMs)
  }
  return courses
}
