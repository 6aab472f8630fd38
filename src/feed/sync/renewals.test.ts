import { describe, expect, it } from 'vitest'
import { SlowStore } from '../../../test/feed/slow-store.ts'
import { blocksOf, hasAll, reader, SyncWorld, Writer, type SyncNode } from '../../../test/feed/sync-world.ts'
import { Bitmap } from '../bitmap.ts'
import { Frontier } from '../frontier.ts'
import { sha256 } from '../node/sha256.ts'
import { sealedName } from '../sealed-name.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { encodeFeedMessage, feedOps } from '../messages.ts'
import type { FeedHead } from './feed-store.ts'
import { Replica } from './replica.ts'

function chain(): {
  readonly world: SyncWorld
  readonly nodes: readonly [SyncNode, SyncNode, SyncNode]
  readonly writer: Writer
  readonly copies: readonly [ReturnType<typeof reader>, ReturnType<typeof reader>]
} {
  const world = new SyncWorld()
  const nodes = [world.node('source'), world.node('middle'), world.node('end')] as const
  const writer = new Writer(1, blocksOf(300, 100))
  const copies = [reader(writer.replica.name), reader(writer.replica.name)] as const
  nodes[0].synchronizer.add(writer.replica, 0)
  nodes[1].synchronizer.add(copies[0].replica, 0)
  nodes[2].synchronizer.add(copies[1].replica, 0)
  return { world, nodes, writer, copies }
}

