import { bytesEqual, decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { checkPublicKey, publicKeyBytes, type NodeId } from '../identity/node-id.ts'

/** Of 32 bytes and their text each; a power of two. */
const keptMax = 16_384

const ids = new Array<NodeId | undefined>(keptMax)
const keys = new Array<Uint8Array | undefined>(keptMax)

/**
 * The id of a key, and the same text each time. The ids of members come again and again, many in each message: those of the last keys are
 * kept, each at the place that its first bytes name. Throws `INVALID_KEY` as `checkPublicKey` does.
 */
export function idOf(key: Uint8Array): NodeId {
  const place = placeOf(key)
  const kept = keys[place]
  if (kept !== undefined && bytesEqual(kept, key)) return ids[place] as NodeId
  checkPublicKey(key)
  const id = encodeBase32(key) as NodeId
  keys[place] = key.slice()
  ids[place] = id
  return id
}

/** Puts the key of an id at `at`; returns whether that is an id at all. */
export function putKey(id: NodeId, out: Uint8Array, at: number): boolean {
  const place = placeOfText(id)
  let key = ids[place] === id ? keys[place] : undefined
  key ??= decodeBase32(id)
  if (key?.length !== publicKeyBytes) return false
  out.set(key, at)
  return true
}

/** 14 bits of the first two bytes. */
function placeOf(key: Uint8Array): number {
  return (((key[0] as number) << 8) | (key[1] as number)) >>> 2
}

/** The same of the digits: those of three bear 15 bits. */
function placeOfText(id: string): number {
  return ((digitAt(id, 0) << 10) | (digitAt(id, 1) << 5) | digitAt(id, 2)) >>> 1
}

function digitAt(id: string, index: number): number {
  const code = id.charCodeAt(index)
  return code >= letterA ? (code - letterA) & 31 : (code - digit2 + lettersCount) & 31
}

const letterA = 'a'.charCodeAt(0)
const digit2 = '2'.charCodeAt(0)
const lettersCount = 26
