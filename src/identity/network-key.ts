import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { decodeBase32, encodeBase32 } from '../base/bytes.ts'
import { PlaitError } from '../base/error.ts'
import { asKeyFileError, createPrivateFile, readPrivateFile } from './private-file.ts'

/** Bytes of the pre-shared key of a private network: random ones, never a phrase that somebody could guess. */
const networkKeyBytes = 32

/** Knows the pre-shared key of a private network, and proves it without telling it. */
export class NetworkKey {
  readonly #key: Uint8Array

  /** `key`: 32 random bytes. Throws `INVALID_KEY`. */
  constructor(key: Uint8Array) {
    if (!(key instanceof Uint8Array) || key.length !== networkKeyBytes) {
      throw new PlaitError(
        'INVALID_KEY',
        `the key of a private network is ${networkKeyBytes} random bytes: make one with \`plait psk\``,
      )
    }
    this.#key = key.slice()
  }

  /**
   * 32 bytes: HMAC-SHA-256 (RFC 2104) of the channel's binding and the role of who proves. Bound to both, it is of no use on any other
   * channel, nor to send it back.
   */
  prove(binding: Uint8Array, dialled: boolean): Uint8Array {
    const hmac = createHmac('sha256', this.#key).update(binding)
    return Uint8Array.from(hmac.update(Uint8Array.of(dialled ? 1 : 2)).digest())
  }

  /** Whether `proof` is that of the end with this role, in a time that does not depend on where it differs. */
  verify(proof: Uint8Array, binding: Uint8Array, dialled: boolean): boolean {
    const expected = this.prove(binding, dialled)
    return proof.length === expected.length && timingSafeEqual(proof, expected)
  }
}

/**
 * The 32 bytes in a file that `createNetworkKeyFile` has made. Rejects with `KEY_FILE` when it is missing, can be read by others,
 * or holds something else.
 */
export async function readNetworkKeyFile(path: string): Promise<Uint8Array> {
  let content: Uint8Array | undefined
  try {
    content = await readPrivateFile(path)
  } catch (error) {
    throw asKeyFileError(error, path)
  }
  const facts = { path }
  if (content === undefined) {
    throw new PlaitError(
      'KEY_FILE',
      `there is no ${path}: copy it from another machine of the network, or run: plait psk`,
      { facts },
    )
  }
  const key = decodeBase32(new TextDecoder().decode(content).trim())
  if (key?.length === networkKeyBytes) return key
  throw new PlaitError(
    'KEY_FILE',
    `${path} holds no key of a private network: copy it again, or make one with \`plait psk\``,
    { facts },
  )
}

/** Makes a new key in a new file, mode 0600. Rejects with `KEY_FILE`, also when there is such a file already. */
export async function createNetworkKeyFile(path: string): Promise<void> {
  let created: boolean
  try {
    created = await createPrivateFile(path, `${encodeBase32(randomBytes(networkKeyBytes))}\n`)
  } catch (error) {
    throw asKeyFileError(error, path)
  }
  if (!created)
    throw new PlaitError('KEY_FILE', `${path} is there already, and a key in it would be lost: name another file`, {
      facts: { path },
    })
}
