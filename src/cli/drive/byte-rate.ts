import { InvalidArgumentError } from 'commander'

const units: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['k', 1_000],
  ['m', 1_000_000],
  ['g', 1_000_000_000],
])

/** Slower than that others give up waiting for a piece of a file. */
const rateMin = 64_000

/** Reads bytes a second behind a flag: `500k`, `1.5M`, `2MB/s`. */
export function parseByteRate(text: string): number {
  const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)\s*([kmg]?)i?b?(?:\/s)?$/i.exec(text.trim()) ?? []
  const rate = Math.floor(Number(number) * (units.get(unit.toLowerCase()) ?? 0))
  if (number === '' || !Number.isSafeInteger(rate))
    throw new InvalidArgumentError('It must be bytes a second, such as 500k, 1.5M or 2MB/s.')
  if (rate < rateMin) throw new InvalidArgumentError('It must be 64k or more: below, others give up waiting.')
  return rate
}
