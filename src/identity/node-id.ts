import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'

declare const nodeIdBrand: unique symbol

/** A node's Ed25519 public key in RFC 4648 base32, lower case, no padding: 52 characters. It is the identity, whatever the address. */
export type NodeId = string & { readonly [nodeIdBrand]: true }

/** Length of an Ed25519 public key. */
export const publicKeyBytes = 32

/**
 * Reads a node id. Throws `INVALID_KEY` for everything but 52 lower-case characters that are the canonical encoding of a
 * usable Ed25519 key: see `checkPublicKey`.
 */
export function parseNodeId(text: string): NodeId {
  publicKeyFromNodeId(text as NodeId)
  return text as NodeId
}

/** The id of the node with this key. Throws `INVALID_KEY` for a key that `checkPublicKey` refuses. The bytes stay the caller's. */
export function nodeIdFromPublicKey(publicKey: Uint8Array): NodeId {
  checkPublicKey(publicKey)
  return encodeBase32(publicKey) as NodeId
}

/** The 32 bytes of a node's key, fresh and owned by the caller. Throws `INVALID_KEY` like `parseNodeId`. */
export function publicKeyFromNodeId(id: NodeId): Uint8Array {
  const bytes = typeof id === 'string' && id.length === 52 ? decodeBase32(id) : undefined
  if (bytes === undefined) {
    throw new PlaitError('INVALID_KEY', 'a node id has 52 characters out of a-z and 2-7; copy it again from `plait id`')
  }
  checkPublicKey(bytes)
  return bytes
}

/**
 * Throws `INVALID_KEY` unless `publicKey` is 32 bytes, its y coordinate is below the field's prime (one spelling for each
 * key), and the point is not of small order (under such a key a signature proves nothing: OpenSSL accepts any message under the
 * identity point). Whether the point is on the curve is left to the first signature, which nobody can make under one that is not.
 */
export function checkPublicKey(publicKey: Uint8Array): void {
  if (publicKey.length !== publicKeyBytes) {
    throw new PlaitError('INVALID_KEY', `an Ed25519 key has 32 bytes, this one has ${publicKey.length}`, {
      facts: { bytes: publicKey.length },
    })
  }
  if (!isCanonical(publicKey))
    throw new PlaitError('INVALID_KEY', 'this Ed25519 key is not written canonically; nobody should trust it')
  if (smallOrder.some((y) => equalsWithoutSign(publicKey, y))) {
    throw new PlaitError(
      'INVALID_KEY',
      'this Ed25519 key is of small order: signatures under it prove nothing, so nobody should trust it',
    )
  }
}

/** y < 2^255 - 19, little-endian, sign bit of x aside. */
function isCanonical(publicKey: Uint8Array): boolean {
  if ((publicKey[31]! & 0x7f) !== 0x7f) return true
  for (let index = 30; index > 0; index -= 1) if (publicKey[index] !== 0xff) return true
  return publicKey[0]! < 0xed
}

function equalsWithoutSign(publicKey: Uint8Array, y: Uint8Array): boolean {
  let difference = (publicKey[31]! & 0x7f) ^ y[31]!
  for (let index = 0; index < 31; index += 1) difference |= publicKey[index]! ^ y[index]!
  return difference === 0
}

/** The y coordinates of the eight points of small order: of order 4, 1, 2 and (twice two) 8. */
const smallOrder: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((hex) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)))
