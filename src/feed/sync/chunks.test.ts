import { describe, expect, it } from 'vitest'
import { chunksOf, feed, keeper, namesOf, Shelf, Taker, wanting } from '../../../test/feed/chunk-world.ts'
import { blocksOf, holder, reader, SyncWorld, Writer } from '../../../test/feed/sync-world.ts'
import { decodeFeedMessage, feedOps } from '../messages.ts'

const KiB = 1024
const MiB = 1024 * KiB

describe('chunks', () => {
  it('come from one holder, each once, with hardly more bytes than they have', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(2_000, 8 * KiB)
    const shelf = new Shelf(chunks, (run) => world.later(1, run))
    const source = keeper(world, 'source', shelf)
    const { node, replica } = wanting(world)
    let asked = 0
    world.connect(source, node, {
      bytesPerMs: 100_000,
      tamper: (from, _op, payload) => {
        if (from === 'clone') asked += payload.length + 16
        return payload
      },
    })
    const taker = new Taker(world, node, replica, [...namesOf(chunks), ...namesOf(chunks.slice(0, 9))])
    world.run(20_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    expect(node.receivedBytes + asked).toBeLessThan(2_000 * (8 * KiB * 1.02 + 40))
    expect([...source.ended, ...node.ended]).toEqual([])
    expect(node.synchronizer.snapshot()).toMatchObject([{ owedBytes: 0, strikes: 0, feeds: [{ chunkRequests: 0 }] }])
    expect([node.synchronizer.chunks.isIdle, shelf.reads, shelf.open]).toEqual([true, 2_000, 0])
  })

  it.each([true, false])('are right though one holder lies and one stalls, lengths known: %s', (isLengthKnown) => {
    const world = new SyncWorld()
    const chunks = chunksOf(400, 20_000)
    const { node, replica } = wanting(world)
    let sent = 0
    for (const name of ['liar', 'staller', 'honest']) {
      world.connect(keeper(world, name, new Shelf(chunks)), node, {
        bytesPerMs: 5_000,
        tamper: (from, op, payload) => {
          if (op !== feedOps.chunks) return payload
          if (from === 'liar') return payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte))
          return from === 'staller' && (sent += 1) > 2 ? undefined : payload
        },
      })
    }
    const names = isLengthKnown ? namesOf(chunks) : chunks.map(({ hash }) => ({ hash }))
    const taker = new Taker(world, node, replica, names)
    world.run(20_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    expect(node.ended.map(({ code }) => code)).toEqual(['CORRUPT'])
    expect(node.endedIds).toEqual(['liar'])
    expect(world.now).toBeLessThan(6_000)
    world.run(5_000)
    expect(node.synchronizer.snapshot().map(({ owedBytes }) => owedBytes)).toEqual([0, 0])
  })

  it('that are absent at one are asked of the other, also when one has no chunks at all', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(300, 1_000)
    const { node, replica } = wanting(world)
    const shelves = [new Shelf(chunks.slice(0, 200)), new Shelf(chunks.slice(100))]
    shelves.forEach((shelf, index) => world.connect(keeper(world, `half ${index}`, shelf), node))
    const none = world.node('none')
    none.synchronizer.add(reader(feed).replica, 0)
    world.connect(none, node)
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(1_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    expect(node.ended).toEqual([])
  })

  it('share the work of several holders', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(64, 128 * KiB)
    const { node, replica } = wanting(world)
    const shelves = ['a', 'b', 'c'].map((name) => {
      const shelf = new Shelf(chunks)
      world.connect(keeper(world, name, shelf), node, { bytesPerMs: 5_000 })
      return shelf
    })
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(20_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    for (const { reads } of shelves) expect(reads).toBeGreaterThan(10)
    // Alone, one of them would take 1,680 ms.
    expect(world.now).toBeLessThan(900)
  })

  it('of a list that is longer than a request has room for are asked for in several', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(2_500, 10)
    const { node, replica } = wanting(world)
    const asked: number[] = []
    world.connect(keeper(world, 'source', new Shelf(chunks)), node, {
      tamper: (from, op, payload) => {
        const message = from === 'clone' ? decodeFeedMessage(op, payload) : undefined
        if (message?.name === 'fetch') asked.push(message.value.chunks.lengths.length)
        return payload
      },
    })
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(5_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    expect(asked).toEqual([1_024, 1_024, 452])
  })

  it('that a much slower holder owes at the end are handed over', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(1_000, 4_000)
    const { node, replica } = wanting(world)
    for (const [name, bytesPerMs] of [
      ['slow', 20],
      ['fast', 5_000],
    ] as const)
      world.connect(keeper(world, name, new Shelf(chunks)), node, { bytesPerMs })
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(20_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    expect(world.now).toBeLessThan(2_500)
    expect(node.ended).toEqual([])
  })

  it('are waited for when both holders are on slow lines, where a large one is long in coming', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(12, 256 * KiB)
    const { node, replica } = wanting(world)
    for (const name of ['a', 'b']) world.connect(keeper(world, name, new Shelf(chunks)), node, { bytesPerMs: 30 })
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(120_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
    // Nothing came twice: each has 6 of them, at 9 s.
    expect(world.now).toBeLessThan(60_000)
    expect(node.receivedBytes).toBeLessThan(12 * 256 * KiB * 1.01)
    expect(node.synchronizer.snapshot().map(({ strikes }) => strikes)).toEqual([0, 0])
  })

  it('that a holder owes when its circuit ends come from another', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(100, 10_000)
    const { node, replica } = wanting(world)
    const shelf = new Shelf(chunks, () => {})
    const part = world.connect(keeper(world, 'hung', shelf), node)
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(100)
    expect(shelf.open).toBeGreaterThan(0)
    world.connect(keeper(world, 'other', new Shelf(chunks)), node)
    part()
    expect(shelf.open).toBe(0)
    world.run(1_000, () => taker.isDone)
    expect(taker.hasExactly(chunks)).toBe(true)
  })

  it('that nobody has are waited for: soon after something new is said of the feed, else for some seconds', () => {
    const world = new SyncWorld()
    const [first, second] = [chunksOf(10, 100, 1), chunksOf(10, 100, 2)]
    const writer = new Writer(1, blocksOf(1, 10))
    const shelf = new Shelf([])
    writer.replica.chunkReader = shelf
    const [source, clone] = [world.node('source'), world.node('clone')]
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    world.run(1_000)
    const taker = new Taker(world, clone, copy.replica, namesOf([...first, ...second]))
    world.run(1_000)
    expect([taker.came.length, shelf.reads]).toEqual([0, 20])
    shelf.put(first)
    writer.append(source, blocksOf(1, 10), world.now)
    world.run(200)
    expect(taker.hasExactly(first)).toBe(true)
    shelf.put(second)
    world.run(3_500)
    expect(taker.came.length).toBe(10)
    world.run(3_000)
    expect(taker.hasExactly([...first, ...second])).toBe(true)
    expect(clone.synchronizer.isIdle).toBe(true)
  })

  it('are asked for of who shares so many feeds that it has not opened this one', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(5, 100)
    const writers = Array.from({ length: 40 }, (_, index) => new Writer(index + 1, blocksOf(1, 10)))
    const [source, clone] = [world.node('source'), world.node('clone')]
    for (const writer of writers) source.synchronizer.add(writer.replica, 0)
    const copies = writers.map((writer) => holder(writer))
    for (const copy of copies) clone.synchronizer.add(copy, 0)
    const [writer, copy] = [writers[7], copies[7]]
    if (writer === undefined || copy === undefined) throw new Error('not there')
    writer.replica.chunkReader = new Shelf(chunks)
    const early = new Taker(world, clone, copy, namesOf(chunks))
    const part = world.connect(source, clone)
    world.run(1_000)
    expect(early.hasExactly(chunks)).toBe(true)
    part()
    world.connect(source, clone)
    world.run(1_000)
    const late = new Taker(world, clone, copy, namesOf(chunks))
    world.run(1_000)
    expect(late.hasExactly(chunks)).toBe(true)
  })
})

