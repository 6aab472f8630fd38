import type { Peer } from './peer.ts'
import { WssPeer } from './wss/wss-peer.ts'

export function createPeer(): Peer {
  return new WssPeer()
}
