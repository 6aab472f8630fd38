import type { Peer } from './peer.ts'
import { ReceiveChannel } from './plait/circuit-channel.ts'
import { PlaitPeer } from './plait/plait-peer.ts'

export function createPeer(): Peer {
  return new PlaitPeer('default options, callback door', (circuit) => new ReceiveChannel(circuit))
}
