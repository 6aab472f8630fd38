import { NatsPeer } from './nats/nats-peer.ts'
import type { Peer } from './peer.ts'

export function createPeer(): Peer {
  return new NatsPeer()
}
