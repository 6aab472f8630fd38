import { percentile } from './percentile.ts'
import { Requester, serveEcho } from './requester.ts'
import { scaled, type Workload } from './workload.ts'

const warmUp = 1_000

export const workload: Workload = {
  about: '20,000 echoes of 64 B, one outstanding',
  listen: () => ({ accept: serveEcho }),
  dial: async ({ peer, scale }, address) => {
    const count = scaled(20_000, scale)
    const requester = new Requester(await (await peer.dial(address)).open())
    for (let warm = 0; warm < warmUp; warm += 1) await requester.request()
    return {
      run: async () => {
        const microseconds: number[] = []
        const began = performance.now()
        for (let done = 0; done < count; done += 1) {
          const sent = performance.now()
          await requester.request()
          microseconds.push((performance.now() - sent) * 1_000)
        }
        const seconds = (performance.now() - began) / 1_000
        return {
          measures: [
            { metric: 'p50', unit: 'us', value: percentile(microseconds, 0.5) },
            { metric: 'p99', unit: 'us', value: percentile(microseconds, 0.99) },
            { metric: 'rate', unit: 'req/s', value: count / seconds },
          ],
          work: { amount: count / 1e6, unit: 's/M' },
        }
      },
    }
  },
}
