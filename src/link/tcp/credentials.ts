import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { Identity } from '../../identity/identity.ts'

/** The application protocol that both ends must name in the TLS handshake. */
export const applicationProtocol = 'plait/1'

/**
 * TLS 1.3 only, without tickets: a resumed session carries the ticket's identity instead of a proof. The empty list of authorities
 * spares the system's, which are never asked: the key decides.
 */
export function createCredentials(identity: Identity): SecureContext {
  const { key, certificate } = identity.tls()
  return createSecureContext({
    key,
    cert: certificate,
    ca: [],
    minVersion: 'TLSv1.3',
    maxVersion: 'TLSv1.3',
    secureOptions: constants.SSL_OP_NO_TICKET,
  })
}
