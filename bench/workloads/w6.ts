import type { Channel, Outlet, Peer } from '../peers/peer.ts'
import { readNumber, writeNumber } from '../peers/number.ts'
import { Sequence, stamp } from './sequence.ts'
import { type ListenEnd, scaled, type Workload } from './workload.ts'

const receivers = 50
const messageBytes = 256
const goBytes = 8
const warmUp = 1_000

/** The listening process sends; the dialling one holds 50 receivers, each with a connection, and a node, of its own. */
export const workload: Workload = {
  about: '20,000 messages of 256 B from one sender to 50 receivers',
  listen: ({ peer }) => broadcaster(peer),
  dial: async ({ peer, scale }, address) => {
    const count = scaled(20_000, scale)
    const consumers: Consumer[] = []
    for (let dialled = 0; dialled < receivers; dialled += 1) {
      consumers.push(new Consumer(await (await peer.dial(address)).open()))
    }
    for (const consumer of consumers) await consumer.join()
    await peer.settled?.()
    await takeAll(consumers, scaled(warmUp, scale))
    return {
      run: async () => {
        const began = performance.now()
        await takeAll(consumers, count)
        const seconds = (performance.now() - began) / 1_000
        return {
          measures: [{ metric: 'rate', unit: 'deliveries/s', value: (count * receivers) / seconds }],
          work: {
            ...{ amount: (count * receivers) / 1e6, unit: 's/M' },
            perSecond: { amount: count, unit: 'messages/CPU s' },
          },
        }
      },
    }
  },
}

/** One message on a channel joins; the next one, with a count, starts a broadcast to all. */
function broadcaster(peer: Peer): ListenEnd {
  const channels: Channel[] = []
  const message = new Uint8Array(messageBytes)
  const broadcast = async (count: number): Promise<void> => {
    const outlets: readonly Outlet[] = peer.broadcast === undefined ? channels : [peer.broadcast(channels)]
    for (let number = 0; number < count; number += 1) {
      stamp(message, number)
      let full = false
      for (const outlet of outlets) full = !outlet.send(message) || full
      if (full) for (const outlet of outlets) await outlet.ready()
    }
  }
  return {
    accept: (channel) => {
      channel.receive((bytes, start) => {
        const count = readNumber(bytes, start)
        if (count > 0) return void broadcast(count)
        channels.push(channel)
        channel.send(bytes, start, start + goBytes)
      })
    },
  }
}

class Consumer {
  readonly #channel: Channel
  readonly #sequence = new Sequence(messageBytes)
  #count = 0
  #done: () => void = () => {}

  constructor(channel: Channel) {
    this.#channel = channel
    channel.receive((bytes, start, end) => {
      if (end - start === goBytes) return this.#done()
      this.#sequence.take(bytes, start, end)
      if (this.#sequence.taken !== this.#count) return
      this.#sequence.finish(this.#count)
      this.#done()
    })
  }

  /** Resolves when the sender knows this receiver. */
  join(): Promise<void> {
    const joined = new Promise<void>((resolve) => (this.#done = resolve))
    this.#channel.send(new Uint8Array(goBytes))
    return joined
  }

  /** Resolves when `count` messages have been taken. */
  expect(count: number): Promise<void> {
    this.#count = count
    return new Promise((resolve) => (this.#done = resolve))
  }

  start(count: number): void {
    const go = new Uint8Array(goBytes)
    writeNumber(go, 0, count)
    this.#channel.send(go)
  }
}

async function takeAll(consumers: readonly Consumer[], count: number): Promise<void> {
  const all = Promise.all(consumers.map((consumer) => consumer.expect(count)))
  consumers[0]?.start(count)
  await all
}