describe('the window', () => {
  it('bounds what is on its way, and what waits to be taken', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(256, 256 * KiB)
    const { node, replica } = wanting(world)
    world.connect(keeper(world, 'source', new Shelf(chunks)), node)
    const taker = new Taker(world, node, replica, namesOf(chunks), { isLazy: true })
    let most = 0
    const look = (): boolean => {
      const [peer] = node.synchronizer.peers
      if (peer !== undefined) {
        most = Math.max(most, peer.owedBytes - peer.window.bytes)
        expect(peer.owedBytes + taker.fetch.unreadBytes).toBeLessThanOrEqual(peer.window.bytes + 256 * KiB)
      }
      return false
    }
    world.run(5_000, look)
    const { unreadBytes } = taker.fetch
    expect(node.receivedBytes).toBeLessThan(9 * MiB)
    expect([node.ended.length, most <= 256 * KiB]).toEqual([0, true])
    world.run(5_000)
    expect(taker.fetch.unreadBytes).toBe(unreadBytes)
    for (let turn = 0; turn < 10_000 && !taker.isDone; turn += 1) {
      taker.take()
      world.run(2)
    }
    expect(taker.hasExactly(chunks)).toBe(true)
  })

  it('is kept with lengths that are not known, by the most that an answer may have', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(40, MiB)
    const { node, replica } = wanting(world)
    const source = keeper(world, 'source', new Shelf(chunks))
    world.connect(source, node, { bytesPerMs: 10_000 })
    const taker = new Taker(
      world,
      node,
      replica,
      chunks.map(({ hash }) => ({ hash })),
      { isLazy: true },
    )
    world.run(5_000)
    // What was asked for by a wrong guess is cut: the bytes that were asked for, and one chunk more.
    expect(taker.fetch.unreadBytes).toBeLessThan(4 * MiB)
    for (let turn = 0; turn < 10_000 && !taker.isDone; turn += 1) {
      taker.take()
      world.run(10)
    }
    expect(taker.hasExactly(chunks)).toBe(true)
    expect([...source.ended, ...node.ended]).toEqual([])
  })

  it('is left to blocks, too, and to others who want chunks', () => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(3_000, 1_000))
    const chunks = chunksOf(300, 10_000)
    const [source, clone] = [world.node('source'), world.node('clone')]
    writer.replica.chunkReader = new Shelf(chunks)
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone, { bytesPerMs: 1_000 })
    const lazy = new Taker(world, clone, copy.replica, namesOf(chunks), { isLazy: true })
    const one = new Taker(world, clone, copy.replica, namesOf(chunks.slice(0, 150)))
    const other = new Taker(world, clone, copy.replica, namesOf(chunks.slice(150)))
    world.run(2_500)
    expect(lazy.fetch.unreadBytes).toBeGreaterThan(0)
    for (const share of [copy.replica.have.count / 3_000, one.came.length / 150, other.came.length / 150])
      expect(share).toBeGreaterThan(0.1)
    world.run(10_000, () => copy.replica.have.count === 3_000 && one.isDone && other.isDone)
    expect([copy.replica.have.count, one.isDone, other.isDone]).toEqual([3_000, true, true])
  })
})

