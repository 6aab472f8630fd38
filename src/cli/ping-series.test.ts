import { expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import { pingSeries, type SeriesOptions } from './ping-series.ts'

const never = new AbortController().signal

function series(times: readonly (number | PlaitError)[], changes: Partial<SeriesOptions> = {}) {
  const said: string[] = []
  let next = 0
  const summary = pingSeries({
    ping: async () => {
      const time = times[next++] ?? 1
      if (typeof time !== 'number') throw time
      return time
    },
    count: times.length,
    intervalMs: 1,
    signal: never,
    onAnswer: (sequence, timeMs) => said.push(`${sequence} ${timeMs}`),
    onLoss: (sequence, { code }) => said.push(`${sequence} ${code}`),
    ...changes,
  })
  return { said, summary }
}

it('counts what came back and what did not', async () => {
  const { said, summary } = series([2, new PlaitError('TIMEOUT', 'late'), 7])
  expect(await summary).toEqual({ sent: 3, received: 2, minMs: 2, avgMs: 4.5, maxMs: 7 })
  expect(said).toEqual(['1 2', '2 TIMEOUT', '3 7'])
})

it('ends when there is nobody to ping any more', async () => {
  const { said, summary } = series([2, new PlaitError('LINK_LOST', 'gone'), 7], { intervalMs: 20 })
  expect(await summary).toMatchObject({ sent: 2, received: 1 })
  expect(said).toEqual(['1 2', '2 LINK_LOST'])
})

it('does not wait for one before it sends the next, and not for the last when it is stopped', async () => {
  const stop = new AbortController()
  const said: number[] = []
  let sent = 0
  const summary = await pingSeries({
    ping: () => {
      sent += 1
      if (sent === 3) setTimeout(() => stop.abort(), 1)
      // What stops the series ends what is under way too: no losses to report.
      return new Promise((_, reject) => {
        stop.signal.addEventListener('abort', () => reject(new PlaitError('ABORTED', 'stopped')))
      })
    },
    count: Infinity,
    intervalMs: 50,
    signal: stop.signal,
    onAnswer: (sequence) => said.push(sequence),
    onLoss: (sequence) => said.push(sequence),
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect([summary.sent, summary.received, said]).toEqual([3, 0, []])
})

it('waits for what is under way after the last one', async () => {
  const waiting: (() => void)[] = []
  const { said, summary } = series([0, 0], {
    ping: () => new Promise((resolve) => waiting.push(() => resolve(waiting.length))),
    intervalMs: 1,
  })
  setTimeout(() => waiting.toReversed().forEach((resolve) => resolve()), 30)
  expect(await summary).toMatchObject({ sent: 2, received: 2 })
  expect(said).toEqual(['2 2', '1 2'])
})
