import { Profile } from '../harness/profile.ts'
import { cpuSeconds, peakMiB } from '../harness/usage.ts'
import type { MemorySample, Usage } from './order.ts'

const sampleMs = 100
const mebibyte = 1024 * 1024

/** What a process uses, from `begin` to `end`. */
export class UsageMeter {
  #beganSeconds = 0
  #heapBytes = 0
  #timer: NodeJS.Timeout | undefined
  #profile: Profile | undefined

  async begin(profiled: boolean): Promise<void> {
    clearInterval(this.#timer)
    globalThis.gc?.()
    this.#heapBytes = heapBytes()
    this.#timer = setInterval(() => (this.#heapBytes = Math.max(this.#heapBytes, heapBytes())), sampleMs)
    this.#profile = profiled ? new Profile() : undefined
    await this.#profile?.begin()
    this.#beganSeconds = cpuSeconds()
  }

  async end(): Promise<Usage> {
    const used = cpuSeconds() - this.#beganSeconds
    clearInterval(this.#timer)
    const heap = Math.max(this.#heapBytes, heapBytes())
    return {
      cpuSeconds: used,
      peakMiB: peakMiB(),
      heapMiB: heap / mebibyte,
      profile: (await this.#profile?.finish()) ?? [],
    }
  }
}

export function sampleMemory(blocks: number): MemorySample {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  // The second one takes what the first has only let go.
  globalThis.gc()
  globalThis.gc()
  return { blocks, heapBytes: heapBytes(), rssBytes: process.memoryUsage.rss() }
}

function heapBytes(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
