import { PlaitError } from '../base/error.ts'
import type { FragmentArgs } from '../wire/fragment.ts'

const longestMs = 9_999_999_999

/** How an exchange says how long it may take: in decimal digits, as a duration, so that clocks need not agree. */
export function deadlineArgs(deadlineMs: number): FragmentArgs {
  return { deadline: String(deadlineMs) }
}

/** How long an exchange may take; `Infinity` when nothing is said of it. Throws `PROTOCOL`. */
export function deadlineOf(args: FragmentArgs): number {
  const text = args['deadline']
  if (text === undefined) return Infinity
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new PlaitError('PROTOCOL', 'the other side sent a deadline that is none')
  return Number(text)
}

/** Throws `INVALID_ARGUMENT` for what is no deadline. */
export function checkDeadline(deadlineMs: number): void {
  if (deadlineMs === Infinity || (deadlineMs > 0 && deadlineMs <= longestMs)) return
  throw new PlaitError('INVALID_ARGUMENT', `deadlineMs is ${deadlineMs}; it must be above 0`)
}
