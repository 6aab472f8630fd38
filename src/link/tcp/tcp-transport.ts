import { connect } from 'node:net'
import type { PlaitError } from '../../base/error.ts'
import type { Limits } from '../../base/limits.ts'
import type { Identity } from '../../identity/identity.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { Timers } from '../../runtime/timers.ts'
import type { DialOptions, Link, LinkAddress, Transport } from '../link.ts'
import { createCredentials } from './credentials.ts'
import { Handshake, type HandshakeOptions } from './handshake.ts'
import { TcpListener } from './tcp-listener.ts'
import { Turns } from './turns.ts'

export interface TcpTransportOptions {
  readonly identity: Identity
  readonly limits: Pick<
    Limits,
    'handshakeTimeoutMs' | 'pendingHandshakes' | 'pendingHandshakesPerAddress' | 'closeTimeoutMs'
  >
  readonly runtime: { readonly timers: Timers; readonly clock?: Clock }
  /** Told of every connection that came in and did not become a link, with the reason. */
  readonly refused?: (error: PlaitError, remoteAddress: string) => void
  /** Makes a buffer for each read instead of reading into a fixed one; slower, and only to compare. */
  readonly freshReads?: boolean
}

/**
 * TLS 1.3 over TCP (scheme `tcp`). Both ends present a certificate for their Ed25519 key; a link exists when the other end's has been
 * proven. The dialler cannot see that the other end refuses its key: it gets a link that closes with `LINK_LOST`. Listening rejects with
 * `INVALID_ADDRESS` when the address cannot be had.
 */
export function tcpTransport(options: TcpTransportOptions): Transport {
  const credentials = createCredentials(options.identity)
  const { timers, clock } = options.runtime
  const turns = new Turns(timers, clock)
  const common = { credentials, limits: options.limits, timers, turns, clock, freshReads: options.freshReads }
  return {
    scheme: 'tcp',
    dial: (address, dialOptions) => dial(address, dialOptions, common),
    listen: (address, accept) =>
      TcpListener.open(address, {
        ...common,
        limits: options.limits,
        accept,
        refused: options.refused ?? (() => {}),
      }),
  }
}

async function dial(
  address: LinkAddress,
  { remoteId, signal }: DialOptions,
  common: Omit<HandshakeOptions, 'remote' | 'remoteId'>,
): Promise<Link> {
  signal?.throwIfAborted()
  const raw = connect({ host: address.host, port: address.port, noDelay: true })
  const handshake = new Handshake(raw, 'dial', { ...common, remote: address, remoteId })
  const onAbort = (): void => handshake.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort)
  try {
    return await handshake.link
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}
