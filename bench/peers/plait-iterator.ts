import type { Peer } from './peer.ts'
import { IteratorChannel } from './plait/circuit-channel.ts'
import { PlaitPeer } from './plait/plait-peer.ts'

export function createPeer(): Peer {
  return new PlaitPeer('default options, for await', (circuit) => new IteratorChannel(circuit))
}
