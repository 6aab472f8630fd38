import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Ticks of /proc in a second: 100 on every Linux of today. */
const ticksPerSecond = 100

export interface Timed {
  readonly wallSeconds: number
  /** User and system, of the process and all that it waited for. */
  readonly cpuSeconds: number
}

/** Runs a command to its end. Rejects, with what it wrote to stderr, when it fails. The shell is there for its account of CPU time. */
export function runTimed(command: readonly string[], env: NodeJS.ProcessEnv): Promise<Timed> {
  const began = performance.now()
  const child = spawn('sh', ['-c', '"$@"; code=$?; times >&3; exit $code', 'sh', ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  })
  let complaint = ''
  let times = ''
  child.stderr?.on('data', (chunk) => (complaint += String(chunk)))
  child.stdio[3]?.on('data', (chunk) => (times += String(chunk)))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      const wallSeconds = (performance.now() - began) / 1_000
      if (code !== 0) reject(new Error(`${command.join(' ')} ended with ${code}\n${complaint}`))
      else resolve({ wallSeconds, cpuSeconds: childSeconds(times) })
    })
  })
}

/** CPU seconds, user and system, of a running process and of the children that it has waited for. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Counted from after the name, which may hold anything: utime, stime, cutime, cstime are fields 14 to 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond
}

/** The second line of `times` is of the children: `0m0.120s 0m0.040s`. */
function childSeconds(times: string): number {
  const line = times.trim().split('\n')[1] ?? ''
  return [...line.matchAll(/(\d+)m([\d.,]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds?.replace(',', '.')),
    0,
  )
}
