import { Libp2pPeer } from './libp2p/libp2p-peer.ts'
import type { Peer } from './peer.ts'

export function createPeer(): Peer {
  return new Libp2pPeer()
}
