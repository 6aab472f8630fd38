import { readFileSync } from 'node:fs'
import { cpuSecondsOf } from '../folder/process-tree.ts'

/** CPU seconds of this process, user and system, all threads, and of others that belong to it. */
export function cpuSeconds(otherPids: readonly number[] = []): number {
  const { user, system } = process.cpuUsage()
  return otherPids.reduce((sum, pid) => sum + cpuSecondsOf(pid), (user + system) / 1e6)
}

/** The most physical memory that this process has had since it began (VmHWM), and others that belong to it. Linux only. */
export function peakMiB(otherPids: readonly number[] = []): number {
  return otherPids.reduce((sum, pid) => sum + peakOf(String(pid)), peakOf('self'))
}

function peakOf(process: string): number {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${process}/status has no VmHWM: the bench runs on Linux`)
  return Number(kibibytes) / 1024
}
