export interface Msg {
  readonly subject: string
  readonly data: Uint8Array
  readonly reply?: string
  respond(): boolean
}

export interface NatsConnection {
  readonly info?: { readonly version: string }
  publish(subject: string, payload: Uint8Array): void
  subscribe(subject: string, options: { callback: (error: Error | null, message: Msg) => void }): void
  request(subject: string, payload: Uint8Array, options: { timeout: number }): Promise<Msg>
  /** Resolves when the server has taken everything sent before. */
  flush(): Promise<void>
  /** Resolves when the connection has ended, with the reason if it was an error. */
  closed(): Promise<void | Error>
}

export declare function connect(options: {
  servers: string
  reconnect: boolean
  tls: { ca: string; rejectUnauthorized: boolean }
}): Promise<NatsConnection>
