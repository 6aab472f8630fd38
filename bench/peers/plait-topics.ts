import type { Peer } from './peer.ts'
import { TopicsPeer } from './plait/topics-peer.ts'

export function createPeer(): Peer {
  return new TopicsPeer('topics, default options: a star; receivers sort before they check', {})
}
