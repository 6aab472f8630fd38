import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2p } from 'libp2p'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { Libp2pChannel } from './libp2p-channel.ts'

const protocol = '/bench/1'
/** Its defaults would refuse W5 after 32 streams and W6 after 5 connections in a second. */
const streamsMost = 20_000
const connectionsMost = 1_000

/** A node for each end of each connection, with TCP, TLS and yamux. */
export class Libp2pPeer implements Peer {
  readonly version: string = installedVersions('libp2p', '@libp2p/tcp', '@libp2p/tls', '@libp2p/yamux')
  readonly settings: string =
    'TCP, TLS with both keys, yamux; limits of streams and connections raised; a 9-byte header for each message'

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const node = await createNode(['/ip4/127.0.0.1/tcp/0'])
    await node.handle(protocol, (stream) => accept(new Libp2pChannel(stream)), { maxInboundStreams: streamsMost })
    const address = node.getMultiaddrs()[0]
    if (address === undefined) throw new Error('the node listens nowhere')
    return address.toString()
  }

  async dial(address: string): Promise<Connection> {
    const node = await createNode()
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

function createNode(listen: readonly string[] = []): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux({ maxInboundStreams: streamsMost, maxOutboundStreams: streamsMost })],
    connectionManager: {
      maxConnections: connectionsMost,
      inboundConnectionThreshold: connectionsMost,
      maxIncomingPendingConnections: connectionsMost,
    },
  })
}
