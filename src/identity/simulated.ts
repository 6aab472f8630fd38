import { createHash, createHmac } from 'node:crypto'
import { PlaitError } from '../base/error.ts'
import { identityFromPrivateKey, privateKeyFromSeed, type Identity } from './identity.ts'
import type { Verify } from './signature.ts'

/**
 * The twin for simulations: a real key made from `seed` (any bytes, any length), so that its id is one that every check accepts,
 * and signatures that are keyed hashes, 64 bytes long. They prove nothing to anyone: whoever knows the id can make them.
 */
export function simulatedIdentity(seed: Uint8Array): Identity {
  const real = identityFromPrivateKey(privateKeyFromSeed(createHash('sha256').update(seed).digest()))
  return {
    id: real.id,
    publicKey: real.publicKey,
    sign: (message) => keyedHash(real.publicKey, message),
    tls() {
      throw new PlaitError('INVALID_KEY', 'a simulated identity cannot speak TLS; make one with createIdentity()')
    },
    close() {},
  }
}

/** Checks what a simulated identity has signed, and nothing else. */
export const simulatedVerify: Verify = (publicKey, message, signature) => {
  const expected = keyedHash(publicKey, message)
  return signature.length === expected.length && expected.every((byte, index) => byte === signature[index])
}

function keyedHash(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  return Uint8Array.from(createHmac('sha512', publicKey).update(message).digest())
}
