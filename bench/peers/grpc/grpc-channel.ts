import type { DuplexCall } from '@grpc/grpc-js'
import { guarded } from '../guarded.ts'
import { outgoing } from '../outgoing.ts'
import type { Channel, Handler } from '../peer.ts'
import { Waiters } from '../waiters.ts'

export class GrpcChannel implements Channel {
  readonly #call: DuplexCall
  readonly #waiters = new Waiters()

  constructor(call: DuplexCall) {
    this.#call = call
    call.on('drain', () => this.#waiters.wake())
  }

  send(bytes: Uint8Array, start?: number, end?: number): boolean {
    return this.#call.write(outgoing(bytes, start, end))
  }

  ready(): Promise<void> {
    return this.#call.writableNeedDrain ? this.#waiters.wait() : Promise.resolve()
  }

  receive(handler: Handler): void {
    const take = guarded(handler)
    this.#call.on('data', (message) => take(message, 0, message.length))
  }
}
