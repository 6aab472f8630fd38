import { setTimeout as sleep } from 'node:timers/promises'
import { type GossipSub, gossipsub } from '@libp2p/gossipsub'
import { identify } from '@libp2p/identify'
import { multiaddr } from '@multiformats/multiaddr'
import type { Libp2p } from 'libp2p'
import { guarded } from '../guarded.ts'
import { InOrder } from '../in-order.ts'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, Handler, NodeProof, Outlet, Peer } from '../peer.ts'
import { GossipsubBroadcast, broadcastTopic } from './gossipsub-broadcast.ts'
import { Libp2pChannel } from './libp2p-channel.ts'
import { addressOf, createLibp2pNode, streamsMost } from './libp2p-node.ts'

const protocol = '/bench/1'
/** What nodes subscribe to they tell each other some time after they have connected, and when does not show. */
const settleMs = 3_000

interface Services {
  readonly identify: unknown
  readonly pubsub: GossipSub
}

/** The listening node publishes to a topic to which all dialling ones have subscribed; nodes as those of `libp2p`. */
export class GossipsubPeer implements Peer {
  readonly version: string = installedVersions('@libp2p/gossipsub', 'libp2p', '@libp2p/tls', '@libp2p/yamux')
  readonly settings: string =
    'gossipsub over nodes as those of libp2p, with its default options but that many nodes may be at one address: each message is signed, and checked by each receiver; it brings messages in no order, so that receivers sort them'
  #publisher: Libp2p<Services> | undefined

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const node = await createNode(['/ip4/127.0.0.1/tcp/0'])
    this.#publisher = node
    const take = (stream: ConstructorParameters<typeof Libp2pChannel>[0]): void => accept(new Libp2pChannel(stream))
    await node.handle(protocol, take, { maxInboundStreams: streamsMost })
    return addressOf(node)
  }

  async dial(address: string): Promise<Connection> {
    const node = await createNode([])
    const { pubsub } = node.services
    pubsub.subscribe(broadcastTopic)
    const connection = await node.dial(multiaddr(address))
    return {
      open: async () => {
        const stream = await connection.newStream(protocol, { maxOutboundStreams: streamsMost })
        return new SubscribedChannel(new Libp2pChannel(stream), pubsub)
      },
    }
  }

  broadcast(): Outlet {
    if (this.#publisher === undefined) throw new Error('nobody listens')
    return new GossipsubBroadcast(this.#publisher.services.pubsub)
  }

  async settled(): Promise<void> {
    await sleep(settleMs)
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}

/** A stream to the publisher and, the other way, what is published. */
class SubscribedChannel implements Channel {
  readonly #stream: Channel
  readonly #pubsub: GossipSub

  constructor(stream: Channel, pubsub: GossipSub) {
    this.#stream = stream
    this.#pubsub = pubsub
  }

  send(bytes: Uint8Array, start?: number, end?: number): boolean {
    return this.#stream.send(bytes, start, end)
  }

  ready(): Promise<void> {
    return this.#stream.ready()
  }

  receive(handler: Handler): void {
    this.#stream.receive(handler)
    const order = new InOrder(guarded(handler))
    this.#pubsub.addEventListener('message', ({ detail: { topic, data } }) => {
      if (topic === broadcastTopic) order.take(data)
    })
  }
}

function createNode(listen: readonly string[]): Promise<Libp2p<Services>> {
  // Many nodes at one address are an attack to it, and get nothing.
  const pubsub = gossipsub({ scoreParams: { IPColocationFactorWeight: 0 } })
  return createLibp2pNode<Services>({ listen, services: { identify: identify(), pubsub } })
}
