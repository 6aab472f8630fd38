import net from 'node:net'
import type { Peer } from './peer.ts'
import { RawPeer } from './raw/raw-peer.ts'

export function createPeer(): Peer {
  return new RawPeer({
    settings: 'TCP without encryption, one write a turn or for each 64 KiB',
    batched: true,
    createServer: (accept) => net.createServer(accept),
    connect: (port) => net.connect(port, '127.0.0.1'),
    readyEvent: 'connect',
  })
}
