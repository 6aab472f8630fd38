import { inOwnProcess } from './end-process.ts'
import type { Pattern } from './metadata.ts'
import type { CrdtWorkload } from './workload.ts'

interface Entry {
  readonly about: string
  readonly pattern: Pattern
}

const one = (): number => 1
/** At least two: one would be in turn. */
const tenth = (members: number): number => Math.max(2, Math.round(members / 10))

const entriesByName = new Map<string, Entry>([
  ['M-turns', entry('one after the other, each time in the same order', one, false)],
  ['M-turns-by-chance', entry('one after the other, each time in another order', one, true)],
  ['M-tenth', entry('a tenth of them (at least two) at once, each time in the same order', tenth, false)],
  ['M-tenth-by-chance', entry('a tenth of them (at least two) at once, each time in another order', tenth, true)],
])

const memberCounts = [3, 10, 100, 1_000]
export const memberColumns: readonly string[] = memberCounts.map((members) => `${members} members`)

export const metadataWorkloads: readonly CrdtWorkload[] = [...entriesByName].map(([name, { about }]) => ({
  name,
  about: `bytes that say what an operation follows; 100 operations of each member, written ${about}`,
  columns: memberColumns,
  measure: (column, { scale, repeat }) => {
    const most = memberCounts[memberColumns.indexOf(column)] as number
    const members = Math.max(Math.min(most, 3), Math.round(most * Math.min(1, scale)))
    return inOwnProcess({ kind: 'metadata', pattern: name, members, seed: repeat })
  },
}))

export function patternNamed(name: string): Pattern {
  const found = entriesByName.get(name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found.pattern
}

function entry(about: string, atOnce: Pattern['atOnce'], byChance: boolean): Entry {
  return { about, pattern: { atOnce, byChance } }
}
