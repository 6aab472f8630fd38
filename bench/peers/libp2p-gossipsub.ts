import { GossipsubPeer } from './libp2p/gossipsub-peer.ts'
import type { Peer } from './peer.ts'

export function createPeer(): Peer {
  return new GossipsubPeer()
}
