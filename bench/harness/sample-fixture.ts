import type { Sample } from './rows.ts'

/** A sample with these figures and nothing else, for the tests of what is made of samples. */
export function sampleOf(
  workload: string,
  peer: string,
  figures: Readonly<Record<string, number>>,
  repeat = 0,
): Sample {
  return {
    workload,
    peer,
    repeat,
    scale: 1,
    version: 'v',
    settings: 's',
    proof: { dial: [], listen: [] },
    profile: { dial: [], listen: [] },
    measures: Object.entries(figures).map(([metric, value]) => ({ metric, unit: 'u', value })),
  }
}
