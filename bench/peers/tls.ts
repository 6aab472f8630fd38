import type { Peer } from './peer.ts'
import { createTlsPeer } from './raw/tls-peer.ts'

export function createPeer(): Peer {
  return createTlsPeer(true)
}
