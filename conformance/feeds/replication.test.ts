import { cpSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { FeedId } from 'plait'
import { SeededRandom } from '../../src/runtime/simulated/random.ts'
import { count, fullCounts, withinMs } from '../counts.ts'
import { seed } from '../seed.ts'
import { Proxy } from '../support/proxy.ts'
import { Far, makeFolder, type Completed } from './far.ts'

const KiB = 1024
const MiB = 1024 * KiB

/** A holder with one feed of its own. */
async function writerOf(blocks: number, bytes: number): Promise<{ writer: Far; id: FeedId; folder: string }> {
  const folder = makeFolder()
  const writer = await Far.start(folder)
  return { writer, folder, id: await writer.ask<FeedId>('create', { count: blocks, bytes }) }
}

async function copyOf(id: FeedId, from: readonly string[], options: object = {}): Promise<Far> {
  const reader = await Far.start(makeFolder())
  await reader.ask('open', { id, options })
  await Promise.all(from.map((address) => reader.ask('connect', { address })))
  return reader
}

describe.each([
  { name: '100 B', bytes: 100, blocks: count(100_000, 4_000) },
  { name: '64 KiB', bytes: 64 * KiB, blocks: count(1_000, 60) },
])('F2 blocks of $name', ({ bytes, blocks }) => {
  it('come whole from one source, each of them once', async () => {
    const { writer, id } = await writerOf(blocks, bytes)
    const reader = await copyOf(id, [writer.address])
    const done = await reader.ask<Completed>('complete', { id, length: blocks })
    expect(done).toMatchObject({ length: blocks, held: blocks, downloaded: blocks, holes: [] })
    expect(await reader.ask('check', { id })).toBe(blocks)
    const { received } = await reader.facts()
    process.stdout.write(
      `${blocks} blocks in ${done.ms.toFixed(0)} ms, ${(received / (blocks * bytes)).toFixed(3)} x\n`,
    )
    expect(received / (blocks * bytes)).toBeLessThan(fullCounts ? 1.25 : 1.5)
  })

  it('come whole from three sources of which one lies and one stalls, each of them once', async () => {
    const { writer, id, folder } = await writerOf(blocks, bytes)
    await writer.stop()
    const places = ['lie', 'stall', undefined].map((mischief) => ({ mischief, folder: makeFolder() }))
    for (const place of places) cpSync(folder, place.folder, { recursive: true })
    const sources = await Promise.all(
      places.map(({ mischief, folder: place }) => Far.start(place, mischief ? { mischief: mischief as 'lie' } : {})),
    )
    await Promise.all(sources.map((source) => source.ask('open', { id })))
    const reader = await copyOf(
      id,
      sources.map(({ address }) => address),
    )
    const done = await reader.ask<Completed>('complete', { id, length: blocks })
    expect(done).toMatchObject({ length: blocks, held: blocks, downloaded: blocks, holes: [] })
    expect(await reader.ask('check', { id })).toBe(blocks)
  })
})

describe('F2b over a distance', () => {
  it('small blocks take the local time and 15 round trips', async () => {
    const blocks = count(10_000, 2_000)
    const { writer, id } = await writerOf(blocks, 100)
    const timeOf = async (delayMs: number): Promise<number> => {
      const proxy = await Proxy.open({ host: '127.0.0.1', port: writer.port }, { delayMs, bytesPerSecond: 125e6 })
      const reader = await Far.start(makeFolder())
      await reader.ask('open', { id })
      const begunAt = performance.now()
      await reader.ask('connect', { address: writer.addressAt(proxy.port) })
      await reader.ask('complete', { id, length: blocks })
      return performance.now() - begunAt
    }
    const near = await timeOf(0)
    const far = await timeOf(25)
    process.stdout.write(`${near.toFixed(0)} ms at 0 ms, ${far.toFixed(0)} ms at 25 ms each way\n`)
    expect(far).toBeLessThan(near + withinMs(15 * 50))
  })

  it('large blocks keep most of the rate once warm', async () => {
    // 32 MiB until it is warm, then 64.
    const blocks = count(1_536, 128)
    const { writer, id } = await writerOf(blocks, 64 * KiB)
    const rateOf = async (delayMs: number): Promise<number> => {
      const proxy = await Proxy.open({ host: '127.0.0.1', port: writer.port }, { delayMs, bytesPerSecond: 125e6 })
      const reader = await copyOf(id, [writer.addressAt(proxy.port)])
      const warm = Math.floor(blocks / 3)
      await reader.ask<Completed>('complete', { id, length: blocks, end: warm })
      const done = await reader.ask<Completed>('complete', { id, length: blocks })
      return ((blocks - warm) * 64 * KiB) / done.ms
    }
    const near = await rateOf(0)
    const far = await rateOf(25)
    process.stdout.write(`${(near / 1e3).toFixed(0)} MB/s at 0 ms, ${(far / 1e3).toFixed(0)} MB/s at 25 ms each way\n`)
    if (fullCounts) expect(far).toBeGreaterThan(0.8 * near)
    else expect(far).toBeGreaterThan(0)
  })
})

it('F3 a reader that is killed at half fetches at most one window again', async () => {
  const [blocks, bytes] = [count(1_000, 200), 64 * KiB]
  const { writer, id } = await writerOf(blocks, bytes)
  const folder = makeFolder()
  const first = await Far.start(folder)
  await first.ask('open', { id })
  await first.ask('connect', { address: writer.address })
  for (let held = 0; held < blocks / 2;) held = (await first.ask<Completed>('status', { id })).held
  await first.program.kill('SIGKILL')
  const second = await Far.start(folder)
  const { held } = await second.ask<Completed>('open', { id })
  expect(held).toBeGreaterThanOrEqual(Math.floor(blocks / 2))
  await second.ask('connect', { address: writer.address })
  const done = await second.ask<Completed>('complete', { id, length: blocks })
  expect(done).toMatchObject({ held: blocks, downloaded: blocks - held })
  expect(await second.ask('check', { id })).toBe(blocks)
  const { sent } = await writer.facts()
  process.stdout.write(
    `killed with ${held} of ${blocks}; ${((sent - blocks * bytes) / MiB).toFixed(1)} MiB more were sent\n`,
  )
  expect(sent).toBeLessThan(blocks * bytes * 1.02 + 8 * MiB)
})

describe('F4', () => {
  it('a few blocks of very many come with little more than themselves', { timeout: 600_000 }, async () => {
    const [blocks, bytes] = [count(10_000_000, 100_000), 12]
    const { writer, id } = await writerOf(blocks, bytes)
    const reader = await copyOf(id, [writer.address], { mode: 'sparse' })
    const random = new SeededRandom(seed)
    const indexes = Array.from({ length: 10 }, () => random.integer(0, blocks - 1))
    const before = await reader.facts()
    expect(await reader.ask('read', { id, indexes })).toBe(true)
    const after = await reader.facts()
    const overhead = after.received + after.sent - before.received - before.sent - 10 * bytes
    process.stdout.write(`${overhead} B besides 10 blocks out of ${blocks}\n`)
    expect(overhead).toBeLessThan(100 * KiB)
  })

  it('a live follower has an append within 50 ms', async () => {
    const { writer, id } = await writerOf(10, 100)
    const reader = await copyOf(id, [writer.address])
    await reader.ask('complete', { id, length: 10 })
    const appends = count(500, 40)
    const ages = reader.ask<number[]>('follow', { id, start: 10, count: appends })
    await writer.ask('append', { id, count: appends, bytes: 100, everyMs: 10 })
    const sorted = await ages
    const [p50, p99] = [0.5, 0.99].map((share) => sorted[Math.floor(sorted.length * share)] as number)
    process.stdout.write(`p50 ${p50} ms, p99 ${p99} ms, longest ${sorted.at(-1)} ms\n`)
    expect(p99).toBeLessThan(withinMs(50))
  })
})

it(
  'F4c a thousand feeds of which one has changed cost little to meet again, and little to keep',
  { timeout: 300_000 },
  async () => {
    const amount = count(1_000, 100)
    const folder = makeFolder()
    const writer = await Far.start(folder)
    const ids = await writer.ask<FeedId[]>('createMany', { count: amount })
    const reader = await Far.start(makeFolder())
    const empty = await reader.facts()
    await reader.ask('openMany', { indexes: ids })
    const proxy = await Proxy.open({ host: '127.0.0.1', port: writer.port })
    await reader.ask('connect', { address: writer.addressAt(proxy.port) })
    for (const id of ids) await reader.ask('complete', { id, length: 1 })
    const full = await reader.facts()
    const perFeed = (full.held - empty.held) / amount
    process.stdout.write(`${(perFeed / KiB).toFixed(1)} KiB for each idle feed\n`)
    expect(full.held - empty.held).toBeLessThan(30 * MiB)
    proxy.down('reset')
    const changed = ids[Math.floor(amount / 2)] as FeedId
    await writer.ask('append', { id: changed, count: 1, bytes: 32 })
    await new Promise((resolve) => setTimeout(resolve, 200))
    const before = await reader.facts()
    proxy.up()
    const done = await reader.ask<Completed>('complete', { id: changed, length: 2 })
    const after = await reader.facts()
    const bytes = after.received + after.sent - before.received - before.sent
    process.stdout.write(`${bytes} B and ${done.ms.toFixed(0)} ms until the block was there\n`)
    expect(done.held).toBe(2)
  },
)

describe('F5', () => {
  it('a writer restored from a copy that meets a holder first catches up, and goes on with the next number', async () => {
    const { writer, id, folder } = await writerOf(50, 100)
    await writer.stop()
    const copy = makeFolder()
    cpSync(folder, copy, { recursive: true })
    const again = await Far.start(folder)
    await again.ask('append', { id, count: 30, bytes: 100 })
    const holder = await copyOf(id, [again.address])
    await holder.ask('complete', { id, length: 80 })
    await again.stop()
    const restored = await Far.start(copy)
    await restored.ask('open', { id })
    await restored.ask('connect', { address: holder.address })
    const caughtUp = await restored.ask<Completed>('complete', { id, length: 80 })
    expect(caughtUp).toMatchObject({ length: 80, held: 80, isFrozen: false })
    expect(await restored.ask('append', { id, count: 1, bytes: 100 })).toBe(81)
    expect(await holder.ask('complete', { id, length: 81 })).toMatchObject({ isFrozen: false, held: 81 })
    expect((await restored.facts()).events).toMatchObject({ behind: 1, caughtup: 1 })
  })

  it('one that writes first is proven a fork, and other feeds go on', async () => {
    const { writer, id, folder } = await writerOf(50, 100)
    const other = await writer.ask<FeedId>('create', { count: 10, bytes: 100 })
    await writer.stop()
    const copy = makeFolder()
    cpSync(folder, copy, { recursive: true })
    const again = await Far.start(folder)
    await again.ask('append', { id, count: 30, bytes: 100 })
    await again.ask('open', { id: other })
    const holder = await copyOf(id, [again.address])
    await holder.ask('open', { id: other })
    await holder.ask('complete', { id, length: 80 })
    await holder.ask('complete', { id: other, length: 10 })
    await again.stop()
    const restored = await Far.start(copy)
    await restored.ask('append', { id, count: 5, bytes: 90 })
    await restored.ask('open', { id: other })
    await restored.ask('connect', { address: holder.address })
    await expect.poll(async () => (await holder.ask<Completed>('status', { id })).isFrozen).toBe(true)
    await expect.poll(async () => (await restored.ask<Completed>('status', { id })).isFrozen).toBe(true)
    await expect(restored.ask('append', { id, count: 1, bytes: 90 })).rejects.toMatchObject({ code: 'FEED_FROZEN' })
    expect((await holder.facts()).events).toMatchObject({ conflict: 1 })
    expect(await restored.ask('append', { id: other, count: 5, bytes: 100 })).toBe(15)
    expect(await holder.ask('complete', { id: other, length: 15 })).toMatchObject({ held: 15, isFrozen: false })
  })
})
