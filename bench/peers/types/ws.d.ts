import type { Server } from 'node:http'

export declare class WebSocket {
  /** Bytes that have been sent and not yet been given to the system. */
  readonly bufferedAmount: number
  constructor(address: string, options?: { rejectUnauthorized?: boolean; perMessageDeflate?: boolean })
  on(event: 'message', listener: (message: Uint8Array) => void): this
  once(event: 'open', listener: () => void): this
  once(event: 'error', listener: (error: Error) => void): this
  send(message: Uint8Array, sent?: (error?: Error) => void): void
}

export declare class WebSocketServer {
  constructor(options: { server: Server; perMessageDeflate?: boolean })
  on(event: 'connection', listener: (socket: WebSocket) => void): this
}
