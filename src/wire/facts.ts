import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { bytesEqual, emptyBytes } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import type { ErrorFacts } from '../base/error.ts'
import { malformed } from './reader.ts'

/**
 * Facts as a map of text to text, safe integer or bool in canonical CBOR (RFC 8949, section 4.2.1); no bytes when there are none.
 * Lone surrogates become U+FFFD, a byte order mark at the start of a text is dropped. Throws `INVALID_ARGUMENT` for other values.
 */
export function encodeFacts(facts: ErrorFacts | undefined): Uint8Array {
  if (facts === undefined) return emptyBytes
  const valuesByName = new Map<string, string | number | boolean>()
  for (const [name, value] of Object.entries(facts)) valuesByName.set(plainText(name), plainValue(name, value))
  return valuesByName.size === 0 ? emptyBytes : encode(valuesByName, rfc8949EncodeOptions)
}

/** The facts in `bytes`, without a prototype. Throws `PROTOCOL` for anything but what `encodeFacts` writes. */
export function decodeFacts(bytes: Uint8Array): ErrorFacts {
  const decoded = decodeMap(bytes)
  if (!(decoded instanceof Map) || decoded.size === 0) throw malformed('facts that are not a map')
  const facts = Object.create(null) as Record<string, string | number | boolean>
  for (const [name, value] of decoded as ReadonlyMap<unknown, unknown>) {
    if (typeof name !== 'string' || !isFact(value)) throw malformed('facts of an unknown kind')
    facts[name] = value
  }
  // There is one encoding of each map: what comes out differently was not canonical.
  if (!bytesEqual(encode(decoded, rfc8949EncodeOptions), bytes)) throw malformed('facts that are not in canonical CBOR')
  return Object.freeze(facts)
}

/** Whether a value can cross the wire as a fact. */
export function isFact(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isSafeInteger(value)
}

function decodeMap(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, strict)
  } catch {
    // Whatever the library says of it, nesting too deep for the stack included.
    throw malformed('facts that are not CBOR')
  }
}

function plainValue(name: string, value: unknown): string | number | boolean {
  if (!isFact(value)) {
    throw new PlaitError('INVALID_ARGUMENT', `the fact ${name} is neither a text nor a safe integer nor a bool`, {
      facts: { name },
    })
  }
  if (typeof value === 'string') return plainText(value)
  return typeof value === 'number' ? value + 0 : value
}

function plainText(text: string): string {
  return decoder.decode(encoder.encode(text)).replace(/^\uFEFF+/, '')
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const strict = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  useMaps: true,
  rejectDuplicateMapKeys: true,
} as const
