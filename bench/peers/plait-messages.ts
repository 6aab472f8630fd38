import type { Peer } from './peer.ts'
import { MessageChannel } from './plait/message-channel.ts'
import { PlaitPeer } from './plait/plait-peer.ts'

export function createPeer(): Peer {
  return new PlaitPeer('default options, typed requests and posts of bytes', (circuit) => new MessageChannel(circuit))
}
