import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { newWebSocketRpcSession, RpcTarget, type Stub } from 'capnweb'
import { WebSocket, WebSocketServer } from 'ws'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { CapnwebChannel, Inbox } from './capnweb-channel.ts'

/** Calls over a WebSocket: each side hands the other an object to call for each channel. */
export class CapnwebPeer implements Peer {
  readonly version: string = installedVersions('capnweb', 'ws')
  readonly settings: string =
    'WebSocket without encryption; an object at each side for each stream, a call for each message, at most 256 of them or 1 MiB unanswered'

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const server = http.createServer()
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    sockets.on('connection', (socket) => void newWebSocketRpcSession(socket, new Switchboard(accept)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async dial(address: string): Promise<Connection> {
    const socket = new WebSocket(address, { perMessageDeflate: false })
    const switchboard = newWebSocketRpcSession<Switchboard>(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return {
      // Calls go to the promise of the far object: they need not wait for it.
      open: (first) => {
        const inbox = new Inbox()
        const channel = new CapnwebChannel(switchboard.open(inbox), inbox)
        if (first !== undefined) channel.send(first)
        return Promise.resolve(channel)
      },
    }
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}

class Switchboard extends RpcTarget {
  readonly #accept: (channel: Channel) => void

  constructor(accept: (channel: Channel) => void) {
    super()
    this.#accept = accept
  }

  open(remote: Inbox): Inbox {
    const inbox = new Inbox()
    // What comes as a parameter is a stub, and is released when this returns.
    this.#accept(new CapnwebChannel((remote as unknown as Stub<Inbox>).dup(), inbox))
    return inbox
  }
}
