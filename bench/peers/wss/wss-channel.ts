import type { WebSocket } from 'ws'
import { guarded } from '../guarded.ts'
import { outgoing } from '../outgoing.ts'
import type { Channel, Handler } from '../peer.ts'
import { Waiters } from '../waiters.ts'

/** Unsent bytes at which a sender waits: as much as the raw rows have in flight. */
const markBytes = 1024 * 1024

export class WssChannel implements Channel {
  readonly #socket: WebSocket
  readonly #waiters = new Waiters()
  /** The same one for each message, so that none costs a closure. */
  readonly #sent = (): void => {
    if (this.#socket.bufferedAmount < markBytes) this.#waiters.wake()
  }

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  send(bytes: Uint8Array, start?: number, end?: number): boolean {
    this.#socket.send(outgoing(bytes, start, end), this.#sent)
    return this.#socket.bufferedAmount < markBytes
  }

  ready(): Promise<void> {
    return this.#socket.bufferedAmount < markBytes ? Promise.resolve() : this.#waiters.wait()
  }

  receive(handler: Handler): void {
    const take = guarded(handler)
    this.#socket.on('message', (message) => take(message, 0, message.length))
  }
}
