import { RpcTarget, type Stub } from 'capnweb'
import { guarded } from '../guarded.ts'
import type { Channel, Handler } from '../peer.ts'
import { Waiters } from '../waiters.ts'

/** It has no flow control for calls: what is unanswered is bounded here. */
const callsMost = 256
const bytesMost = 1024 * 1024

/** Takes the messages of one channel, as calls. */
export class Inbox extends RpcTarget {
  #handler: Handler | undefined

  send(bytes: Uint8Array): void {
    this.#handler?.(bytes, 0, bytes.length)
  }

  // A private name: what is public could be called from the other end.
  static attach(inbox: Inbox, handler: Handler): void {
    inbox.#handler = guarded(handler)
  }
}

export class CapnwebChannel implements Channel {
  readonly #remote: Stub<Inbox>
  readonly #inbox: Inbox
  readonly #waiters = new Waiters()
  #calls = 0
  #bytes = 0

  constructor(remote: Stub<Inbox>, inbox: Inbox) {
    this.#remote = remote
    this.#inbox = inbox
  }

  /** Written into the call's text before it returns, so that nothing is kept. */
  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    const message = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    this.#calls += 1
    this.#bytes += message.length
    void this.#call(message)
    return this.#hasRoom()
  }

  ready(): Promise<void> {
    return this.#hasRoom() ? Promise.resolve() : this.#waiters.wait()
  }

  receive(handler: Handler): void {
    Inbox.attach(this.#inbox, handler)
  }

  async #call(message: Uint8Array): Promise<void> {
    await this.#remote.send(message)
    this.#calls -= 1
    this.#bytes -= message.length
    if (this.#hasRoom()) this.#waiters.wake()
  }

  #hasRoom(): boolean {
    return this.#calls < callsMost && this.#bytes < bytesMost
  }
}
