import { describe, expect, it } from 'vitest'
import type { FeedId } from 'plait'
import { count, withinMs } from '../counts.ts'
import { Far, makeFolder } from './far.ts'
import type { Mischief } from './mischief.ts'

const KiB = 1024

interface Fetched {
  readonly ms: number
  readonly came: number
  readonly distinct: number
  readonly wrong: number
}

/** Chunks by number and length, and which of them each of two holders has: all but a tenth, so that every one is somewhere. */
const kinds = [
  { bytes: 8 * KiB, amount: count(20_000, 2_000) },
  { bytes: 256 * KiB, amount: count(640, 64) },
]
const total = kinds.reduce((sum, { amount }) => sum + amount, 0)
const payload = kinds.reduce((sum, { amount, bytes }) => sum + amount * bytes, 0)

async function holderOf(
  id: FeedId | undefined,
  part: 'all' | 'first' | 'last',
  mischief?: Mischief,
): Promise<[Far, FeedId]> {
  const far = await Far.start(makeFolder(), mischief === undefined ? {} : { mischief })
  const feed = id ?? (await far.ask<FeedId>('create', { count: 1, bytes: 100 }))
  await far.ask('open', { id: feed })
  for (const { bytes, amount } of kinds) {
    const less = part === 'all' ? 0 : Math.floor(amount / 10)
    await far.ask('keepChunks', { id: feed, bytes, start: part === 'last' ? less : 0, count: amount - less })
  }
  return [far, feed]
}

async function fetchAll(id: FeedId, holders: readonly Far[]): Promise<{ fetched: Fetched; wireBytes: number }> {
  const reader = await Far.start(makeFolder())
  await reader.ask('open', { id, options: { mode: 'sparse' } })
  await Promise.all(holders.map(({ address }) => reader.ask('connect', { address })))
  const before = await reader.facts()
  const fetched = await reader.ask<Fetched>('fetchChunks', { id, kinds })
  const after = await reader.facts()
  return { fetched, wireBytes: after.received + after.sent - before.received - before.sent }
}

describe('F2 chunks of files', () => {
  it('come whole from two holders of which neither has all, each once, with little more than themselves', async () => {
    const [one, id] = await holderOf(undefined, 'first')
    const [other] = await holderOf(id, 'last')
    const { fetched, wireBytes } = await fetchAll(id, [one, other])
    process.stdout.write(
      `${total} chunks in ${fetched.ms.toFixed(0)} ms, ${(wireBytes / payload).toFixed(4)} x, ` +
        `${((wireBytes - payload) / total).toFixed(0)} B more for each\n`,
    )
    expect(fetched).toMatchObject({ came: total, distinct: total, wrong: 0 })
    expect(wireBytes).toBeLessThan(payload * 1.02 + 40 * total)
    for (const holder of [one, other]) expect(await holder.ask('chunkReads')).toBeGreaterThan(total / 20)
  })

  it('come whole when one of three holders lies and one stalls', async () => {
    const [honest, id] = await holderOf(undefined, 'all')
    const [liar] = await holderOf(id, 'all', 'lie')
    const [staller] = await holderOf(id, 'all', 'stall')
    const { fetched } = await fetchAll(id, [liar, staller, honest])
    expect(fetched).toMatchObject({ came: total, distinct: total, wrong: 0 })
    expect(fetched.ms).toBeLessThan(withinMs(60_000))
  })
})
