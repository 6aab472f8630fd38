import { once } from 'node:events'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { WebSocket, WebSocketServer } from 'ws'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { certificate, key } from '../raw/certificate.ts'
import { WssChannel } from './wss-channel.ts'

/** A WebSocket over TLS: one connection is one channel. */
export class WssPeer implements Peer {
  readonly version: string = installedVersions('ws')
  readonly settings: string = 'TLS 1.3, no compression, binary messages'

  async listen(accept: (channel: Channel) => void): Promise<string> {
    const server = https.createServer({ key, cert: certificate, minVersion: 'TLSv1.3' })
    const sockets = new WebSocketServer({ server, perMessageDeflate: false })
    sockets.on('connection', (socket) => accept(new WssChannel(socket)))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `wss://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  async dial(address: string): Promise<Connection> {
    const socket = new WebSocket(address, { rejectUnauthorized: false, perMessageDeflate: false })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    const channel = new WssChannel(socket)
    let isTaken = false
    return {
      open: () => {
        if (isTaken) return Promise.reject(new Error('a WebSocket has no streams'))
        isTaken = true
        return Promise.resolve(channel)
      },
    }
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}
