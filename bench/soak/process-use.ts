import { readdirSync, readFileSync } from 'node:fs'

/** Memory of a process that stands for no file, in bytes. Linux only. */
export function anonymousBytes(pid: number): number {
  const kibibytes = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error(`/proc/${pid}/status has no RssAnon: this needs Linux`)
  return Number(kibibytes) * 1024
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
