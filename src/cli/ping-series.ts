import { setTimeout as delay } from 'node:timers/promises'
import { PlaitError } from '../base/error.ts'

export interface SeriesOptions {
  /** Sends one ping; resolves to its time in ms. */
  readonly ping: () => Promise<number>
  readonly intervalMs: number
  /** Pings to send; Infinity goes on until the signal fires. */
  readonly count: number
  readonly signal: AbortSignal
  readonly onAnswer: (sequence: number, timeMs: number) => void
  readonly onLoss: (sequence: number, error: PlaitError) => void
}

export interface SeriesSummary {
  readonly sent: number
  readonly received: number
  readonly minMs: number
  readonly avgMs: number
  readonly maxMs: number
}

/**
 * Sends pings, one each interval whether or not those before it have come back, and waits for the last ones. It ends early with the
 * signal, and when a ping fails otherwise than by its deadline: there is nobody to send the next one to.
 */
export async function pingSeries(options: SeriesOptions): Promise<SeriesSummary> {
  const { count, intervalMs } = options
  const broken = new AbortController()
  const signal = AbortSignal.any([options.signal, broken.signal])
  const times: number[] = []
  const underWay = new Set<Promise<void>>()
  let sent = 0
  const begin = (sequence: number): void => {
    const one = options
      .ping()
      .then((timeMs) => {
        times.push(timeMs)
        options.onAnswer(sequence, timeMs)
      })
      .catch((error: unknown) => {
        if (signal.aborted) return
        const failure = PlaitError.from(error, 'UNREACHABLE')
        options.onLoss(sequence, failure)
        if (failure.code !== 'TIMEOUT') broken.abort()
      })
      .finally(() => underWay.delete(one))
    underWay.add(one)
  }
  while (sent < count && !signal.aborted) {
    sent += 1
    begin(sent)
    if (sent < count) await delay(intervalMs, undefined, { signal }).catch(() => {})
  }
  if (!signal.aborted) await Promise.race([Promise.all(underWay), aborted(signal)])
  return { sent, received: times.length, ...spread(times) }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function spread(times: readonly number[]): Pick<SeriesSummary, 'minMs' | 'avgMs' | 'maxMs'> {
  let minMs = Infinity
  let maxMs = 0
  let sumMs = 0
  for (const time of times) {
    minMs = Math.min(minMs, time)
    maxMs = Math.max(maxMs, time)
    sumMs += time
  }
  return { minMs, maxMs, avgMs: sumMs / times.length }
}
