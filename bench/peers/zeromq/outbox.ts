import { setTimeout as sleep } from 'node:timers/promises'
import { outgoing } from '../outgoing.ts'
import type { Outlet } from '../peer.ts'
import { Waiters } from '../waiters.ts'

interface Sender {
  send(parts: readonly Uint8Array[]): Promise<void>
}

/** Messages and bytes that wait, at which a sender is asked to wait. */
const messagesMost = 1_000
const bytesMost = 1024 * 1024
const pauseMs = 1

/** A socket of ZeroMQ takes one message at a time: the others queue here. */
export class Outbox {
  readonly #socket: Sender
  readonly #waiters = new Waiters()
  #queue: (readonly Uint8Array[])[] = []
  #bytes = 0
  #sending = false

  constructor(socket: Sender) {
    this.#socket = socket
  }

  /** Where messages go that begin with this part: a router's address, a publisher's topic, or nothing. */
  outlet(prefix?: Uint8Array): Outlet {
    return {
      send: (bytes, start, end) => {
        const message = outgoing(bytes, start, end)
        return this.#push(prefix === undefined ? [message] : [prefix, message], message.length)
      },
      ready: () => (this.#hasRoom() ? Promise.resolve() : this.#waiters.wait()),
    }
  }

  #push(parts: readonly Uint8Array[], bytes: number): boolean {
    this.#queue.push(parts)
    this.#bytes += bytes
    if (!this.#sending) void this.#sendAll()
    return this.#hasRoom()
  }

  async #sendAll(): Promise<void> {
    this.#sending = true
    while (this.#queue.length > 0) {
      const batch = this.#queue
      this.#queue = []
      this.#bytes = 0
      for (const parts of batch) await this.#send(parts)
      this.#waiters.wake()
    }
    this.#sending = false
  }

  /** A publisher that must not drop has no other way to say that a receiver is slow. Then none has been sent the message. */
  async #send(parts: readonly Uint8Array[]): Promise<void> {
    for (;;) {
      try {
        return await this.#socket.send(parts)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
        await sleep(pauseMs)
      }
    }
  }

  #hasRoom(): boolean {
    return this.#queue.length < messagesMost && this.#bytes < bytesMost
  }
}
