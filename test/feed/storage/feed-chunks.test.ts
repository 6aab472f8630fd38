import { describe, expect, it } from 'vitest'
import { encodeHex } from '../../../src/base/bytes.ts'
import type { Chunk, ChunkSource } from '../../../src/feed/chunk-api.ts'
import type { Feed, WritableFeed } from '../../../src/feed/feed-api.ts'
import { simulatedIdentity } from '../../../src/identity/simulated.ts'
import { chunksOf, namesOf } from '../chunk-world.ts'
import { blocksFrom } from './feed-place.ts'
import { Village } from './village.ts'

/** A folder with these chunks, and what was asked of it. */
function folderOf(chunks: readonly Chunk[]): ChunkSource & { readonly signals: AbortSignal[]; isHung: boolean } {
  const bytesByHash = new Map(chunks.map(({ hash, bytes }) => [encodeHex(hash), bytes]))
  return {
    signals: [],
    isHung: false,
    async read(hash, { signal }) {
      this.signals.push(signal)
      if (this.isHung) await new Promise(() => {})
      const bytes = bytesByHash.get(encodeHex(hash))
      if (bytes === undefined) throw new Error('no such file')
      return bytes
    },
  }
}

/** A writer, and somebody who has opened its feed and is connected. */
async function pair(): Promise<{ village: Village; feed: WritableFeed; copy: Feed }> {
  const village = new Village()
  const { world } = village
  const writer = await village.add('writer')
  const reader = await village.add('reader')
  const feed = await world.settle(writer.create({ identity: simulatedIdentity(Uint8Array.of(7)) }))
  await world.settle(feed.append(blocksFrom(0, 10)))
  const copy = await world.settle(reader.open(feed.id))
  await world.settle(reader.connect(village.address('writer')))
  return { village, feed, copy }
}

async function all(chunks: AsyncIterable<Chunk>): Promise<readonly string[]> {
  const came: string[] = []
  for await (const { bytes } of chunks) came.push(encodeHex(bytes))
  return came.sort()
}

function sorted(chunks: readonly Chunk[]): readonly string[] {
  return chunks.map(({ bytes }) => encodeHex(bytes)).sort()
}

describe('chunks between nodes', () => {
  const chunks = chunksOf(300, 5_000)

  it('come from the folder of who shares the feed, each once, both ways, and are nobody else’s bytes', async () => {
    const { village, feed, copy } = await pair()
    const { world } = village
    feed.serveChunks(folderOf(chunks))
    copy.serveChunks(folderOf(chunks.slice(0, 5)))
    expect(await world.settle(all(copy.chunks([...namesOf(chunks), chunks[3]?.hash ?? feed.name])))).toEqual(
      sorted(chunks),
    )
    expect(await world.settle(all(feed.chunks(chunks.slice(0, 5).map(({ hash }) => hash))))).toEqual(
      sorted(chunks.slice(0, 5)),
    )
    expect(await world.settle(all(copy.chunks([])))).toEqual([])
    const buffers = new Set<unknown>()
    const look = async (): Promise<void> => {
      for await (const { bytes } of copy.chunks(namesOf(chunks.slice(0, 20)))) buffers.add(bytes.buffer)
    }
    await world.settle(look())
    expect(buffers.size).toBe(20)
    expect(world.violations).toEqual([])
  })

  it('are waited for until a holder has them, is served from another folder, or is there', async () => {
    const { village, feed, copy } = await pair()
    const { world } = village
    const came = all(copy.chunks(namesOf(chunks)))
    await world.run(world.now + 300)
    feed.serveChunks(folderOf(chunks.slice(0, 100)))
    await world.run(world.now + 8_000)
    feed.serveChunks(undefined)
    const third = await village.add('third')
    const other = await world.settle(third.open(feed.id))
    other.serveChunks(folderOf(chunks.slice(100)))
    await world.settle(third.connect(village.address('reader')))
    expect(await world.settle(came)).toEqual(sorted(chunks))
    expect(world.violations).toEqual([])
  })

  it('are given up with the signal, with the loop, and with the feed, and the holder stops reading', async () => {
    const { village, feed, copy } = await pair()
    const { world } = village
    const folder = folderOf(chunks)
    feed.serveChunks(folder)
    const first = async (): Promise<number> => {
      for await (const { bytes } of copy.chunks(namesOf(chunks))) return bytes.length
      return 0
    }
    expect(await world.settle(first())).toBe(5_000)
    folder.isHung = true
    const ending = new AbortController()
    const given = all(copy.chunks(namesOf(chunks), { signal: ending.signal })).catch((error: unknown) => error)
    await world.run(world.now + 100)
    expect(folder.signals.at(-1)?.aborted).toBe(false)
    ending.abort('enough')
    expect(await world.settle(given)).toBe('enough')
    await world.run(world.now + 100)
    expect(folder.signals.at(-1)?.aborted).toBe(true)
    const late = all(copy.chunks(namesOf(chunks), { signal: ending.signal })).catch((error: unknown) => error)
    expect(await world.settle(late)).toBe('enough')
    const closed = all(copy.chunks(namesOf(chunks))).catch((error: unknown) => error)
    await world.settle(copy.close())
    expect(await world.settle(closed)).toMatchObject({ code: 'STORE_CLOSED' })
    const after = all(copy.chunks(namesOf(chunks))).catch((error: unknown) => error)
    expect(await world.settle(after)).toMatchObject({ code: 'STORE_CLOSED' })
    expect(() => copy.serveChunks(folder)).toThrow(expect.objectContaining({ code: 'STORE_CLOSED' }))
    expect(world.violations).toEqual([])
  })

  it('of a feed that was forked are not to be had any more', async () => {
    const { village, feed, copy } = await pair()
    const { world } = village
    const double = await village.add('double')
    const other = await world.settle(double.create({ identity: simulatedIdentity(Uint8Array.of(7)) }))
    await world.settle(other.append(blocksFrom(50, 54)))
    const waiting = all(copy.chunks(namesOf(chunks))).catch((error: unknown) => error)
    await world.settle(double.connect(village.address('reader')))
    expect(await world.settle(waiting)).toMatchObject({ code: 'FEED_FROZEN' })
    const after = all(copy.chunks(namesOf(chunks))).catch((error: unknown) => error)
    expect(await world.settle(after)).toMatchObject({ code: 'FEED_FROZEN' })
    expect(feed.isWritable).toBe(true)
  })

  it('have names of 32 bytes, and no more than 1 MiB', async () => {
    const { copy } = await pair()
    const hash = new Uint8Array(32)
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    for (const name of [
      hash.subarray(1),
      { hash, length: -1 },
      { hash, length: 0.5 },
      { hash, length: 1024 * 1024 + 1 },
    ])
      expect(() => copy.chunks([name])).toThrow(invalid)
  })
})
