import { connect, type NatsConnection } from '@nats-io/transport-node'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Outlet, Peer } from '../peer.ts'
import { certificate } from '../raw/certificate.ts'
import { Broker } from './broker.ts'
import { NatsBroadcast, NatsChannel } from './nats-channel.ts'

const openSubject = 'bench.open'
const broadcastSubject = 'bench.all'
const patienceMs = 30_000

/** Both ends are clients of a server between them, which the listening end starts; its CPU time and memory count as that end's. */
export class NatsPeer implements Peer {
  readonly version: string = `${Broker.version()}, ${installedVersions('@nats-io/transport-node')}`
  readonly settings: string =
    'TLS to a server between both ends, whose CPU time and peak memory are in those of the listening end, but not its memory for each stream in W5; a subject each way for each stream, an answer asked for each 512 KiB; W6 by one subject'
  readonly #clients: NatsConnection[] = []
  #broker: Broker | undefined

  get otherPids(): readonly number[] {
    return this.#broker === undefined ? [] : [this.#broker.pid]
  }

  async listen(accept: (channel: Channel) => void): Promise<string> {
    this.#broker = await Broker.start()
    const client = await this.#connect(this.#broker.address)
    client.subscribe(openSubject, {
      callback: (_error, message) => {
        const name = Buffer.from(message.data).toString()
        accept(new NatsChannel(client, `bench.dial.${name}`, `bench.listen.${name}`))
        // After the subscription, on the same connection: so it holds when the answer arrives.
        message.respond()
      },
    })
    await client.flush()
    return this.#broker.address
  }

  async dial(address: string): Promise<Connection> {
    const client = await this.#connect(address)
    const number = this.#clients.length
    const channels: NatsChannel[] = []
    client.subscribe(broadcastSubject, { callback: (_error, message) => channels[0]?.take(message) })
    return {
      open: async (first) => {
        const name = `${number}-${channels.length}`
        const channel = new NatsChannel(client, `bench.listen.${name}`, `bench.dial.${name}`)
        channels.push(channel)
        await client.request(openSubject, Buffer.from(name), { timeout: patienceMs })
        if (first !== undefined) channel.send(first)
        return channel
      },
    }
  }

  broadcast(): Outlet {
    const client = this.#clients[0]
    if (client === undefined) throw new Error('nobody listens')
    return new NatsBroadcast(client, broadcastSubject)
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }

  async #connect(address: string): Promise<NatsConnection> {
    const client = await connect({
      servers: address,
      reconnect: false,
      tls: { ca: certificate, rejectUnauthorized: false },
    })
    this.#clients.push(client)
    void this.#failWithServer(client)
    return client
  }

  /** A server that gave up one of its clients would look like silence. */
  async #failWithServer(client: NatsConnection): Promise<void> {
    const reason = await client.closed()
    throw new Error('the server has ended the connection', { cause: reason })
  }
}
