import { readdirSync, readFileSync } from 'node:fs'

/** Ticks of /proc in a second: 100 on every Linux of today. */
const ticksPerSecond = 100

/** A process and all that descend from it and live. Linux only. */
export function processTree(root: number): number[] {
  const pids: number[] = []
  const waiting = [root]
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    pids.push(pid)
    waiting.push(...childrenOf(pid))
  }
  return pids
}

/** CPU seconds, user and system, of a process, of all that descend from it and live, and of those that were waited for. */
export function treeCpuSeconds(root: number): number {
  return processTree(root).reduce((sum, pid) => sum + (whileItLives(() => cpuSecondsOf(pid)) ?? 0), 0)
}

/** The same of all threads that live, to the nanosecond; what has ended is not in it. */
export function treeRunSeconds(root: number): number {
  let nanoseconds = 0
  for (const pid of processTree(root))
    for (const thread of threadsOf(pid)) {
      const text = whileItLives(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8'))
      nanoseconds += Number(text?.split(' ')[0] ?? 0)
    }
  return nanoseconds / 1e9
}

/** The most physical memory that each process of a tree has had so far (VmHWM), summed. */
export function treePeakBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const status = whileItLives(() => readFileSync(`/proc/${pid}/status`, 'utf8')) ?? ''
    return sum + Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024
  }, 0)
}

/** CPU seconds, user and system, of a running process and of the children that it has waited for. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Counted from after the name, which may hold anything: utime, stime, cutime, cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
}

function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => {
    const text = whileItLives(() => readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8')) ?? ''
    return text.split(' ').filter(Boolean).map(Number)
  })
}

function threadsOf(pid: number): string[] {
  return whileItLives(() => readdirSync(`/proc/${pid}/task`)) ?? []
}

/** Undefined when the process has ended meanwhile. */
function whileItLives<Value>(read: () => Value): Value | undefined {
  try {
    return read()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
