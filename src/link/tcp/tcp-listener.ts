import { createServer, type Server, type Socket } from 'node:net'
import { PlaitError } from '../../base/error.ts'
import type { Limits } from '../../base/limits.ts'
import { addressGroup, formatHostPort } from '../address.ts'
import type { Link, LinkAddress, Listener } from '../link.ts'
import { Handshake, type HandshakeOptions } from './handshake.ts'
import { PendingHandshakes } from './pending-handshakes.ts'
import { handshakeError, listenError } from './socket-error.ts'

export interface TcpListenerOptions extends Pick<
  HandshakeOptions,
  'credentials' | 'timers' | 'turns' | 'clock' | 'freshReads'
> {
  readonly limits: HandshakeOptions['limits'] & Pick<Limits, 'pendingHandshakes' | 'pendingHandshakesPerAddress'>
  readonly accept: (link: Link) => void
  readonly refused: (error: PlaitError, remoteAddress: string) => void
}

/** Takes connections in, and hands them on once they have proven who they are. */
export class TcpListener implements Listener {
  readonly address: LinkAddress
  readonly #server: Server
  readonly #options: TcpListenerOptions
  readonly #pending: PendingHandshakes
  #closed = false

  /** Rejects with `INVALID_ADDRESS`. */
  static async open(address: LinkAddress, options: TcpListenerOptions): Promise<TcpListener> {
    const server = createServer({ noDelay: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, formatHostPort(address.host, address.port))))
      server.listen({ host: address.host, port: address.port, backlog: options.limits.pendingHandshakes }, resolve)
    })
    return new TcpListener(server, options)
  }

  private constructor(server: Server, options: TcpListenerOptions) {
    const bound = server.address()
    if (bound === null || typeof bound === 'string')
      throw new PlaitError('INVALID_ADDRESS', 'a TCP server must have a host and a port')
    this.address = { host: bound.address, port: bound.port }
    this.#server = server
    this.#options = options
    this.#pending = new PendingHandshakes(options.limits)
    server.removeAllListeners('error')
    // A connection could not be taken in (out of file descriptors, say); the server goes on.
    server.on('error', (error) => options.refused(handshakeError(error, 'accept', this.address), ''))
    server.on('connection', (raw) => this.#admit(raw))
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    // The port is free at once; the callback would wait for the last link, which may live on.
    this.#server.close()
    this.#pending.abortAll(new PlaitError('NODE_CLOSED', 'the listener was closed during the handshake'))
  }

  #admit(raw: Socket): void {
    const { credentials, limits, timers, turns, clock, freshReads, accept, refused } = this.#options
    const host = raw.remoteAddress
    if (host === undefined || this.#closed) {
      raw.on('error', () => {})
      raw.destroy()
      return
    }
    const remote = { host, port: raw.remotePort ?? 0 }
    const handshake = new Handshake(raw, 'accept', { credentials, limits, timers, turns, clock, freshReads, remote })
    this.#pending.add(handshake, addressGroup(host))
    handshake.link.then(
      (link) => {
        this.#pending.remove(handshake)
        accept(link)
      },
      (error: unknown) => {
        this.#pending.remove(handshake)
        refused(PlaitError.from(error, 'PROTOCOL'), formatHostPort(host, remote.port))
      },
    )
  }
}
