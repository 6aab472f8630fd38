import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { RawConnection } from './raw-connection.ts'

export interface RawPeerOptions {
  readonly settings: string
  /** Small frames of one turn in one write; else each in a write of its own. */
  readonly batched: boolean
  readonly createServer: (accept: (socket: Socket) => void) => Server
  /** A socket that will be ready when it emits `readyEvent`. */
  readonly connect: (port: number) => Socket
  readonly readyEvent: 'connect' | 'secureConnect'
}

/** Plain Node sockets with a 9-byte header, and nothing else. */
export class RawPeer implements Peer {
  readonly version: string = `Node.js ${process.version}`
  readonly settings: string
  readonly #options: RawPeerOptions

  constructor(options: RawPeerOptions) {
    this.settings = options.settings
    this.#options = options
  }

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const { batched, createServer } = this.#options
    const server = createServer((socket) => new RawConnection(socket, batched, accept))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return String((server.address() as AddressInfo).port)
  }

  async dial(address: string): Promise<Connection> {
    const socket = this.#options.connect(Number(address))
    await once(socket, this.#options.readyEvent)
    return new RawConnection(socket, this.#options.batched)
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}
