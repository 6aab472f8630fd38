import { Requester, serveEcho } from './requester.ts'
import { sumBelow } from './sequence.ts'
import { scaled, type Workload } from './workload.ts'

const outstanding = 128
const warmUp = 20_000

export const workload: Workload = {
  about: '500,000 echoes of 64 B, 128 outstanding',
  listen: () => ({ accept: serveEcho }),
  dial: async ({ peer, scale }, address) => {
    const count = scaled(500_000, scale, outstanding)
    const requester = new Requester(await (await peer.dial(address)).open())
    await requestAll(requester, warmUp)
    return {
      run: async () => {
        const began = performance.now()
        const sum = await requestAll(requester, count)
        const seconds = (performance.now() - began) / 1_000
        const expected = sumBelow(warmUp + count) - sumBelow(warmUp)
        if (sum !== expected) throw new Error(`the answers add up to ${sum} instead of ${expected}`)
        return {
          measures: [{ metric: 'rate', unit: 'req/s', value: count / seconds }],
          work: { amount: count / 1e6, unit: 's/M' },
        }
      },
    }
  },
}

/** Resolves to the sum of the ids that came back. */
async function requestAll(requester: Requester, count: number): Promise<number> {
  let left = count
  let sum = 0
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const id = await requester.request()
      sum += id
    }
  }
  await Promise.all(Array.from({ length: outstanding }, work))
  return sum
}
