import { depthMax } from '../codec.ts'
import { decodeText } from './utf8.ts'

const quote = 0x22
export const backslash = 0x5c
const colon = 0x3a
/** Most texts end before. */
const soonBytes = 64
/** `[` and `{`, `]` and `}` differ in this bit only. */
const curly = 0x20
const opening = 0x7b
const closing = 0x7d

/**
 * How many names stand in the objects of a JSON text; -1 when it nests more than `depthMax` levels. What is no JSON is left to the
 * parser.
 */
export function namesIn(bytes: Uint8Array): number {
  const { length } = bytes
  let names = 0
  let depth = 0
  let at = 0
  while (at < length) {
    const byte = bytes[at] as number
    at += 1
    // Most of what stands between texts: numbers, commas, spaces.
    if (byte !== quote && byte < colon) continue
    if (byte === quote) at = endOfText(bytes, at) + 1
    else if (byte === colon) names += 1
    else if ((byte | curly) === opening) {
      depth += 1
      if (depth > depthMax) return -1
    } else if ((byte | curly) === closing) depth -= 1
  }
  return names
}

/** How many names the objects of a parsed value have: fewer than its text had where one stood twice in an object. */
export function namesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let names = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') names += namesOf(item)
    return names
  }
  for (const name of Object.keys(value)) {
    names += 1
    const item = (value as Record<string, unknown>)[name]
    if (typeof item === 'object') names += namesOf(item)
  }
  return names
}

/** A text with numbers in the place of its names, and what they stand for; undefined where no name has an escape. */
export function escapedNamesIn(
  bytes: Uint8Array,
): { readonly numbered: string; readonly names: readonly string[] } | undefined {
  const places = placesOfNames(bytes)
  if (!places.some(({ start, end }) => bytes.subarray(start, end).includes(backslash))) return undefined
  const names: string[] = []
  let numbered = ''
  let from = 0
  for (const { start, end } of places) {
    numbered += `${decodeText(bytes.subarray(from, start))}"${names.length}"`
    names.push(String(JSON.parse(decodeText(bytes.subarray(start, end)))))
    from = end
  }
  return { numbered: numbered + decodeText(bytes.subarray(from)), names }
}

/** What was parsed from a numbered text, with its names. */
export function withNames(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map((item) => withNames(item, names))
  // As the parser does: `__proto__` is a name like others.
  return Object.fromEntries(
    Object.entries(value).map(([number, item]) => [names[Number(number)] as string, withNames(item, names)]),
  )
}

/** The texts before a colon, with their quotes. */
function placesOfNames(bytes: Uint8Array): readonly { readonly start: number; readonly end: number }[] {
  const places: { start: number; end: number }[] = []
  let start = 0
  let at = 0
  let end = 0
  while (at < bytes.length) {
    const byte = bytes[at] as number
    if (byte === quote) {
      start = at
      end = Math.min(endOfText(bytes, at + 1) + 1, bytes.length)
      at = end
      continue
    }
    at += 1
    if (byte === colon) {
      places.push({ start, end })
      start = end
    }
  }
  return places
}

/** Where the quote stands that ends a text, whose first byte is at `start`. */
function endOfText(bytes: Uint8Array, start: number): number {
  const { length } = bytes
  let at = start
  for (const soon = Math.min(length, start + soonBytes); at < soon; at += 1) {
    const byte = bytes[at]
    if (byte === quote) return at
    if (byte === backslash) at += 1
  }
  // A long text: the engine looks faster.
  for (;;) {
    const end = bytes.indexOf(quote, at)
    if (end < 0) return length
    let slashes = 0
    while (end - slashes > at && bytes[end - slashes - 1] === backslash) slashes += 1
    if (slashes % 2 === 0) return end
    at = end + 1
  }
}
