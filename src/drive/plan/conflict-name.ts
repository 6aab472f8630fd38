import { utf8Length } from '../../base/bytes.ts'
import { defaultLimits } from '../../base/limits.ts'

/**
 * The name for a version that has to stand beside another one: `report (conflict of ANN, 2026-11-27 14.03).txt`; the `count`th of those
 * that would be called so has the number as well.
 */
export function conflictName(name: string, peer: string, timeNs: bigint, count: number): string {
  const number = count === 1 ? '' : `, ${count}`
  return withSuffix(name, ` (conflict of ${peer.replaceAll(unusable, '_')}, ${minuteOf(timeNs)}${number})`)
}

/** The name for an entry that this disk cannot tell from another one by its name. */
export function spellingName(name: string, count: number): string {
  return withSuffix(name, count === 1 ? ' (other spelling)' : ` (other spelling, ${count})`)
}

/**
 * A name with a suffix before its extension. What is too long is shortened before it, between two characters, so that the suffix stays
 * whole.
 */
function withSuffix(name: string, suffix: string): string {
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 && name.length - dot <= extensionMax ? name.slice(dot) : ''
  const stem = Array.from(name.slice(0, name.length - extension.length))
  const room = defaultLimits.pathComponentBytes - utf8Length(suffix) - utf8Length(extension)
  while (stem.length > 0 && utf8Length(stem.join('')) > room) stem.pop()
  return `${stem.join('')}${suffix}${extension}`
}

/** What a name of a person or machine may have that the name of a file may not. */
const unusable = /[\u0000-\u001f\u007f/\\]/g

/** A longer one is none, but a sentence with a full stop. */
const extensionMax = 16

/** `2026-11-27 14.03`, in UTC: everywhere the same, and without a colon, which some systems refuse. */
function minuteOf(timeNs: bigint): string {
  const minutes = Number(timeNs / 60_000_000_000n)
  const days = Math.floor(minutes / minutesOfDay)
  const minute = minutes - days * minutesOfDay
  return `${dateOf(days)} ${pad(Math.floor(minute / 60), 2)}.${pad(minute % 60, 2)}`
}

const minutesOfDay = 24 * 60

/** The date of a day after 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
function dateOf(days: number): string {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const dayOfEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1_460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  )
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}`
}

function pad(value: number, digits: number): string {
  return String(value).padStart(digits, '0')
}
