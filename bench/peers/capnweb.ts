import { CapnwebPeer } from './capnweb/capnweb-peer.ts'
import type { Peer } from './peer.ts'

export function createPeer(): Peer {
  return new CapnwebPeer()
}
