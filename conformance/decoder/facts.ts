import { ByteReader, decodeUtf8, Malformed } from './byte-reader.ts'

export type Facts = ReadonlyMap<string, string | number | boolean>

/** The facts of an error: a map in canonical CBOR of text to text, safe integer or bool; no bytes when there are none. */
export function decodeFacts(bytes: Uint8Array): Facts {
  const facts = new Map<string, string | number | boolean>()
  if (bytes.length === 0) return facts
  const reader = new ByteReader(bytes)
  const { major, argument: entries } = head(reader)
  if (major !== 5 || entries === 0n) throw new Malformed('facts that are not a map')
  let before = ''
  for (let index = 0n; index < entries; index += 1n) {
    const start = reader.remaining
    const name = item(reader)
    if (typeof name !== 'string') throw new Malformed('a fact whose name is no text')
    const key = hexOf(bytes.subarray(bytes.length - start, bytes.length - reader.remaining))
    if (key <= before) throw new Malformed('facts twice, or in another order than that of their encoding')
    before = key
    facts.set(name, item(reader))
  }
  reader.end()
  return facts
}

function item(reader: ByteReader): string | number | boolean {
  const { major, argument } = head(reader)
  if (major === 0 && argument < 2n ** 53n) return Number(argument)
  if (major === 1 && argument < 2n ** 53n - 1n) return Number(-1n - argument)
  if (major === 7 && (argument === 20n || argument === 21n)) return argument === 21n
  if (major !== 3) throw new Malformed(`a fact of CBOR's major type ${major}`)
  const text = decodeUtf8(reader.take(Number(argument)))
  if (text.startsWith('\uFEFF')) throw new Malformed('a fact with a byte order mark')
  return text
}

/** The first byte and the argument of an item (RFC 8949, section 3), in its shortest form. */
function head(reader: ByteReader): { readonly major: number; readonly argument: bigint } {
  const first = reader.u8()
  const [major, info] = [first >> 5, first & 31]
  if (info < 24) return { major, argument: BigInt(info) }
  if (info > 27 || major === 7) throw new Malformed('CBOR of an indefinite length, or another simple value than a bool')
  let argument = 0n
  for (const byte of reader.take(1 << (info - 24))) argument = (argument << 8n) | BigInt(byte)
  const shortest = [24n, 2n ** 8n, 2n ** 16n, 2n ** 32n][info - 24] as bigint
  if (argument < shortest) throw new Malformed('CBOR that is not in its shortest form')
  return { major, argument }
}

function hexOf(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
