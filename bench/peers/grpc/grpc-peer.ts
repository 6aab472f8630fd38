import { promisify } from 'node:util'
import { Client, credentials, type MethodDefinition, Server, ServerCredentials } from '@grpc/grpc-js'
import { installedVersions } from '../installed-version.ts'
import type { Channel, Connection, NodeProof, Peer } from '../peer.ts'
import { certificate, key } from '../raw/certificate.ts'
import { GrpcChannel } from './grpc-channel.ts'

const patienceMs = 10_000
const asItIs = (message: Uint8Array): Uint8Array => message

const talk: MethodDefinition = {
  path: '/bench.Bench/Talk',
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
}

/** A call that streams both ways for each channel, with bytes for messages: no time goes into protobuf. */
export class GrpcPeer implements Peer {
  readonly version: string = installedVersions('@grpc/grpc-js')
  readonly settings: string = 'TLS, a call that streams both ways for each stream, bytes instead of protobuf'

  listen(accept: (channel: Channel) => void): Promise<string> {
    const server = new Server()
    server.addService({ talk }, { talk: (call) => accept(new GrpcChannel(call)) })
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) }
    return new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createSsl(null, [pair]), (error, port) => {
        if (error === null) resolve(`127.0.0.1:${port}`)
        else reject(error)
      })
    })
  }

  async dial(address: string): Promise<Connection> {
    const client = new Client(address, credentials.createSsl(Buffer.from(certificate)), {
      'grpc.ssl_target_name_override': 'bench',
      // Else all clients of this process would share one connection.
      'grpc.use_local_subchannel_pool': 1,
    })
    await promisify(client.waitForReady.bind(client))(Date.now() + patienceMs)
    return {
      open: (first) => {
        const channel = new GrpcChannel(client.makeBidiStreamRequest(talk.path, asItIs, asItIs))
        if (first !== undefined) channel.send(first)
        return Promise.resolve(channel)
      },
    }
  }

  proof(): Promise<readonly NodeProof[]> {
    return Promise.resolve([])
  }
}
