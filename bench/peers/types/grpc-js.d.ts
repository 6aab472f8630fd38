/** Either end's half of a call in which both sides stream. */
export interface DuplexCall {
  readonly writableNeedDrain: boolean
  on(event: 'data', listener: (message: Uint8Array) => void): this
  on(event: 'drain', listener: () => void): this
  on(event: 'error', listener: (error: Error) => void): this
  write(message: Uint8Array): boolean
}

export type Codec = (message: Uint8Array) => Uint8Array

export interface MethodDefinition {
  readonly path: string
  readonly requestStream: boolean
  readonly responseStream: boolean
  readonly requestSerialize: Codec
  readonly requestDeserialize: Codec
  readonly responseSerialize: Codec
  readonly responseDeserialize: Codec
}

export interface ChannelCredentials {
  readonly kind?: unknown
}

export interface ServerCredentials {
  readonly kind?: unknown
}

export declare const credentials: {
  createSsl(roots: Uint8Array): ChannelCredentials
}

export declare const ServerCredentials: {
  createSsl(roots: null, pairs: readonly { private_key: Uint8Array; cert_chain: Uint8Array }[]): ServerCredentials
}

export declare class Server {
  addService(
    service: Readonly<Record<string, MethodDefinition>>,
    implementation: Readonly<Record<string, (call: DuplexCall) => void>>,
  ): void
  bindAsync(address: string, credentials: ServerCredentials, bound: (error: Error | null, port: number) => void): void
}

export declare class Client {
  constructor(address: string, credentials: ChannelCredentials, options: Readonly<Record<string, string | number>>)
  waitForReady(deadline: number, ready: (error?: Error) => void): void
  makeBidiStreamRequest(path: string, serialize: Codec, deserialize: Codec): DuplexCall
}
