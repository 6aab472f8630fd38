import { createPublicKey, verify as verifyWithKey } from 'node:crypto'
import { checkPublicKey } from './node-id.ts'
import { PlaitError } from '../base/error.ts'

/** Whether `signature` (64 bytes) over `message` was made with the private half of `publicKey`. Never throws on bad input. */
export type Verify = (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean

/**
 * Ed25519 (RFC 8032). False also for keys that `checkPublicKey` refuses, under some of which OpenSSL accepts any message.
 */
export const verify: Verify = (publicKey, message, signature) => {
  if (signature.length !== 64 || !isUsable(publicKey)) return false
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: 'der', type: 'spki' })
  return verifyWithKey(null, message, key, signature)
}

/** What stands before the key in SubjectPublicKeyInfo DER (RFC 8410). */
export const spkiPrefix: Uint8Array = Uint8Array.from([
  0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
])

function isUsable(publicKey: Uint8Array): boolean {
  try {
    checkPublicKey(publicKey)
    return true
  } catch (error) {
    if (PlaitError.is(error)) return false
    throw error
  }
}
