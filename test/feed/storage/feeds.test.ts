import { describe, expect, it } from 'vitest'
import { PlaitError } from '../../../src/base/error.ts'
import { formatFeedId } from '../../../src/feed/feed-id.ts'
import type { OpenFeed } from '../../../src/feed/feed.ts'
import type { Feed } from '../../../src/feed/feed-api.ts'
import { SimulatedDisk } from '../../../src/runtime/simulated/disk.ts'
import { blockOf, blocksFrom, FeedPlace } from './feed-place.ts'

async function contents(feed: Feed): Promise<Uint8Array[]> {
  const blocks: Uint8Array[] = []
  for await (const block of feed.blocks()) blocks.push(block)
  return blocks
}

describe('a feed in a store', () => {
  it('gives back what was appended, one by one and in batches, in order, also after it was opened again', async () => {
    const place = new FeedPlace()
    const one = await place.open()
    const feed = await place.writable(one)
    expect(await feed.append(blockOf(0))).toBe(0)
    expect(await Promise.all([feed.append(blocksFrom(1, 500)), feed.append(blockOf(500)), feed.append([])])).toEqual([
      1, 500, 501,
    ])
    expect(await feed.append(blocksFrom(501, 2_000))).toBe(501)
    expect(await contents(feed)).toEqual(blocksFrom(0, 2_000))
    expect(await feed.read(1_234)).toEqual(blockOf(1_234))
    const status = feed.status()
    expect(status).toMatchObject({ length: 2_000, held: 2_000, contiguousLength: 2_000, holes: [], isFrozen: false })
    await one.close()

    const other = await place.open()
    expect(other.list()).toMatchObject([
      { id: formatFeedId({ name: place.identity.publicKey, isSealed: false }), length: 2_000 },
    ])
    const again = await place.writable(other)
    expect(again.status()).toEqual(status)
    expect(await contents(again)).toEqual(blocksFrom(0, 2_000))
    expect(await again.append(blockOf(2_000))).toBe(2_000)
    await other.close()
  })

  it('is as long after a power cut as it was acknowledged, and has the same proofs', async () => {
    const place = new FeedPlace()
    const one = await place.open()
    const feed = await place.writable(one)
    for (let start = 0; start < 300; start += 30) await feed.append(blocksFrom(start, start + 30))
    const place2 = new FeedPlace(place.disk.afterCrash())
    const other = await place2.open()
    const again = await place2.writable(other)
    expect(again.length).toBe(300)
    expect(await contents(again)).toEqual(blocksFrom(0, 300))
    await again.append(blocksFrom(300, 310))
    expect(again.status()).toMatchObject({ length: 310, fork: 0 })
    expect(await contents(again)).toEqual(blocksFrom(0, 310))
  })

  it('truncates, and goes on from there, also when it is opened again', async () => {
    const place = new FeedPlace()
    const one = await place.open()
    const feed = await place.writable(one)
    await feed.append(blocksFrom(0, 100))
    await feed.truncate(37)
    expect(feed.status()).toMatchObject({ length: 37, fork: 1, held: 37 })
    expect(await feed.append(blocksFrom(500, 510))).toBe(37)
    for (const place2 of [place, new FeedPlace(place.disk.afterCrash())]) {
      if (place2 === place) await one.close()
      const again = await place2.writable(await place2.open())
      expect(again.status()).toMatchObject({ length: 47, fork: 1, held: 47 })
      expect(await contents(again)).toEqual([...blocksFrom(0, 37), ...blocksFrom(500, 510)])
    }
  })

  it('gives what was appended after it was truncated, though a record from before has blocks of the same numbers', async () => {
    const place = new FeedPlace()
    const one = await place.open()
    const feed = await place.writable(one)
    await feed.append(blocksFrom(0, 100))
    await feed.truncate(37)
    for (const index of [35, 36]) expect(await feed.read(index)).toEqual(blockOf(index))
    await feed.append(blocksFrom(500, 510))
    expect(await feed.read(37)).toEqual(blockOf(500))
    expect(await contents(feed)).toEqual([...blocksFrom(0, 37), ...blocksFrom(500, 510)])
    await one.close()
    const again = await place.writable(await place.open())
    expect(await again.read(36)).toEqual(blockOf(36))
    expect(await again.read(37)).toEqual(blockOf(500))
  })

  it('forgets what was being read when it was truncated', async () => {
    const place = new FeedPlace()
    const feed = await place.writable(await place.open())
    await feed.append(blocksFrom(0, 100))
    const reading = feed.read(50)
    const truncated = feed.truncate(20)
    await Promise.allSettled([reading, truncated])
    await feed.append(blocksFrom(500, 600))
    expect(await contents(feed)).toEqual([...blocksFrom(0, 20), ...blocksFrom(500, 600)])
  })

  it('rejects every append after a failed sync, until it is opened again', async () => {
    let isBroken = false
    const fault = (operation: string): PlaitError | undefined =>
      isBroken && operation === 'sync' ? new PlaitError('FILE_FAILED', 'EIO') : undefined
    const place = new FeedPlace(new SimulatedDisk({ fault }))
    const feed = await place.writable(await place.open())
    await feed.append(blocksFrom(0, 10))
    isBroken = true
    await expect(feed.append(blockOf(10))).rejects.toMatchObject({ code: 'STORE_FAILED' })
    isBroken = false
    const appended = [feed.append(blockOf(11)), feed.append(blocksFrom(12, 14))]
    for (const one of appended) await expect(one).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(feed.append(blockOf(15))).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  it('gives what stands before a damaged record, and says that what was in that is lost', async () => {
    const place = new FeedPlace()
    const feed = await place.writable(await place.open())
    await feed.append(blocksFrom(0, 10))
    await feed.append([new Uint8Array(5_000).fill(7)])
    const lost: unknown[] = []
    feed.addEventListener('lost', ({ detail: { runs } }) => lost.push(runs))
    const [[path, bytes] = ['', new Uint8Array(0)]] = [...place.disk.files()].filter(([name]) => name.endsWith('.seg'))
    place.disk.flip(path, (bytes.length - 1_000) * 8)
    const blocks: Uint8Array[] = []
    for await (const block of feed.blocks({ to: 10 })) blocks.push(block)
    expect(blocks).toEqual(blocksFrom(0, 10))
    expect(await (feed as OpenFeed).readBatch(0, 11, 100_000)).toEqual(blocksFrom(0, 10))
    await (feed as OpenFeed).readBatch(10, 11, 100_000)
    expect(lost).toEqual([[10, 11]])
  })

  it('is sealed under a name that depends on its blocks alone', async () => {
    const place = new FeedPlace()
    const one = await place.open()
    const sealed = await one.seal(blocksFrom(0, 1_000))
    expect(sealed).toMatchObject({ isSealed: true, isWritable: false, length: 1_000 })
    expect(await one.seal(blocksFrom(0, 1_000))).toBe(sealed)
    expect((await one.seal(blocksFrom(0, 999))).id).not.toBe(sealed.id)
    expect(one.list().length).toBe(2)
    const place2 = new FeedPlace(place.disk.afterCrash())
    const other = await place2.open()
    expect(await contents(await other.open(sealed.id))).toEqual(blocksFrom(0, 1_000))
  })
})
