import { InvalidArgumentError } from 'commander'

const unitsMs: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const daysMax = 3_650

/** Reads `90s`, `30m`, `12h`, `7d` or `2w` behind a flag, in ms; commander says which flag it was. */
export function parseDuration(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  const durationMs = Number(amount) * (unitsMs[unit] ?? 0)
  if (durationMs === 0 || durationMs > daysMax * 86_400_000)
    throw new InvalidArgumentError(
      'It must be a number of seconds, minutes, hours, days or weeks: 90s, 30m, 12h, 7d, 2w.',
    )
  return durationMs
}
