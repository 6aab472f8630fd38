import type { SeedResult } from './seed.ts'

/** One line that says all: seeds, violations, marks hit of all and the rarest, medians, seconds. */
export function summarize(results: readonly SeedResult[], seconds: number): string {
  const countsByMark = new Map<string, number>()
  for (const { marks } of results)
    for (const [label, count] of marks) countsByMark.set(label, (countsByMark.get(label) ?? 0) + count)
  const byRarity = [...countsByMark].sort((left, right) => left[1] - right[1])
  const missed = byRarity.filter(([, count]) => count === 0).map(([label]) => `'${label}'`)
  const [rarest] = byRarity
  const violations = results.filter((result) => result.violations.length > 0).length
  const marks = [
    `marks ${byRarity.length - missed.length}/${byRarity.length}`,
    missed.length > 0
      ? `missed ${missed.join(', ')}`
      : rarest === undefined
        ? ''
        : `rarest '${rarest[0]}' ${rarest[1]} times`,
  ]
  return [
    `seeds ${results.length}`,
    `violations ${violations}`,
    marks.join(', '),
    `median events ${median(results.map(({ events }) => events))}`,
    `fragments ${median(results.map(({ delivered }) => delivered))}`,
    `faults ${median(results.map(({ faults }) => faults))}`,
    `seconds ${seconds.toFixed(1)}`,
  ].join('; ')
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
