import { nodeIdFromPublicKey } from '../../src/identity/node-id.ts'
import type { Identity } from '../../src/identity/identity.ts'
import type { Verify } from '../../src/identity/signature.ts'
import { PlaitError } from '../../src/base/error.ts'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { checksum } from '../../src/testing/trace.ts'

const signatureBytes = 64

/**
 * An identity for worlds of thousands of members that sign without end: its key is chance, and its signatures are sums that withstand
 * chance and no malice. Nobody here makes one on purpose.
 */
export function keyedIdentity(seed: string): Identity {
  const publicKey = new SeededRandom(seed).bytes(32)
  return {
    id: nodeIdFromPublicKey(publicKey),
    publicKey,
    sign: (message) => sumOf(publicKey, message),
    tls() {
      throw new PlaitError('INVALID_KEY', 'an identity of a simulation cannot speak TLS')
    },
    close() {},
  }
}

/** Checks what a keyed identity has signed. */
export const keyedVerify: Verify = (publicKey, message, signature) => {
  if (signature.length !== signatureBytes) return false
  const expected = sumOf(publicKey, message)
  for (let index = 0; index < signatureBytes; index += 1) if (expected[index] !== signature[index]) return false
  return true
}

function sumOf(publicKey: Uint8Array, message: Uint8Array): Uint8Array {
  const words = new Uint32Array(signatureBytes / 4)
  const [key, sum] = [checksum(publicKey), checksum(message)]
  let state = key ^ Math.imul(sum, 0x9e3779b1)
  for (let index = 0; index < words.length; index += 1) {
    state = Math.imul(state ^ (state >>> 15) ^ key, 0x85ebca6b) + sum
    words[index] = state
  }
  return new Uint8Array(words.buffer)
}
