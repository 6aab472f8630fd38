import { checkOneWay, OneWaySender } from './one-way.ts'
import { scaled, type Workload } from './workload.ts'

const messageBytes = 100
const warmUp = 50_000

export const workload: Workload = {
  about: '1,000,000 one-way messages of 100 B',
  listen: () => ({ accept: (channel) => channel.receive(checkOneWay(channel, messageBytes)) }),
  dial: async ({ peer, scale }, address) => {
    const count = scaled(1_000_000, scale)
    const message = new Uint8Array(messageBytes)
    const sender = new OneWaySender(await (await peer.dial(address)).open(), () => message)
    await sender.send((number) => number < warmUp)
    return {
      run: async () => {
        const began = performance.now()
        await sender.send((number) => number < count)
        const seconds = (performance.now() - began) / 1_000
        return {
          measures: [{ metric: 'rate', unit: 'msg/s', value: count / seconds }],
          work: { amount: count / 1e6, unit: 's/M' },
        }
      },
    }
  },
}
