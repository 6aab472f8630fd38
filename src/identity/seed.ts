import { randomBytes } from 'node:crypto'
import { identityFromPrivateKey, privateKeyFromSeed, type Identity } from './identity.ts'

/** Bytes of the seed of a key. */
export const seedBytes = 32

/** What a key is made of: fresh and random; whoever knows it has the key. */
export function createSeed(): Uint8Array {
  return Uint8Array.from(randomBytes(seedBytes))
}

/** The identity whose key is made of a seed (RFC 8032). */
export function identityFromSeed(seed: Uint8Array): Identity {
  return identityFromPrivateKey(privateKeyFromSeed(seed))
}
