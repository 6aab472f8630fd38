import { assert } from './assert.ts'

/** Shared; nobody can write to what has no bytes. */
export const emptyBytes: Uint8Array = new Uint8Array(0)

/** Whether both have the same bytes. Takes a time that depends on them: never for secrets. */
export function bytesEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false
  for (let index = 0; index < left.length; index += 1) if (left[index] !== right[index]) return false
  return true
}

/** One fresh buffer of exactly the length of all. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const whole = new Uint8Array(length)
  let offset = 0
  for (const part of parts) {
    whole.set(part, offset)
    offset += part.length
  }
  return whole
}

/** Lower-case hexadecimal. */
export function encodeHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15)
  return text
}

/** The bytes of lower-case hexadecimal; undefined for anything else, also for an odd length. */
export function decodeHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let index = 0; index < bytes.length; index += 1) {
    const high = hexDigits.indexOf(text.charAt(index * 2))
    const low = hexDigits.indexOf(text.charAt(index * 2 + 1))
    if (high < 0 || low < 0) return undefined
    bytes[index] = (high << 4) | low
  }
  return bytes
}

/** RFC 4648 base32, lower case, no padding. */
export function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += base32Digits.charAt((held >>> (bits - 5)) & 31)
  }
  return bits === 0 ? text : text + base32Digits.charAt((held << (5 - bits)) & 31)
}

/**
 * The bytes of `text`; undefined unless it is what `encodeBase32` gives: no padding, no upper case, no length that cannot be,
 * and the bits that stand for nothing are zero.
 */
export function decodeBase32(text: string): Uint8Array | undefined {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let bits = 0
  let held = 0
  let filled = 0
  for (let index = 0; index < text.length; index += 1) {
    const value = base32Digits.indexOf(text.charAt(index))
    if (value < 0) return undefined
    held = ((held << 5) | value) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[filled] = held >>> bits
    filled += 1
  }
  const spare = held & ((1 << bits) - 1)
  return bits >= 5 || spare !== 0 ? undefined : bytes
}

/** Bytes of `text` in UTF-8; a lone surrogate counts as U+FFFD, as `utf8Write` writes it. */
export function utf8Length(text: string): number {
  const units = text.length
  let length = units
  for (let index = 0; index < units; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit < 0x80) continue
    if (unit < 0x800) length += 1
    else if (unit >= 0xd800 && unit < 0xdc00 && (text.charCodeAt(index + 1) & 0xfc00) === 0xdc00) {
      // A pair: two units, four bytes.
      length += 2
      index += 1
    } else length += 2
  }
  return length
}

/** Writes `text` at `offset` and returns the offset behind it. There must be room for `utf8Length(text)` bytes. */
export function utf8Write(text: string, out: Uint8Array, offset: number): number {
  const units = text.length
  assert(offset + units <= out.length, 'room for the text')
  if (units <= shortWriteUnits) {
    let index = 0
    for (; index < units; index += 1) {
      const unit = text.charCodeAt(index)
      if (unit >= 0x80) break
      out[offset + index] = unit
    }
    if (index === units) return offset + units
  }
  const { read, written } = encoder.encodeInto(text, out.subarray(offset))
  assert(read === units, 'room for the text')
  return offset + written
}

/** The text at `start` .. `end`; undefined when it is not well-formed UTF-8. A byte order mark is a character like any other. */
export function utf8Read(bytes: Uint8Array, start: number, end: number): string | undefined {
  const short = end - start <= shortReadBytes ? readAscii(bytes, start, end) : undefined
  if (short !== undefined) return short
  try {
    return decoder.decode(bytes.subarray(start, end))
  } catch {
    return undefined
  }
}

/** The text when all of it is ASCII. Code units first and one string from them: adding up characters leaves a chain of strings. */
function readAscii(bytes: Uint8Array, start: number, end: number): string | undefined {
  const units = new Array<number>(end - start)
  for (let index = start; index < end; index += 1) {
    const byte = bytes[index] as number
    if (byte >= 0x80) return undefined
    units[index - start] = byte
  }
  return String.fromCharCode.apply(undefined, units)
}

/** Up to here a loop beats the call into the engine's codec: measured on Node.js 24. */
const shortWriteUnits = 48
const shortReadBytes = 24

const hexDigits = '0123456789abcdef'
const base32Digits = 'abcdefghijklmnopqrstuvwxyz234567'
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
