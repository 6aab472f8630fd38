import type { Peer } from './peer.ts'
import { RecordChannel } from './plait/message-channel.ts'
import { PlaitPeer } from './plait/plait-peer.ts'

export function createPeer(): Peer {
  return new PlaitPeer('default options, typed requests of 8 fields in CBOR', (circuit) => new RecordChannel(circuit))
}