describe('a truncated feed', () => {
  it.each([0, 1, 200, 300])('to %i blocks begins anew everywhere, and goes on', (length) => {
    const { world, nodes, writer, copies } = chain()
    const [source, middle, end] = nodes
    world.connect(source, middle)
    world.connect(middle, end)
    world.run(1_000)
    writer.truncate(source, length, world.now)
    world.run(1_000)
    expect(copies.map(({ replica }) => [replica.fork, replica.length, replica.have.count])).toEqual([
      [1, length, length],
      [1, length, length],
    ])
    writer.append(source, blocksOf(50, 100, 7), world.now)
    world.run(1_000)
    expect(copies.map(({ store }) => hasAll(writer, store))).toEqual([true, true])
    expect(copies.map(({ store, replica }) => [store.repeated, replica.inFlight.count])).toEqual([
      [0, 0],
      [0, 0],
    ])
    writer.append(source, blocksOf(1, 100, 8), world.now)
    writer.truncate(source, 10, world.now)
    writer.truncate(source, 5, world.now)
    writer.append(source, blocksOf(9, 100, 9), world.now)
    world.run(1_000)
    expect(copies.map(({ store, replica }) => [hasAll(writer, store), replica.fork])).toEqual([
      [true, 3],
      [true, 3],
    ])
    expect(nodes.flatMap(({ ended, forked }) => [...ended, ...forked])).toEqual([])
  })

  it('gives up what was on its way, also when the store takes its time and fails', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new SyncWorld()
      const [source, clone] = [world.node('source'), world.node('clone')]
      const writer = new Writer(1, blocksOf(2_000, 1_000))
      const { store } = reader(writer.replica.name)
      const random = new SeededRandom(`renewals ${seed}`)
      const replica = new Replica({ name: writer.replica.name, store: new SlowStore(store, world, random, 4) })
      source.synchronizer.add(writer.replica, 0)
      clone.synchronizer.add(replica, 0)
      world.connect(source, clone, { bytesPerMs: 10_000, delayMs: 7 })
      world.run(30 + seed * 7)
      writer.truncate(source, 1_500, world.now)
      world.run(seed * 5)
      writer.append(source, blocksOf(100, 1_000, 3), world.now)
      world.run(20_000, () => replica.have.count === 1_600)
      expect([seed, hasAll(writer, store), store.repeated, replica.inFlight.count]).toEqual([seed, true, 0, 0])
      expect([...source.ended, ...clone.ended]).toEqual([])
    }
  })

  it('is not brought back by who has not heard of it, and who is behind is no offender', () => {
    const { world, nodes, writer, copies } = chain()
    const [source, middle, end] = nodes
    const part = world.connect(source, middle)
    const partEnd = world.connect(source, end)
    world.run(1_000)
    partEnd()
    writer.truncate(source, 100, world.now)
    writer.append(source, blocksOf(20, 100, 7), world.now)
    world.run(1_000)
    part()
    // The end is longer, and of the older fork.
    expect(copies.map(({ replica }) => [replica.fork, replica.length])).toEqual([
      [1, 120],
      [0, 300],
    ])
    let isRenewed = false
    world.connect(end, middle, {
      tamper: (_from, _op, payload) => {
        if (copies[0].replica.fork !== 1 || copies[0].replica.length !== 120) isRenewed = true
        return payload
      },
    })
    world.run(1_000)
    expect(isRenewed).toBe(false)
    expect(copies.map(({ store, replica }) => [hasAll(writer, store), replica.fork, replica.length])).toEqual([
      [true, 1, 120],
      [true, 1, 120],
    ])
    expect(nodes.flatMap(({ ended, forked }) => [...ended, ...forked])).toEqual([])
  })

  it('to nothing is passed on by a copy that was closed between its reset and its head', () => {
    const { world, nodes, writer, copies } = chain()
    const [source, middle, end] = nodes
    const parts = [world.connect(source, middle), world.connect(middle, end)]
    world.run(1_000)
    for (const part of parts) part()
    writer.truncate(source, 0, world.now)
    middle.synchronizer.remove(copies[0].replica)
    copies[0].store.reset(1, () => {})
    const again = new Replica({ name: writer.replica.name, store: copies[0].store, fork: 1 })
    middle.synchronizer.add(again, world.now)
    world.connect(source, middle)
    world.connect(middle, end)
    world.run(1_000)
    expect([again, copies[1].replica].map(({ fork, head }) => [fork, head?.fork, head?.length])).toEqual([
      [1, 1, 0],
      [1, 1, 0],
    ])
    writer.append(source, blocksOf(5, 100, 7), world.now)
    world.run(1_000)
    expect(copies.map(({ store }) => hasAll(writer, store))).toEqual([true, true])
    expect(nodes.flatMap(({ ended, forked }) => [...ended, ...forked])).toEqual([])
  })

  it('whose older head is said after a newer one, by one peer, ends that peer', () => {
    const { world, nodes, writer } = chain()
    const [source, middle] = nodes
    const old = writer.replica.head as FeedHead
    world.connect(source, middle)
    world.run(1_000)
    writer.truncate(source, 100, world.now)
    world.run(1_000)
    const [peer] = middle.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    middle.synchronizer.receive(peer, feedOps.head, encodeFeedMessage('head', { ...old, feed: 0, known: 0 }), world.now)
    expect(middle.ended.map(({ code }) => code)).toEqual(['PROTOCOL'])
  })

  it('cannot be a sealed one', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const blocks = blocksOf(20, 10)
    const frontier = new Frontier(sha256)
    const nodes = frontier.append(blocks)
    const head = { fork: 0, length: 20, bytes: 200, root: frontier.root() }
    const name = sealedName(sha256, head)
    const [whole, copy] = [reader(name), reader(name, { isSealed: true })]
    const rest = { positions: [], hashes: new Uint8Array(0), groups: [{ start: 0, blocks, position: 0, nodes }] }
    const [have, peaks] = [new Bitmap(), frontier.peaks()]
    have.add(0, 20)
    whole.store.store({ fork: 0, head, peaks, ...rest }, () => {})
    source.synchronizer.add(new Replica({ name, store: whole.store, isSealed: true, head, peaks, have }), 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    world.run(1_000)
    expect(copy.replica.have.count).toBe(20)
    const [peer] = clone.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const payload = encodeFeedMessage('head', { ...head, fork: 1, feed: 0, known: 0 })
    clone.synchronizer.receive(peer, feedOps.head, payload, world.now)
    expect(clone.ended.map(({ code }) => code)).toEqual(['PROTOCOL'])
    expect([copy.replica.have.count, copy.store.blocks.size]).toEqual([20, 20])
  })

  it('is told to a live sparse reader, which gets what is new on the new fork from a holder too', () => {
    const world = new SyncWorld()
    const [source, middle, end] = [world.node('source'), world.node('middle'), world.node('end')]
    const writer = new Writer(1, blocksOf(30, 100))
    const copy = reader(writer.replica.name)
    const live = reader(writer.replica.name, { mode: 'sparse', isLive: true })
    source.synchronizer.add(writer.replica, 0)
    middle.synchronizer.add(copy.replica, 0)
    end.synchronizer.add(live.replica, 0)
    world.connect(source, middle)
    world.connect(middle, end)
    world.run(1_000)
    expect(live.store.blocks.size).toBe(0)
    writer.append(source, blocksOf(5, 100, 1), world.now)
    world.run(1_000)
    expect([...live.store.blocks.keys()]).toEqual([30, 31, 32, 33, 34])
    writer.truncate(source, 32, world.now)
    writer.append(source, blocksOf(6, 100, 2), world.now)
    world.run(1_000)
    expect([...live.store.blocks.keys()].toSorted((one, other) => one - other)).toEqual([
      30, 31, 32, 33, 34, 35, 36, 37,
    ])
    expect([...source.ended, ...middle.ended, ...end.ended]).toEqual([])
  })
})

describe('a store that fails', () => {
  it('is left alone, longer each time, until it does what it is told', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(30, 100))
    const copy = reader(writer.replica.name)
    const failedAt: number[] = []
    const { store } = copy
    const commit = store.store.bind(store)
    let isBroken = true
    store.store = (batch, done) => {
      if (!isBroken) return commit(batch, done)
      failedAt.push(world.now)
      done(false)
    }
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    world.run(100_000)
    const pauses = failedAt.slice(1).map((at, index) => Math.round((at - (failedAt[index] as number)) / 1_000))
    expect(pauses).toEqual([1, 2, 4, 8, 16, 32])
    isBroken = false
    world.run(70_000)
    expect(hasAll(writer, store)).toBe(true)
    expect([...source.ended, ...clone.ended]).toEqual([])
  })
})
