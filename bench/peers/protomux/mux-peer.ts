import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { MuxConnection } from './mux-connection.ts'

/** protomux over a secret-stream over TCP; a key pair of its own for each end of each connection. */
export class MuxPeer implements Peer {
  readonly version: string = installedVersions('protomux', '@hyperswarm/secret-stream')
  readonly settings: string
  readonly #corked: boolean

  constructor(corked: boolean) {
    this.#corked = corked
    this.settings = `Noise XX over TCP, ${corked ? 'corked by hand: one batch a turn or for each 64 KiB' : 'a write for each message'}, a channel for each stream`
  }

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const server = net.createServer((socket) => new MuxConnection(false, socket, this.#corked, accept))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return String((server.address() as AddressInfo).port)
  }

  async dial(address: string): Promise<Connection> {
    const socket = net.connect(Number(address), '127.0.0.1')
    const connection = new MuxConnection(true, socket, this.#corked)
    await connection.opened()
    return connection
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}
