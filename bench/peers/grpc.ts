import { GrpcPeer } from './grpc/grpc-peer.ts'
import type { Peer } from './peer.ts'

export function createPeer(): Peer {
  return new GrpcPeer()
}
