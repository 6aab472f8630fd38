import { setTimeout as sleep } from 'node:timers/promises'
import type { Channel, Handler } from '../peers/peer.ts'
import { checkOneWay, OneWaySender } from './one-way.ts'
import { percentile } from './percentile.ts'
import { echoTo, requestBytes, Requester } from './requester.ts'
import type { Workload } from './workload.ts'

const bulkBytes = 64 * 1024
const bulkMs = 4_000
const pingEveryMs = 2
const warmUpBulk = 500
const warmUpPings = 100

export const workload: Workload = {
  about: '4 s of 64 KiB messages one way, a 64 B ping every 2 ms on another circuit of the same connection',
  listen: () => ({ accept: acceptEither }),
  dial: async ({ peer, scale }, address) => {
    const connection = await peer.dial(address)
    const bulk = new OneWaySender(await connection.open(), () => Buffer.allocUnsafeSlow(bulkBytes))
    const pings = new Requester(await connection.open())
    for (let warm = 0; warm < warmUpPings; warm += 1) await pings.request()
    await bulk.send((number) => number < warmUpBulk)
    return {
      run: async () => {
        const began = performance.now()
        const until = began + bulkMs * scale
        const pinging = pingUntil(until, pings)
        const count = await bulk.send(() => performance.now() < until)
        const seconds = (performance.now() - began) / 1_000
        const milliseconds = await pinging
        return {
          measures: [
            { metric: 'p50', unit: 'ms', value: percentile(milliseconds, 0.5) },
            { metric: 'p99', unit: 'ms', value: percentile(milliseconds, 0.99) },
            { metric: 'bulk', unit: 'MB/s', value: (count * bulkBytes) / 1e6 / seconds },
          ],
          work: { amount: (count * bulkBytes) / 2 ** 30, unit: 's/GiB' },
        }
      },
    }
  },
}

/** The first message tells which of the two channels it is. */
function acceptEither(channel: Channel): void {
  let handler: Handler | undefined
  channel.receive((bytes, start, end) => {
    handler ??= end - start === requestBytes ? echoTo(channel) : checkOneWay(channel, bulkBytes)
    handler(bytes, start, end)
  })
}

/** A ping every 2 ms, whether or not the one before has come back. Resolves to all round trips. */
async function pingUntil(until: number, pings: Requester): Promise<number[]> {
  const milliseconds: number[] = []
  const running: Promise<void>[] = []
  const ping = async (): Promise<void> => {
    const sent = performance.now()
    await pings.request()
    milliseconds.push(performance.now() - sent)
  }
  const timer = setInterval(() => running.push(ping()), pingEveryMs)
  await sleep(until - performance.now())
  clearInterval(timer)
  await Promise.all(running)
  return milliseconds
}
