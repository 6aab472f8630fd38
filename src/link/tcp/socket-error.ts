import { PlaitError } from '../../base/error.ts'
import { formatHostPort } from '../address.ts'
import type { LinkAddress } from '../link.ts'

export type Role = 'dial' | 'accept'

/** What a failure before the link exists means, seen from the end that dialled or the one that accepted. */
export function handshakeError(error: unknown, role: Role, { host, port }: LinkAddress): PlaitError {
  if (PlaitError.is(error)) return error
  const code = systemCode(error)
  const remoteAddress = formatHostPort(host, port)
  const options = { cause: error, facts: { host, port, code } }
  if (code.includes('NO_APPLICATION_PROTOCOL')) {
    return new PlaitError(
      'VERSION_MISMATCH',
      `${remoteAddress} and this node have no protocol version in common; update the older one`,
      options,
    )
  }
  if (code.startsWith('ERR_SSL_')) {
    return new PlaitError(
      'PROTOCOL',
      `${remoteAddress} does not speak the TLS 1.3 of a plait node (${code}); check the address and port`,
      options,
    )
  }
  if (role === 'accept')
    return new PlaitError('LINK_LOST', `${remoteAddress} hung up during the handshake (${code})`, options)
  return new PlaitError(
    'UNREACHABLE',
    `cannot reach ${remoteAddress} (${code}); ${advice[code] ?? 'check the address and the network'}`,
    options,
  )
}

/** What a failure of an existing link means. */
export function linkError(error: unknown, remoteAddress: string): PlaitError {
  const code = systemCode(error)
  return new PlaitError('LINK_LOST', `the connection to ${remoteAddress} was lost (${code})`, {
    cause: error,
    facts: { address: remoteAddress, code },
  })
}

/** The connection is gone, without an error and without an end. */
export function hungUp(remoteAddress: string): PlaitError {
  return new PlaitError('LINK_LOST', `${remoteAddress} hung up without closing the link`, {
    facts: { address: remoteAddress },
  })
}

/** Why listening failed. */
export function listenError(error: unknown, address: string): PlaitError {
  const code = systemCode(error)
  const next = listenAdvice[code] ?? 'choose another address'
  return new PlaitError('INVALID_ADDRESS', `cannot listen on ${address} (${code}); ${next}`, {
    cause: error,
    facts: { address, code },
  })
}

export function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}

const advice: Readonly<Partial<Record<string, string>>> = {
  ECONNREFUSED: 'nothing listens there: start the node, or check the port',
  ECONNRESET: 'it hung up during the handshake: try again, or check that it is a plait node',
  EPIPE: 'it hung up during the handshake: try again, or check that it is a plait node',
  ENOTFOUND: 'the name is unknown: check its spelling',
  EAI_AGAIN: 'the name could not be looked up: check the network and its DNS',
  ETIMEDOUT: 'it does not answer: check the address, the firewall between, and that the machine is on',
  EHOSTUNREACH: 'there is no way to that machine: check the address and the network',
  ENETUNREACH: 'there is no way to that network: check the address and the network',
}

const listenAdvice: Readonly<Partial<Record<string, string>>> = {
  EADDRINUSE: 'another program listens there: stop it, or choose another port (0 picks a free one)',
  EADDRNOTAVAIL: 'this machine does not have that address: choose one of its own, or 0.0.0.0',
  EACCES: 'ports below 1024 need privileges: choose a higher one',
  ENOTFOUND: 'the name is unknown: check its spelling',
}
