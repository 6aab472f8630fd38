import tls from 'node:tls'
import { certificate, key } from './certificate.ts'
import { RawPeer } from './raw-peer.ts'

/** TLS 1.3 as Node sets it up; the two rows differ only in how often they write. */
export function createTlsPeer(batched: boolean): RawPeer {
  return new RawPeer({
    settings: `TLS 1.3, ${batched ? 'one write a turn or for each 64 KiB' : 'a write for each frame'}`,
    batched,
    createServer: (accept) => tls.createServer({ key, cert: certificate, minVersion: 'TLSv1.3' }, accept),
    connect: (port) => tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1.3' }),
    readyEvent: 'secureConnect',
  })
}
