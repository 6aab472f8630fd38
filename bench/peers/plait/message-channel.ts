import { bytes, cbor, type Circuit, defineMessage, messenger, type Messenger } from 'plait'
import { readNumber, writeNumber } from '../number.ts'
import type { Channel, Handler } from '../peer.ts'

const Echo = defineMessage({ id: 4_096, name: 'echo', request: bytes() })
const Note = defineMessage({ id: 4_097, name: 'note', request: bytes() })
const Turn = defineMessage({ id: 4_098, name: 'turn', request: cbor<Order>() })

/** What an application might ask with: eight fields of several kinds. */
interface Order {
  readonly number: number
  readonly customer: string
  readonly article: string
  readonly amount: number
  readonly price: number
  readonly urgent: boolean
  readonly tags: readonly string[]
  readonly token: Uint8Array
}

/** Typed messages over a circuit: requests and posts of bytes. */
export class MessageChannel implements Channel {
  protected readonly messages: Messenger

  constructor(circuit: Circuit) {
    this.messages = messenger(circuit)
  }

  // What is posted belongs to the messenger, and the workload goes on with its buffer: a copy, in Node's own pool.
  send(message: Uint8Array, start = 0, end: number = message.length): boolean {
    return this.messages.post(Note, Buffer.from(message.subarray(start, end)))
  }

  ready(): Promise<void> {
    return this.messages.ready()
  }

  receive(handler: Handler): void {
    this.messages.handle(Note, (message) => {
      handler(message, 0, message.length)
      return message
    })
  }

  request(message: Uint8Array): Promise<Uint8Array> {
    return this.messages.request(Echo, message)
  }

  echo(): void {
    this.messages.handle(Echo, (message) => message)
  }
}

/** The same with a record in CBOR instead of bytes. */
export class RecordChannel extends MessageChannel {
  override async request(message: Uint8Array): Promise<Uint8Array> {
    const order: Order = {
      number: readNumber(message, 0),
      customer: 'Ada Lovelace',
      article: 'analytical engine',
      amount: 3,
      price: 1_299.5,
      urgent: true,
      tags: ['brass', 'steam'],
      token: message.subarray(4, 12),
    }
    const { number } = await this.messages.request(Turn, order)
    const answer = new Uint8Array(message.length)
    writeNumber(answer, 0, number)
    return answer
  }

  override echo(): void {
    this.messages.handle(Turn, (order) => order)
  }
}
