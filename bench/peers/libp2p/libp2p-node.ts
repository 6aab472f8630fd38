import { tcp } from '@libp2p/tcp'
import { tls } from '@libp2p/tls'
import { yamux } from '@libp2p/yamux'
import { createLibp2p, type Libp2p } from 'libp2p'

/** Its defaults would refuse W5 after 32 streams and W6 after 5 connections in a second. */
export const streamsMost = 20_000
const connectionsMost = 1_000

export interface Libp2pNodeOptions<Services> {
  readonly listen: readonly string[]
  /** Parts by their names, with which the node answers in `services`. */
  readonly services?: { readonly [Name in keyof Services]: (components: object) => Services[Name] }
}

export function createLibp2pNode<Services = object>(options: Libp2pNodeOptions<Services>): Promise<Libp2p<Services>> {
  const { listen, services } = options
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
    ...(services !== undefined && { services }),
  })
}

/** Where others dial it. */
export function addressOf(node: Libp2p<unknown>): string {
  const address = node.getMultiaddrs()[0]
  if (address === undefined) throw new Error('the node listens nowhere')
  return address.toString()
}
