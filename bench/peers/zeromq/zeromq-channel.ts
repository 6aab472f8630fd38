import { guarded } from '../guarded.ts'
import type { Channel, Handler, Outlet } from '../peer.ts'

export class ZeromqChannel implements Channel {
  readonly #outlet: Outlet
  #handler: Handler = () => {}

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  send(bytes: Uint8Array, start?: number, end?: number): boolean {
    return this.#outlet.send(bytes, start, end)
  }

  ready(): Promise<void> {
    return this.#outlet.ready()
  }

  receive(handler: Handler): void {
    this.#handler = guarded(handler)
  }

  take(message: Uint8Array): void {
    this.#handler(message, 0, message.length)
  }
}
