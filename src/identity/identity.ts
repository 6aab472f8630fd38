import { createPrivateKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { makeCertificate } from './certificate.ts'
import { nodeIdFromPublicKey, type NodeId } from './node-id.ts'

/** A private key in use: what a node is. */
export interface Identity {
  readonly id: NodeId
  /** 32 bytes; not to be changed. */
  readonly publicKey: Uint8Array
  /** The 64 bytes of an Ed25519 signature, owned by the caller. Deterministic: the same message gives the same bytes. */
  sign(message: Uint8Array): Uint8Array
  /** What TLS needs to prove this key; made on first use. A simulated identity has none and throws `INVALID_KEY`. */
  tls(): TlsCredentials
  /** Frees the key file for others. Idempotent. */
  close(): void
}

/** Private key and self-signed certificate, both PEM. */
export interface TlsCredentials {
  readonly key: string
  readonly certificate: string
}

/** A fresh key that lives as long as the object. */
export function createIdentity(): Identity {
  return identityFromPrivateKey(generateKeyPairSync('ed25519').privateKey)
}

/** The identity of a given key; `close` runs once when the identity is closed. */
export function identityFromPrivateKey(privateKey: KeyObject, close: () => void = () => {}): Identity {
  const publicKey = rawPublicKey(privateKey)
  const signWithKey = (message: Uint8Array): Uint8Array => plainBytes(sign(null, message, privateKey))
  let credentials: TlsCredentials | undefined
  let closed = false
  return {
    id: nodeIdFromPublicKey(publicKey),
    publicKey,
    sign: signWithKey,
    tls() {
      credentials ??= {
        key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        certificate: makeCertificate(publicKey, signWithKey),
      }
      return credentials
    },
    close() {
      if (closed) return
      closed = true
      close()
    },
  }
}

/** The private key that belongs to a 32-byte seed (RFC 8032). */
export function privateKeyFromSeed(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8Prefix, seed]), format: 'der', type: 'pkcs8' })
}

/** What stands before the seed in PKCS #8 DER (RFC 8410). */
const pkcs8Prefix = Buffer.from('302e020100300506032b657004220420', 'hex')

/** By way of JWK, which costs a tenth of DER. */
function rawPublicKey(privateKey: KeyObject): Uint8Array {
  return plainBytes(Buffer.from(privateKey.export({ format: 'jwk' }).x ?? '', 'base64url'))
}

function plainBytes(buffer: Uint8Array): Uint8Array {
  return Uint8Array.from(buffer)
}
