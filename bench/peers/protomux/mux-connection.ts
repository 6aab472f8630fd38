import type { Socket } from 'node:net'
import NoiseSecretStream from '@hyperswarm/secret-stream'
import Protomux, { type MuxChannel } from 'protomux'
import { guarded } from '../guarded.ts'
import { writeNumber } from '../number.ts'
import type { Channel, Connection, Handler } from '../peer.ts'
import { Waiters } from '../waiters.ts'
import { Cork } from './cork.ts'

const protocol = 'bench'

export class MuxConnection implements Connection {
  readonly #mux: Protomux
  readonly #stream: NoiseSecretStream
  readonly #cork: Cork | undefined
  #opened = 0

  constructor(isInitiator: boolean, socket: Socket, corked: boolean, accept?: (channel: Channel) => void) {
    socket.setNoDelay(true)
    this.#stream = new NoiseSecretStream(isInitiator, socket)
    this.#mux = new Protomux(this.#stream)
    this.#cork = corked ? new Cork(this.#mux) : undefined
    if (accept !== undefined) this.#mux.pair({ protocol }, (id) => accept(this.#channel(id)))
  }

  async opened(): Promise<void> {
    if (!(await this.#stream.opened)) throw new Error('the handshake failed')
  }

  open(first?: Uint8Array): Promise<Channel> {
    const id = new Uint8Array(4)
    writeNumber(id, 0, this.#opened++)
    const channel = this.#channel(id)
    if (first !== undefined) channel.send(first)
    return Promise.resolve(channel)
  }

  #channel(id: Uint8Array): MuxStream {
    return new MuxStream(this.#mux, this.#cork, id)
  }
}

class MuxStream implements Channel {
  readonly #mux: Protomux
  readonly #cork: Cork | undefined
  readonly #message: MuxChannel['messages'][number]
  #handler: Handler = () => {}
  readonly #waiters = new Waiters()

  constructor(mux: Protomux, cork: Cork | undefined, id: Uint8Array) {
    this.#mux = mux
    this.#cork = cork
    const channel = mux.createChannel({
      protocol,
      id,
      messages: [{ onmessage: (message) => this.#handler(message, 0, message.length) }],
      ondrain: () => this.#waiters.wake(),
    })
    const message = channel?.messages[0]
    if (channel === null || message === undefined) throw new Error('the connection is gone')
    this.#message = message
    channel.open()
  }

  /** Copied by the mux into a buffer for the cipher, whatever its length. */
  send(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
    const message = start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end)
    this.#cork?.add(message.length)
    const below = this.#message.send(message)
    if (this.#cork === undefined) return below
    this.#cork.endWhenFull()
    return this.#mux.drained
  }

  ready(): Promise<void> {
    if (this.#mux.drained) return Promise.resolve()
    return this.#waiters.wait()
  }

  receive(handler: Handler): void {
    this.#handler = guarded(handler)
  }
}
