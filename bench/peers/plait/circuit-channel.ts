import type { Circuit } from 'plait'
import { type Channel, type Handler, keptBytes } from '../peer.ts'

const copied = { copy: true } as const

/** A circuit whose fragments are taken by the callback door. */
export class ReceiveChannel implements Channel {
  readonly #circuit: Circuit

  constructor(circuit: Circuit) {
    this.#circuit = circuit
  }

  // Small messages with `copy`: the sender keeps one buffer and writes the next message into it, as one does with a socket.
  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    const payload = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    return payload.length < keptBytes ? this.#circuit.send({ payload }, copied) : this.#circuit.send({ payload })
  }

  ready(): Promise<void> {
    return this.#circuit.ready()
  }

  receive(handler: Handler): void {
    this.#circuit.receive(({ payload }) => handler(payload, 0, payload.length))
  }
}

/** A circuit whose fragments are taken by `for await`. */
export class IteratorChannel extends ReceiveChannel {
  readonly #fragments: Circuit

  constructor(circuit: Circuit) {
    super(circuit)
    this.#fragments = circuit
  }

  override receive(handler: Handler): void {
    void this.#read(handler)
  }

  async #read(handler: Handler): Promise<void> {
    for await (const { payload } of this.#fragments) handler(payload, 0, payload.length)
  }
}