describe('a request that nobody waits for any longer', () => {
  it('is taken back: the holder stops reading, and what is on its way counts for nothing', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(500, 16 * KiB)
    const shelf = new Shelf(chunks, (run) => world.later(5, run))
    const { node, replica } = wanting(world)
    const source = keeper(world, 'source', shelf)
    world.connect(source, node, { delayMs: 20 })
    for (let turn = 0; turn < 200; turn += 1) {
      const taker = new Taker(world, node, replica, namesOf(chunks), { isLazy: true })
      // Mostly when all is on its way and nothing is there yet: together, that is more than a peer may send unasked.
      world.run(turn < 150 ? 44 : 100 + turn)
      taker.end()
      world.run(40)
      expect([shelf.open, node.synchronizer.peers[0]?.owedBytes, node.synchronizer.chunks.isIdle]).toEqual([0, 0, true])
    }
    expect([...source.ended, ...node.ended]).toEqual([])
    expect(source.synchronizer.peers[0]?.servedFetches).toBe(0)
    const { receivedBytes } = node
    world.run(1_000)
    expect(node.receivedBytes).toBe(receivedBytes)
  })

  it('is one of a feed that was closed', () => {
    const world = new SyncWorld()
    const chunks = chunksOf(500, 16 * KiB)
    const shelf = new Shelf(chunks, (run) => world.later(5, run))
    const { node, replica } = wanting(world)
    const source = keeper(world, 'source', shelf)
    world.connect(source, node)
    const taker = new Taker(world, node, replica, namesOf(chunks))
    world.run(20)
    node.synchronizer.remove(replica)
    taker.end()
    world.run(100)
    expect([shelf.open, node.synchronizer.peers[0]?.owedBytes]).toEqual([0, 0])
    expect([...source.ended, ...node.ended]).toEqual([])
  })
})
