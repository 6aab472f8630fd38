import { multiaddr } from '@multiformats/multiaddr'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { Libp2pChannel } from './libp2p-channel.ts'
import { addressOf, createLibp2pNode, streamsMost } from './libp2p-node.ts'

const protocol = '/bench/1'

/** A node for each end of each connection, with TCP, TLS and yamux. */
export class Libp2pPeer implements Peer {
  readonly version: string = installedVersions('libp2p', '@libp2p/tcp', '@libp2p/tls', '@libp2p/yamux')
  readonly settings: string =
    'TCP, TLS with both keys, yamux; limits of streams and connections raised; a 9-byte header for each message'

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const node = await createLibp2pNode({ listen: ['/ip4/127.0.0.1/tcp/0'] })
    await node.handle(protocol, (stream) => accept(new Libp2pChannel(stream)), { maxInboundStreams: streamsMost })
    return addressOf(node)
  }

  async dial(address: string): Promise<Connection> {
    const node = await createLibp2pNode({ listen: [] })
    const connection = await node.dial(multiaddr(address))
    return {
      open: async (first) => {
        const channel = new Libp2pChannel(await connection.newStream(protocol, { maxOutboundStreams: streamsMost }))
        if (first !== undefined) channel.send(first)
        return channel
      },
    }
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}
