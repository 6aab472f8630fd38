import { createPeer as createNetPeer } from '../../bench/peers/net.ts'
import type { Channel, Peer } from '../../bench/peers/peer.ts'

/** Plain TCP, but of the messages of 100 bytes that it sends the 11th leaves before the 10th. */
export function createPeer(): Peer {
  const peer = createNetPeer()
  return {
    version: peer.version,
    settings: peer.settings,
    listen: (accept) => peer.listen(accept),
    dial: async (address) => {
      const connection = await peer.dial(address)
      return { open: async (first) => swapping(await connection.open(first)) }
    },
    proof: () => peer.proof(),
  }
}

function swapping(channel: Channel): Channel {
  let sent = 0
  let held: Uint8Array | undefined
  return {
    ready: () => channel.ready(),
    receive: (handler) => channel.receive(handler),
    send: (bytes, start, end) => {
      if (bytes.length === 100 && ++sent === 10) {
        held = bytes.slice()
        return true
      }
      const below = channel.send(bytes, start, end)
      if (held !== undefined) channel.send(held)
      held = undefined
      return below
    },
  }
}
