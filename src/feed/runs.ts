import { PlaitError } from '../base/error.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import { lengthMax } from './numbering.ts'

/**
 * Ranges of block numbers: starts and ends in turn, each larger than the one before. Plain numbers: a range costs two of them and no
 * object.
 */
export type Runs = readonly number[]

/** At most `max` runs, at least `min`: their count, then for each how many blocks lie before it and how many it has, all LEB128. */
export function runs(options: { readonly max: number; readonly min?: number }): Schema<Runs> {
  const { max, min = 0 } = options
  return {
    bytesMin: 1 + 2 * min,
    openEnded: false,
    measure(value) {
      const problem = problemOf(value, min, max)
      if (problem !== undefined) throw new PlaitError('INVALID_ARGUMENT', problem)
      let length = varintLength(value.length / 2)
      let before = 0
      for (const bound of value) {
        length += varintLength(bound - before)
        before = bound
      }
      return length
    },
    write(value, out, offset) {
      let at = writeVarint(out, offset, value.length / 2)
      let before = 0
      for (const bound of value) {
        at = writeVarint(out, at, bound - before)
        before = bound
      }
      return at
    },
    read(reader) {
      const count = reader.varint()
      if (count > max) throw beyond(count, max)
      if (count < min) throw malformed(`${count} ranges`)
      if (count * 2 > reader.remaining) throw malformed(`${count} ranges in ${reader.remaining} bytes`)
      const bounds: number[] = []
      let bound = 0
      for (let index = 0; index < count * 2; index += 1) {
        const step = reader.varint()
        if (step === 0 && index > 0) throw malformed('ranges that are empty or touch each other')
        bound += step
        if (bound > lengthMax) throw beyond(bound, lengthMax)
        bounds.push(bound)
      }
      return bounds
    },
    describe: () => ({
      type: 'runs',
      bound: min > 0 ? `${min} to ${max} runs` : `at most ${max} runs`,
    }),
  }
}

function problemOf(value: unknown, min: number, max: number): string | undefined {
  if (!Array.isArray(value) || value.length % 2 !== 0) return 'not starts and ends in turn'
  if (value.length / 2 > max || value.length / 2 < min) return `${value.length / 2} runs are not ${min} .. ${max}`
  let before = -1
  for (const bound of value as readonly unknown[]) {
    if (!Number.isSafeInteger(bound) || (bound as number) <= before) return `${String(bound)} behind ${before}`
    before = bound as number
  }
  return before > lengthMax ? `${before} is above 2^48` : undefined
}
