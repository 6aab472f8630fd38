import { curveKeyPair, Dealer, Router, Subscriber, version, XPublisher } from 'zeromq'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Outlet, Peer } from '../peer.ts'
import { Outbox } from './outbox.ts'
import { ZeromqChannel } from './zeromq-channel.ts'

/** Topics: of every receiver, and, with a name behind it, of one that wants to know whether its subscription holds. */
const everyone = 'all'
const probe = 'probe'

/** For each receiver, at a publisher, which cannot be woken when there is room again. */
const publishedMost = 10_000

interface Address {
  readonly router: string
  readonly publisher: string
  readonly serverKey: string
}

/** ROUTER and DEALER for one to one, PUB and SUB for broadcast; one channel for each dialler. */
export class ZeromqPeer implements Peer {
  readonly version: string = `libzmq ${version}, ${installedVersions('zeromq')}`
  readonly settings: string =
    'CURVE; ROUTER and DEALER, W6 by XPUB and SUB without drops; high-water mark 1,000 messages, of the publisher 10,000'
  #publisher: Outlet | undefined
  #dialled = 0

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const { publicKey, secretKey } = curveKeyPair()
    const security = { curveServer: true, curvePublicKey: publicKey, curveSecretKey: secretKey }
    // Both wait for a slow receiver instead of dropping what is for it.
    const router = new Router({ ...security, mandatory: true })
    const publisher = new XPublisher({ ...security, noDrop: true, sendHighWaterMark: publishedMost })
    publisher.verbosity = 'allSubs'
    await router.bind('tcp://127.0.0.1:*')
    await publisher.bind('tcp://127.0.0.1:*')
    const outbox = new Outbox(publisher)
    this.#publisher = outbox.outlet(Buffer.from(everyone))
    void answerProbes(publisher, outbox)
    void route(router, accept)
    const address = { router: router.lastEndpoint, publisher: publisher.lastEndpoint, serverKey: publicKey }
    return JSON.stringify(address)
  }

  async dial(address: string): Promise<Connection> {
    const { router, publisher, serverKey } = JSON.parse(address) as Address
    const { publicKey, secretKey } = curveKeyPair()
    const security = { curveServerKey: serverKey, curvePublicKey: publicKey, curveSecretKey: secretKey }
    const dealer = new Dealer(security)
    const subscriber = new Subscriber(security)
    dealer.connect(router)
    subscriber.connect(publisher)
    const channel = new ZeromqChannel(new Outbox(dealer).outlet())
    void deliver(dealer, channel)
    // With an end of its own, because a subscription is to all topics that begin with it.
    await subscribe(subscriber, `${probe} ${process.pid} ${this.#dialled++};`, channel)
    let isTaken = false
    return {
      open: () => {
        if (isTaken) return Promise.reject(new Error('a socket of ZeroMQ has no streams'))
        isTaken = true
        return Promise.resolve(channel)
      },
    }
  }

  broadcast(): Outlet {
    if (this.#publisher === undefined) throw new Error('nobody listens')
    return this.#publisher
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}

async function route(router: Router, accept: (channel: Channel) => void): Promise<void> {
  const outbox = new Outbox(router)
  const channelsBySender = new Map<string, ZeromqChannel>()
  for await (const [sender, message] of router) {
    if (sender === undefined || message === undefined) throw new Error('a message without a sender')
    const name = Buffer.from(sender).toString('latin1')
    let channel = channelsBySender.get(name)
    if (channel === undefined) {
      channel = new ZeromqChannel(outbox.outlet(sender))
      channelsBySender.set(name, channel)
      accept(channel)
    }
    channel.take(message)
  }
}

async function deliver(dealer: Dealer, channel: ZeromqChannel): Promise<void> {
  for await (const [message] of dealer) if (message !== undefined) channel.take(message)
}

/** A subscription that has not arrived yet misses what is published: each is answered by a message on its topic. */
async function answerProbes(publisher: XPublisher, outbox: Outbox): Promise<void> {
  for await (const [subscription] of publisher) {
    const topic = subscription?.subarray(1)
    if (topic !== undefined && Buffer.from(topic).toString().startsWith(probe)) outbox.outlet(topic).send(topic)
  }
}

/** Resolves when both subscriptions hold; from then on what is for everyone goes to the channel. */
async function subscribe(subscriber: Subscriber, topic: string, channel: ZeromqChannel): Promise<void> {
  subscriber.subscribe(everyone, topic)
  const messages = subscriber[Symbol.asyncIterator]()
  await messages.next()
  void (async () => {
    for (;;) {
      const { value, done } = await messages.next()
      if (done === true) return
      const message = (value as readonly Uint8Array[])[1]
      if (message !== undefined) channel.take(message)
    }
  })()
}
