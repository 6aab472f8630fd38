import type { Peer } from './peer.ts'
import { ZeromqPeer } from './zeromq/zeromq-peer.ts'

export function createPeer(): Peer {
  return new ZeromqPeer()
}
