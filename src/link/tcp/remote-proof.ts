import type { X509Certificate } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import { PlaitError } from '../../base/error.ts'
import { nodeIdFromPublicKey, type NodeId } from '../../identity/node-id.ts'
import { spkiPrefix } from '../../identity/signature.ts'
import { applicationProtocol } from './credentials.ts'

export interface RemoteProof {
  readonly remoteId: NodeId
  readonly binding: Uint8Array
}

/**
 * Who is at the other end of a channel whose handshake is over. TLS has proven that the other end holds the certificate's key; this
 * looks at the rest. Throws `VERSION_MISMATCH`, `PROTOCOL` or `INVALID_KEY` (fact `found`).
 */
export function proveRemote(socket: TLSSocket): RemoteProof {
  checkApplicationProtocol(socket.alpnProtocol)
  if (socket.getProtocol() !== 'TLSv1.3') throw new PlaitError('PROTOCOL', 'the other end does not speak TLS 1.3')
  if (socket.isSessionReused()) {
    throw new PlaitError(
      'PROTOCOL',
      'the other end resumed a TLS session, which proves nothing about its key; it must make a full handshake',
    )
  }
  return {
    remoteId: nodeIdFromCertificate(socket.getPeerX509Certificate()),
    binding: Uint8Array.from(socket.exportKeyingMaterial(32, 'EXPORTER-plait', Buffer.alloc(0))),
  }
}

function checkApplicationProtocol(found: string | false | null): void {
  if (found === applicationProtocol) return
  const facts = { expected: applicationProtocol, found: found || 'none' }
  if (typeof found === 'string' && found.startsWith('plait/')) {
    throw new PlaitError(
      'VERSION_MISMATCH',
      `the other end speaks ${found}, this one ${applicationProtocol}; update the older one`,
      { facts },
    )
  }
  throw new PlaitError('PROTOCOL', 'the other end speaks TLS, but is not a plait node; check the address and port', {
    facts,
  })
}

/** Names, dates and serial numbers mean nothing. A chain would: a certificate is signed by its own Ed25519 key or refused. */
function nodeIdFromCertificate(certificate: X509Certificate | undefined): NodeId {
  if (certificate === undefined) throw refusal('no certificate, so nobody knows who it is', 'none')
  try {
    return readKey(certificate)
  } catch (error) {
    // OpenSSL throws on keys and signatures that it does not know.
    throw PlaitError.is(error) ? error : refusal('a certificate that OpenSSL cannot read', 'unreadable', error)
  }
}

function readKey(certificate: X509Certificate): NodeId {
  const type = certificate.publicKey.asymmetricKeyType ?? 'unknown'
  const spki = certificate.publicKey.export({ type: 'spki', format: 'der' })
  if (
    type !== 'ed25519' ||
    spki.length !== spkiPrefix.length + 32 ||
    !spkiPrefix.every((byte, index) => byte === spki[index])
  ) {
    throw refusal(`a certificate with a key of type ${type}; plait nodes have Ed25519 keys`, type)
  }
  const remoteId = nodeIdFromPublicKey(spki.subarray(spkiPrefix.length))
  if (certificate.verify(certificate.publicKey)) return remoteId
  throw refusal('a certificate that somebody else has signed; plait nodes sign their own', remoteId)
}

function refusal(presented: string, found: string, cause?: unknown): PlaitError {
  return new PlaitError('INVALID_KEY', `the other end presented ${presented}`, { cause, facts: { found } })
}
