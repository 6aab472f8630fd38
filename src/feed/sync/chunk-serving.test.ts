import { describe, expect, it } from 'vitest'
import { chunksOf, feed, keeper, namesOf, Shelf, Taker, wanting } from '../../../test/feed/chunk-world.ts'
import { blocksOf, reader, SyncWorld, Writer, type SyncNode } from '../../../test/feed/sync-world.ts'
import { concatBytes } from '../../base/bytes.ts'
import type { Chunk } from '../chunk-api.ts'
import type { ChunkList } from '../chunk-schemas.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps } from '../messages.ts'
import type { FetchMessage } from '../messages.ts'

const KiB = 1024
const MiB = 1024 * KiB

function listOf(chunks: readonly Chunk[]): ChunkList {
  return { hashes: concatBytes(chunks.map(({ hash }) => hash)), lengths: chunks.map(({ bytes }) => bytes.length) }
}

describe('serving', () => {
  const chunks = chunksOf(1_024, 16 * KiB)

  /** A holder, and somebody who asks by hand and takes nothing, or what comes. */
  function asked(shelf: Shelf | undefined): {
    readonly world: SyncWorld
    readonly source: SyncNode
    readonly ask: (request: number, value?: Partial<FetchMessage>) => void
    readonly sent: { readonly op: number; readonly payload: Uint8Array }[]
    isWritable: boolean
  } {
    const world = new SyncWorld()
    const source = keeper(world, 'source', shelf)
    const other = wanting(world).node
    const sent: { op: number; payload: Uint8Array }[] = []
    world.connect(source, other, {
      tamper: (from, op, payload) => {
        if (from === 'source' && (op === feedOps.chunks || op === feedOps.refuse)) sent.push({ op, payload })
        return from === 'source' && (op === feedOps.chunks || op === feedOps.refuse) ? undefined : payload
      },
    })
    world.run(50)
    const [peer] = source.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const ask = (request: number, value: Partial<FetchMessage> = {}): void => {
      const message = { feed: 0, request, bytes: 64 * MiB, packings: 0, chunks: listOf(chunks), ...value }
      source.synchronizer.receive(peer, feedOps.fetch, encodeFeedMessage('fetch', message), world.now)
    }
    return {
      ...{ world, source, ask, sent },
      get isWritable() {
        return peer.isWritable
      },
      set isWritable(isWritable) {
        peer.isWritable = isWritable
        if (isWritable) source.synchronizer.ready(peer, world.now)
      },
    }
  }

  it('reads one batch ahead of what is taken, and goes on when more is', () => {
    const shelf = new Shelf(chunks)
    const it = asked(shelf)
    it.isWritable = false
    it.ask(1)
    expect([shelf.reads, it.sent.length]).toEqual([8, 0])
    it.isWritable = true
    expect([shelf.reads, it.sent.length]).toEqual([512, 64])
  })

  it('ends an answer where it has as many bytes as it may', () => {
    const shelf = new Shelf(chunks)
    const it = asked(shelf)
    const answered = (from: number): number[] =>
      it.sent.slice(from).map(({ op, payload }) => {
        const message = decodeFeedMessage(op, payload)
        return message.name === 'chunks' ? message.value.chunks.length * (message.value.last ? -1 : 1) : 0
      })
    it.ask(1, { bytes: 20 * KiB })
    expect(answered(0)).toEqual([-2])
    it.ask(2, { bytes: 0 })
    expect(answered(1)).toEqual([-1])
    // What is read in vain counts, too: nobody has a holder read more than it takes.
    it.ask(3, { chunks: { ...listOf(chunks), lengths: chunks.map(() => 1) } })
    expect(shelf.reads).toBeLessThan(16 + 16 + 512 + 16)
    expect(answered(2).at(-1)).toBe(-16)
  })

  it('refuses what is too much, and ends who asks on and takes nothing', () => {
    const it = asked(new Shelf(chunks, () => {}))
    for (let request = 1; request <= 64; request += 1) it.ask(request)
    expect(it.sent).toEqual([])
    it.ask(65)
    const [refusal] = it.sent
    expect(refusal && decodeFeedMessage(refusal.op, refusal.payload).value).toMatchObject({ request: 65, reason: 2 })
    it.isWritable = false
    it.ask(66)
    expect(it.source.ended.map(({ code }) => code)).toEqual(['LIMIT'])
  })

  it('says that there are none only to who takes it', () => {
    const it = asked(undefined)
    it.isWritable = false
    for (let request = 1; request <= 64; request += 1) it.ask(request)
    expect(it.sent).toEqual([])
    it.isWritable = true
    expect(it.sent.map(({ op, payload }) => decodeFeedMessage(op, payload).value)).toEqual(
      Array.from({ length: 64 }, (_, index) => ({ feed: 0, request: index + 1, reason: 1 })),
    )
  })

  it('is for those alone with whom the feed may be shared, and ends with that', () => {
    const world = new SyncWorld()
    const shelf = new Shelf(chunks, (run) => world.later(10, run))
    const friends = new Set(['friend'])
    const source = world.node('source')
    const { replica } = reader(feed, { mayShare: (id) => friends.has(id) })
    replica.chunkReader = shelf
    source.synchronizer.add(replica, 0)
    const takers = ['friend', 'stranger'].map((name) => {
      const node = world.node(name)
      const copy = reader(feed).replica
      node.synchronizer.add(copy, 0)
      world.connect(source, node)
      return new Taker(world, node, copy, namesOf(chunks))
    })
    world.run(200)
    const [came = 0, none] = takers.map((taker) => taker.came.length)
    expect([came > 0 && came < 1_024, none]).toEqual([true, 0])
    friends.clear()
    source.synchronizer.review(replica, world.now)
    expect(shelf.open).toBe(0)
    const { reads } = shelf
    world.run(1_000)
    expect([shelf.reads, source.ended]).toEqual([reads, []])
  })

  it('does not hold up blocks when a chunk is long in coming', () => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(500, 1_000))
    writer.replica.chunkReader = new Shelf(chunks, () => {})
    const [source, clone] = [world.node('source'), world.node('clone')]
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const taker = new Taker(world, clone, copy.replica, namesOf(chunks.slice(0, 4)))
    world.connect(source, clone)
    world.run(900)
    expect([copy.replica.have.count, taker.came.length]).toEqual([500, 0])
  })
})
