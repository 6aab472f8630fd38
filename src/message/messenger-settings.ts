import { PlaitError } from '../base/error.ts'
import type { Limits } from '../base/limits.ts'
import type { EncodingName } from './frame.ts'
import type { MessengerOptions } from './messenger-api.ts'
import { checkEncodings } from './system.ts'

/** What a messenger holds to: what its options say, or else the defaults. */
export interface MessengerSettings {
  readonly accept: readonly EncodingName[]
  readonly compressFromBytes: number
  readonly inflatedBytes: number
  readonly flushMs: number
  readonly batchBytes: number
  readonly maxInFlight: number
  readonly maxHandlers: number
  readonly onError: MessengerOptions['onError']
}

/** Throws `INVALID_ARGUMENT`. */
export function settingsFrom(options: MessengerOptions, limits: Limits): MessengerSettings {
  const { maxInFlight = limits.requestsInFlight, maxHandlers = Infinity } = options
  checkCount(maxInFlight, 'maxInFlight', limits.requestsInFlight)
  if (options.maxHandlers !== undefined) checkCount(maxHandlers, 'maxHandlers', Number.MAX_SAFE_INTEGER)
  return {
    accept: checkEncodings(options.accept ?? []),
    compressFromBytes: options.compressFromBytes ?? 1_024,
    inflatedBytes: options.inflatedBytes ?? limits.inflatedBytes,
    flushMs: options.flushMs ?? 0,
    batchBytes: options.batchBytes ?? 64 * 1024,
    maxInFlight,
    maxHandlers,
    onError: options.onError,
  }
}

function checkCount(value: number, name: string, max: number): void {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return
  throw new PlaitError('INVALID_ARGUMENT', `${name} is ${value}; it must be a whole number from 1 to ${max}`)
}
