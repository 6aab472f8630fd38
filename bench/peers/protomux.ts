import type { Peer } from './peer.ts'
import { MuxPeer } from './protomux/mux-peer.ts'

export function createPeer(): Peer {
  return new MuxPeer(false)
}
