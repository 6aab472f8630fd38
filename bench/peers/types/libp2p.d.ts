import type { Multiaddr } from '@multiformats/multiaddr'

export interface Stream {
  readonly writableNeedsDrain: boolean
  send(data: Uint8Array): boolean
  onDrain(): Promise<void>
  /** Several pieces may come at once, as a list that iterates over them. */
  addEventListener(event: 'message', listener: (event: { data: Uint8Array | Iterable<Uint8Array> }) => void): void
}

export interface Libp2pConnection {
  newStream(protocol: string, options: { maxOutboundStreams: number }): Promise<Stream>
}

export interface Libp2p<Services = object> {
  readonly services: Services
  handle(protocol: string, take: (stream: Stream) => void, options: { maxInboundStreams: number }): Promise<void>
  dial(address: Multiaddr): Promise<Libp2pConnection>
  getMultiaddrs(): Multiaddr[]
}

export declare function createLibp2p<Services = object>(options: {
  addresses?: { listen: readonly string[] }
  transports: readonly unknown[]
  connectionEncrypters: readonly unknown[]
  streamMuxers: readonly unknown[]
  connectionManager: {
    maxConnections: number
    inboundConnectionThreshold: number
    maxIncomingPendingConnections: number
  }
  services?: { readonly [Name in keyof Services]: (components: object) => Services[Name] }
}): Promise<Libp2p<Services>>
