import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Profiler } from 'node:inspector/promises'
import { join } from 'node:path'
import { topSelfTime } from '../harness/profile.ts'

/** The functions with the most self time, by end, of what `--cpu-prof` has written there, one list for each thread. */
export function profileLines(folder: string | undefined): Readonly<Record<string, readonly string[]>> {
  if (folder === undefined) return {}
  const lines: Record<string, readonly string[]> = {}
  for (const end of ['near', 'far'].filter((name) => existsSync(join(folder, name))))
    for (const [number, file] of readdirSync(join(folder, end)).toSorted().entries()) {
      const profile = JSON.parse(readFileSync(join(folder, end, file), 'utf8')) as Profiler.Profile
      lines[`${end} ${number}`] = topSelfTime(profile)
    }
  return lines
}
