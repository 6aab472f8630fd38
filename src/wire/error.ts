import { utf8Length, utf8Write } from '../base/bytes.ts'
import { PlaitError, wireErrorNumbers } from '../base/error.ts'
import type { ErrorCode, ErrorFacts, WireErrorCode } from '../base/error.ts'
import { defaultLimits } from '../base/limits.ts'
import type { Limits } from '../base/limits.ts'
import { varintLength, writeVarint } from '../base/varint.ts'
import { decodeFacts, encodeFacts, isFact } from './facts.ts'
import { Reader } from './reader.ts'

/** An error as it crosses the wire: a number, a sentence, small facts. */
export interface WireError {
  /** 0-255 session, 256-511 circuit, from 4096 the application's. */
  readonly code: number
  readonly message: string
  readonly facts?: ErrorFacts
}

/** From here up the numbers are the application's. */
export const applicationErrorMin = 4_096

/** The body of REFUSE, RESET and GOAWAY. */
export function encodeError(error: PlaitError, limits: Limits = defaultLimits): Uint8Array {
  const wireError = wireErrorFrom(error, limits)
  const out = new Uint8Array(errorLength(wireError, limits))
  writeError(out, 0, wireError)
  return out
}

/** The error in the body of REFUSE, RESET or GOAWAY. Throws `PROTOCOL` or `LIMIT` when there is none. */
export function decodeError(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
  limits: Limits = defaultLimits,
): PlaitError {
  const reader = new Reader(bytes, start, end)
  const error = readError(reader, limits)
  reader.finish()
  return plaitErrorFrom(error)
}

/**
 * What the other side is told of `error`. Codes that never leave a process become `ABORTED`, with the code as the fact `code`; facts
 * that cannot cross are left out, and the last ones of those that are too many.
 */
export function wireErrorFrom(error: PlaitError, limits: Limits = defaultLimits): WireError {
  const code = wireNumber(error)
  const isTranslated = code === wireErrorNumbers.ABORTED && error.code !== 'ABORTED'
  const entries: [string, string | number | boolean][] = isTranslated ? [['code', error.code]] : []
  for (const [name, value] of Object.entries(error.facts)) {
    const isNumber = error.code === 'REMOTE' && name === 'number'
    if (isFact(value) && !isNumber) entries.push([name, value])
  }
  while (entries.length > 0 && encodeFacts(recordOf(entries)).length > limits.errorFactsBytes) entries.pop()
  return entries.length === 0
    ? { code, message: error.message }
    : { code, message: error.message, facts: recordOf(entries) }
}

/**
 * The error that the other side told of. The application's numbers, and those without a code here, become `REMOTE` with the fact
 * `number`.
 */
export function plaitErrorFrom(error: WireError): PlaitError {
  const code = codesByNumber.get(error.code)
  if (code === undefined) {
    return new PlaitError('REMOTE', error.message, {
      facts: recordOf([...Object.entries(error.facts ?? {}), ['number', error.code]]),
      traced: false,
    })
  }
  const { facts } = error
  return new PlaitError(code, error.message, facts === undefined ? { traced: false } : { facts, traced: false })
}

/**
 * Bytes that `writeError` writes. Throws `INVALID_ARGUMENT` for a code that is no u16 or facts that cannot cross, and
 * `FRAGMENT_TOO_LARGE` for facts beyond their limit. A message above 1 KiB is cut when it is written.
 */
export function errorLength(error: WireError, limits: Limits): number {
  const { code, message } = error
  if (!Number.isInteger(code) || code < 0 || code > 0xffff) {
    throw new PlaitError('INVALID_ARGUMENT', `the number of an error is in 0 .. 65535, not ${code}`)
  }
  if (typeof message !== 'string') throw new PlaitError('INVALID_ARGUMENT', 'the message of an error is a text')
  const messageBytes = utf8Length(cut(message))
  const factsBytes = encodeFacts(error.facts).length
  const limit = limits.errorFactsBytes
  if (factsBytes > limit) {
    throw new PlaitError('FRAGMENT_TOO_LARGE', `the facts of an error take ${factsBytes} bytes of ${limit}`, {
      facts: { limit },
    })
  }
  return 2 + varintLength(messageBytes) + messageBytes + varintLength(factsBytes) + factsBytes
}

/** Writes what `errorLength` has accepted; returns the offset behind it. */
export function writeError(out: Uint8Array, offset: number, error: WireError): number {
  out[offset] = error.code
  out[offset + 1] = error.code >>> 8
  const message = cut(error.message)
  const messageEnd = utf8Write(message, out, writeVarint(out, offset + 2, utf8Length(message)))
  const facts = encodeFacts(error.facts)
  const factsStart = writeVarint(out, messageEnd, facts.length)
  out.set(facts, factsStart)
  return factsStart + facts.length
}

/** Throws `PROTOCOL` for what is malformed, `LIMIT` for what is too long. */
export function readError(reader: Reader, limits: Limits): WireError {
  const code = reader.u16()
  const message = reader.text(limits.errorMessageBytes)
  const factsBytes = reader.length(limits.errorFactsBytes)
  return factsBytes === 0 ? { code, message } : { code, message, facts: decodeFacts(reader.bytes(factsBytes)) }
}

function wireNumber(error: PlaitError): number {
  if (Object.hasOwn(wireErrorNumbers, error.code)) return wireErrorNumbers[error.code as WireErrorCode]
  if (error.code === 'NODE_CLOSED') return wireErrorNumbers.GOING_AWAY
  const number = error.code === 'REMOTE' ? error.facts['number'] : undefined
  const isNumber = typeof number === 'number' && Number.isInteger(number) && number >= 0 && number <= 0xffff
  return isNumber ? number : wireErrorNumbers.ABORTED
}

function recordOf(entries: readonly (readonly [string, string | number | boolean])[]): ErrorFacts {
  const record = Object.create(null) as Record<string, string | number | boolean>
  for (const [name, value] of entries) record[name] = value
  return record
}

/** As many whole characters from the front as every receiver takes. */
function cut(text: string): string {
  const bytesMax = defaultLimits.errorMessageBytes
  if (utf8Length(text) <= bytesMax) return text
  let front = ''
  let length = 0
  for (const character of text) {
    length += utf8Length(character)
    if (length > bytesMax) break
    front += character
  }
  return front
}

const codesByNumber: ReadonlyMap<number, ErrorCode> = new Map(
  Object.entries(wireErrorNumbers).map(([code, number]) => [number, code as WireErrorCode]),
)
