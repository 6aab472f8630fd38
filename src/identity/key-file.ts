import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { PlaitError } from '../base/error.ts'
import { identityFromPrivateKey, type Identity } from './identity.ts'
import { lockKeyFile } from './key-lock.ts'
import { asKeyFileError, createPrivateFile, readPrivateFile, systemCode } from './private-file.ts'

/**
 * Opens the key at `path` and locks it until the identity is closed or the process ends, whichever way. Makes the file (PEM,
 * PKCS #8, mode 0600) when it is missing; beside it stand `.lock` and, while it is in use, `.pid`. Rejects with `KEY_FILE` when
 * the file is not the caller's own, can be read by others, or holds no Ed25519 key, and with `KEY_IN_USE` (fact `pid`) while
 * another identity has it open, in this process too.
 */
export async function openKeyFile(path: string): Promise<Identity> {
  const file = await settlePath(path)
  const release = await lockKeyFile(file)
  try {
    const privateKey = (await readKey(file)) ?? (await createKey(file))
    return identityFromPrivateKey(privateKey, release)
  } catch (error) {
    release()
    throw asKeyFileError(error, file)
  }
}

/** One name for one file, whichever links lead to it, so that it has one lock. */
async function settlePath(path: string): Promise<string> {
  const absolute = resolve(path)
  try {
    return await realpath(absolute)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw asKeyFileError(error, absolute)
  }
  try {
    return join(await realpath(dirname(absolute)), basename(absolute))
  } catch (error) {
    throw asKeyFileError(error, absolute)
  }
}

/** The key in `file`, or undefined when there is no such file. */
async function readKey(file: string): Promise<KeyObject | undefined> {
  const pem = await readPrivateFile(file)
  return pem === undefined ? undefined : parseKey(pem, file)
}

function parseKey(pem: Uint8Array, file: string): KeyObject {
  const refusal = `${file} holds no Ed25519 private key in PEM; restore it from a copy, or move it away to get a new key (and a new node id)`
  let key: KeyObject
  try {
    key = createPrivateKey({ key: Buffer.from(pem), format: 'pem' })
  } catch (error) {
    throw new PlaitError('KEY_FILE', refusal, { cause: error, facts: { path: file } })
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new PlaitError('KEY_FILE', refusal, { facts: { path: file } })
  return key
}

/** Of two makers one wins, and the other reads. */
async function createKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519')
  if (await createPrivateFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }))) return privateKey
  const winner = await readKey(file)
  if (winner === undefined) throw new PlaitError('KEY_FILE', `the key file ${file} comes and goes; try again`)
  return winner
}
