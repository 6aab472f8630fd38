import type { Channel } from '../peers/peer.ts'
import { HeapGauge } from './heap-gauge.ts'
import { echoTo, requestBytes } from './requester.ts'
import { scaled, type Workload } from './workload.ts'

const outstanding = 128
const warmUp = 1_000

export const workload: Workload = {
  about: '10,000 circuits or streams, 128 being opened at a time, 64 B each way, all kept open',
  listen: ({ scale }) => {
    const gauge = new HeapGauge()
    const kept: Channel[] = []
    return {
      accept: (channel) => {
        kept.push(channel)
        channel.receive(echoTo(channel))
      },
      begin: () => gauge.begin(),
      finish: () => [{ metric: 'memoryListen', unit: 'B', value: gauge.grownBytes() / scaled(10_000, scale) }],
    }
  },
  dial: async ({ peer, scale }, address) => {
    const count = scaled(10_000, scale)
    const connection = await peer.dial(address)
    const gauge = new HeapGauge()
    const kept: Channel[] = []
    const message = new Uint8Array(requestBytes)
    const openOne = async (): Promise<void> => {
      const channel = await connection.open(message)
      kept.push(channel)
      await new Promise<void>((resolve) => channel.receive(() => resolve()))
    }
    const openAll = async (wanted: number): Promise<void> => {
      let left = wanted
      const work = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          await openOne()
        }
      }
      await Promise.all(Array.from({ length: outstanding }, work))
    }
    await openAll(warmUp)
    return {
      begin: () => gauge.begin(),
      run: async () => {
        const began = performance.now()
        await openAll(count)
        const seconds = (performance.now() - began) / 1_000
        if (kept.length !== warmUp + count)
          throw new Error(`${kept.length} channels are open instead of ${warmUp + count}`)
        return {
          measures: [{ metric: 'rate', unit: 'opens/s', value: count / seconds }],
          work: { amount: count / 1e6, unit: 's/M' },
        }
      },
      finish: () => [{ metric: 'memoryDial', unit: 'B', value: gauge.grownBytes() / count }],
    }
  },
}
