import { describe, expect, it } from 'vitest'
import { simulatedIdentity } from '../../../src/identity/simulated.ts'
import { blockOf, blocksFrom } from './feed-place.ts'
import { Village } from './village.ts'

async function take(blocks: AsyncIterable<Uint8Array>, count: number): Promise<Uint8Array[]> {
  const taken: Uint8Array[] = []
  for await (const block of blocks) {
    taken.push(block)
    if (taken.length === count) break
  }
  return taken
}

describe('feeds between nodes', () => {
  it('are followed live by one that holds copies and by one that has them from there', async () => {
    const village = new Village()
    const { world } = village
    const writer = await village.add('writer')
    const holder = await village.add('holder')
    const follower = await village.add('follower')
    const feed = await world.settle(writer.create({ identity: simulatedIdentity(Uint8Array.of(7)) }))
    await world.settle(feed.append(blocksFrom(0, 500)))
    const copy = await world.settle(holder.open(feed.id))
    await world.settle(holder.connect(village.address('writer')))
    await world.settle(copy.longerThan(499))
    await world.settle(copy.download())
    const read = await world.settle(follower.open(feed.id, { mode: 'sparse' }))
    await world.settle(follower.connect(village.address('holder')))
    await world.settle(read.longerThan(0))
    expect(await world.settle(read.read(321))).toEqual(blockOf(321))
    expect(read.status()).toMatchObject({ length: 500, held: 1 })
    const live = take(read.blocks({ from: 490, isLive: true }), 20)
    await world.run(world.now + 1_000)
    for (let index = 500; index < 510; index += 1) await world.settle(feed.append(blockOf(index)))
    expect(await world.settle(live)).toEqual(blocksFrom(490, 510))
    expect(copy.status()).toMatchObject({ length: 510, held: 510 })
    // Who has written hears what is kept where, once it is durable there.
    await world.run(world.now + 100)
    expect(feed.status().peers).toMatchObject([{ length: 510, contiguousLength: 510 }])
    expect(world.violations).toEqual([])
  })

  it('are shared again when they were closed and opened, and a sparse one can become full', async () => {
    const village = new Village()
    const { world } = village
    const writer = await village.add('writer')
    const reader = await village.add('reader')
    const feed = await world.settle(writer.create({ identity: simulatedIdentity(Uint8Array.of(7)) }))
    await world.settle(feed.append(blocksFrom(0, 50)))
    const connection = await world.settle(reader.connect(village.address('writer')))
    expect(await world.settle(reader.connect(village.address('writer')))).toBe(connection)
    const sparse = await world.settle(reader.open(feed.id, { mode: 'sparse' }))
    expect(await world.settle(sparse.read(7))).toEqual(blockOf(7))
    await world.settle(sparse.close())
    const again = await world.settle(reader.open(feed.id, { mode: 'sparse' }))
    expect(await world.settle(again.read(8))).toEqual(blockOf(8))
    expect(again.status().held).toBe(2)
    expect(await world.settle(reader.open(feed.id, { mode: 'full' }))).toBe(again)
    await world.settle(again.download())
    expect(again.status().held).toBe(50)
    expect(world.violations).toEqual([])
  })

  it('are shared again when they were closed, and are opened again', async () => {
    const village = new Village()
    const { world } = village
    const writer = await village.add('writer')
    const reader = await village.add('reader')
    const feed = await world.settle(writer.create({ identity: simulatedIdentity(Uint8Array.of(7)) }))
    await world.settle(feed.append(blocksFrom(0, 10)))
    const copy = await world.settle(reader.open(feed.id))
    await world.settle(reader.connect(village.address('writer')))
    await world.settle(copy.longerThan(9))
    await world.settle(copy.close())
    await world.settle(feed.append(blocksFrom(10, 20)))
    const again = await world.settle(reader.open(feed.id))
    await world.settle(again.longerThan(19))
    await world.settle(again.download())
    expect(world.now).toBeLessThan(2_000)
    expect(world.violations).toEqual([])
  })

  it('that were forked are said to be to whoever comes later, also after they were opened again', async () => {
    const village = new Village()
    const { world } = village
    const identity = simulatedIdentity(Uint8Array.of(7))
    const [writer, double, holder, late] = [
      await village.add('writer'),
      await village.add('double'),
      await village.add('holder'),
      await village.add('late'),
    ]
    const one = await world.settle(writer.create({ identity }))
    await world.settle(one.append(blocksFrom(0, 10)))
    const other = await world.settle(double.create({ identity }))
    await world.settle(other.append(blocksFrom(50, 54)))
    const copy = await world.settle(holder.open(one.id))
    await world.settle(holder.connect(village.address('writer')))
    await world.settle(copy.longerThan(9))
    await world.settle(copy.download())
    await world.settle(holder.connect(village.address('double')))
    await world.run(() => copy.status().isFrozen && one.status().isFrozen && other.status().isFrozen, 10_000)
    const later = await world.settle(late.open(one.id))
    await world.settle(late.connect(village.address('holder')))
    await world.run(() => later.status().isFrozen, 10_000)
    expect([one, other, copy, later].map((feed) => feed.status().isFrozen)).toEqual([true, true, true, true])
    await world.settle(holder.close())
    expect(world.violations).toEqual([])
  })

  it('that were truncated to nothing are so everywhere, also when the writer was opened again before anybody heard', async () => {
    const village = new Village()
    const { world } = village
    const identity = simulatedIdentity(Uint8Array.of(7))
    const [writer, holder] = [await village.add('writer'), await village.add('holder')]
    const feed = await world.settle(writer.create({ identity }))
    await world.settle(feed.append(blocksFrom(0, 10)))
    const copy = await world.settle(holder.open(feed.id))
    const connection = await world.settle(holder.connect(village.address('writer')))
    await world.settle(copy.longerThan(9))
    await world.settle(copy.download())
    await world.settle(connection.close())
    await world.settle(feed.truncate(0))
    village.feedsByName.delete('writer')
    world.crash('writer')
    world.restart('writer')
    await world.run(() => village.feedsByName.has('writer'), 1_000)
    await world.settle(village.of('writer').create({ identity }))
    // The first one finds out that the old process is gone.
    await world.settle(holder.connect(village.address('writer')).catch(() => {}))
    await world.settle(holder.connect(village.address('writer')))
    await world.run(() => copy.fork === 1, 10_000)
    expect(copy.status()).toMatchObject({ fork: 1, length: 0, held: 0 })
    expect(world.violations).toEqual([])
  })

  it('are not written by who has heard that there is more of them, and lacks it', async () => {
    const village = new Village()
    const { world } = village
    const identity = simulatedIdentity(Uint8Array.of(7))
    const [writer, restored, holder] = [
      await village.add('writer'),
      await village.add('restored'),
      await village.add('holder'),
    ]
    const feed = await world.settle(writer.create({ identity }))
    await world.settle(feed.append(blocksFrom(0, 20)))
    const older = await world.settle(restored.create({ identity }))
    await world.settle(older.append(blocksFrom(0, 10)))
    // It knows how long the feed is, and has one block of it.
    const copy = await world.settle(holder.open(feed.id, { mode: 'sparse' }))
    await world.settle(holder.connect(village.address('writer')))
    await world.settle(copy.longerThan(19))
    await world.settle(copy.read(3))
    await world.settle(restored.connect(village.address('holder')))
    await world.run(() => older.status().isBehind, 10_000)
    await expect(world.settle(older.append(blockOf(99)))).rejects.toMatchObject({ code: 'FEED_BEHIND' })
    expect([older.length, older.status().isFrozen, copy.status().isFrozen]).toEqual([10, false, false])
    expect(world.violations).toEqual([])
  })
})
