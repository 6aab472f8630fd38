import { checkOneWay, OneWaySender } from './one-way.ts'
import { scaled, type Workload } from './workload.ts'

const messageBytes = 64 * 1024
const warmUp = 1_000

export const workload: Workload = {
  about: '2 GiB one way in messages of 64 KiB',
  listen: () => ({ accept: (channel) => channel.receive(checkOneWay(channel, messageBytes)) }),
  dial: async ({ peer, scale }, address) => {
    const count = scaled(32_768, scale)
    // A fresh buffer for each message, as reading a file would give.
    const sender = new OneWaySender(await (await peer.dial(address)).open(), () => Buffer.allocUnsafeSlow(messageBytes))
    await sender.send((number) => number < warmUp)
    return {
      run: async () => {
        const began = performance.now()
        await sender.send((number) => number < count)
        const seconds = (performance.now() - began) / 1_000
        return {
          measures: [{ metric: 'rate', unit: 'MB/s', value: (count * messageBytes) / 1e6 / seconds }],
          work: { amount: (count * messageBytes) / 2 ** 30, unit: 's/GiB' },
        }
      },
    }
  },
}
