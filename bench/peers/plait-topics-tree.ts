import type { Peer } from './peer.ts'
import { TopicsPeer } from './plait/topics-peer.ts'

export function createPeer(): Peer {
  return new TopicsPeer(
    'topics over a tree: signed, checked and handed on by the members; receivers sort before they check',
    { starMembersMax: 0 },
  )
}
