import type { Channel, Handler } from '../peers/peer.ts'
import { Sequence, stamp } from './sequence.ts'

/** A short message `end` with the count closes a train of messages; the consumer answers it when all was right. */
const endBytes = 8

/** Takes trains of messages of `bytes` bytes, checks them, and answers the end of each train. */
export function checkOneWay(channel: Channel, bytes: number): Handler {
  const sequence = new Sequence(bytes)
  return (message, start, end) => {
    if (end - start !== endBytes) return sequence.take(message, start, end)
    sequence.finish(Number(new DataView(message.buffer, message.byteOffset + start, endBytes).getBigUint64(0, true)))
    channel.send(new Uint8Array(endBytes))
  }
}

/** The sending side of `checkOneWay`. */
export class OneWaySender {
  readonly #channel: Channel
  readonly #message: () => Uint8Array
  #answered: () => void = () => {}

  /** `message` gives the buffer for the next message; it may be the same one each time where messages are copied. */
  constructor(channel: Channel, message: () => Uint8Array) {
    this.#channel = channel
    this.#message = message
    channel.receive(() => this.#answered())
  }

  /** Sends messages as long as `next(number)` says so. Resolves to their count when the consumer has checked them all. */
  async send(next: (number: number) => boolean): Promise<number> {
    const answered = new Promise<void>((resolve) => (this.#answered = resolve))
    let number = 0
    for (; next(number); number += 1) {
      const message = this.#message()
      stamp(message, number)
      if (!this.#channel.send(message)) await this.#channel.ready()
    }
    const end = new Uint8Array(endBytes)
    new DataView(end.buffer).setBigUint64(0, BigInt(number), true)
    this.#channel.send(end)
    await answered
    return number
  }
}
