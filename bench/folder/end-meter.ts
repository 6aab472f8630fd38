import { processTree, treeCpuSeconds, treePeakBytes, treeRunSeconds } from './process-tree.ts'

const sampleMs = 50

/** What all processes of one end use, seen from outside. */
export class EndMeter {
  readonly #roots = new Map<number, { readonly isShell: boolean }>()
  readonly #timer: NodeJS.Timeout
  #endedSeconds = 0
  #peakBytes = 0

  constructor() {
    this.#timer = setInterval(() => this.#look(), sampleMs)
  }

  /** The most that the processes of this end have had at a time, each by its VmHWM. */
  get peakBytes(): number {
    this.#look()
    return this.#peakBytes
  }

  /** CPU seconds since the beginning. */
  get cpuSeconds(): number {
    return [...this.#roots.keys()].reduce((sum, pid) => sum + treeCpuSeconds(pid), this.#endedSeconds)
  }

  /** CPU seconds of what runs now, finer than `cpuSeconds`: good for differences while nothing ends. */
  get runSeconds(): number {
    return [...this.#roots.keys()].reduce((sum, pid) => sum + treeRunSeconds(pid), 0)
  }

  /** Takes in a process and what descends from it. A shell is there for its account only: its memory is not the tool's. */
  watch(pid: number, isShell = false): void {
    this.#roots.set(pid, { isShell })
    this.#look()
  }

  /** Call before it ends, or with what it has used in all. */
  unwatch(pid: number, cpuSeconds: number = treeCpuSeconds(pid)): void {
    this.#look()
    if (this.#roots.delete(pid)) this.#endedSeconds += cpuSeconds
  }

  close(): void {
    clearInterval(this.#timer)
  }

  #look(): void {
    let bytes = 0
    for (const [root, { isShell }] of this.#roots)
      bytes += treePeakBytes(processTree(root).filter((pid) => !isShell || pid !== root))
    this.#peakBytes = Math.max(this.#peakBytes, bytes)
  }
}
