import { describe, expect, it } from 'vitest'
import {
  blocksOf,
  hasAll,
  holder,
  lose,
  reader,
  SyncWorld,
  Writer,
  type SyncNode,
} from '../../../test/feed/sync-world.ts'
import { decodeFeedMessage, feedOps } from '../messages.ts'

describe('lost blocks', () => {
  it('are said to be gone at once, in one message, and fetched again from who has them', () => {
    const world = new SyncWorld()
    const [source, clone, third] = ['source', 'clone', 'third'].map((name) => world.node(name)) as [
      SyncNode,
      SyncNode,
      SyncNode,
    ]
    const writer = new Writer(1, blocksOf(100, 50))
    const copies = [reader(writer.replica.name), reader(writer.replica.name)] as const
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copies[0].replica, 0)
    third.synchronizer.add(copies[1].replica, 0)
    const said: (readonly number[])[] = []
    world.connect(source, clone)
    world.connect(clone, third, {
      tamper: (from, op, payload) => {
        const message = decodeFeedMessage(op, payload)
        if (from === 'clone' && message.name === 'unhave') said.push(message.value.runs)
        return payload
      },
    })
    world.run(1_000)
    copies[0].replica.have.remove(15, 17)
    copies[0].store.blocks.delete(15)
    copies[0].store.blocks.delete(16)
    lose(clone, copies[0], 10, 20, world.now)
    expect(said).toEqual([[10, 15, 17, 20]])
    world.run(1_000)
    expect([copies[0], copies[1]].map(({ store }) => hasAll(writer, store))).toEqual([true, true])
    expect([source, clone, third].flatMap(({ ended }) => ended)).toEqual([])
  })

  it('come back to the writer from those who got them from it', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(200, 50))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const part = world.connect(source, clone)
    world.run(1_000)
    lose(source, writer, 50, 150, world.now)
    expect(hasAll(writer, writer.store)).toBe(false)
    world.run(1_000)
    expect(hasAll(writer, writer.store)).toBe(true)
    // Also what was lost while nobody was there, and while the feed went on.
    part()
    lose(source, writer, 0, 120, world.now)
    writer.append(source, blocksOf(10, 50, 3), world.now)
    world.connect(source, clone)
    world.run(1_000)
    expect([hasAll(writer, writer.store), hasAll(writer, copy.store)]).toEqual([true, true])
    expect([writer.store.repeated, copy.store.repeated]).toEqual([0, 0])
    expect([...source.ended, ...clone.ended]).toEqual([])
  })

  it('that were about to be sent are refused, and asked for elsewhere', () => {
    const world = new SyncWorld()
    const [source, other, clone] = ['source', 'other', 'clone'].map((name) => world.node(name)) as [
      SyncNode,
      SyncNode,
      SyncNode,
    ]
    const writer = new Writer(1, blocksOf(1_000, 1_000))
    const rotten = reader(writer.replica.name)
    const copy = reader(writer.replica.name)
    source.synchronizer.add(holder(writer), 0)
    other.synchronizer.add(rotten.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const part = world.connect(source, other)
    world.run(5_000, () => rotten.replica.have.count === 1_000)
    part()
    let refused = 0
    world.connect(other, clone, {
      bytesPerMs: 2_000,
      tamper: (from, op, payload) => {
        if (from === 'other' && op === feedOps.refuse) refused += 1
        return payload
      },
    })
    world.run(60)
    // The disk finds out when it reads: what was measured and proven before is not there.
    for (let index = 0; index < 1_000; index += 3) rotten.store.blocks.delete(index)
    world.run(50)
    for (let index = 0; index < 1_000; index += 3) other.synchronizer.lost(rotten.replica, index, index + 1, world.now)
    world.connect(source, clone)
    world.run(20_000, () => copy.replica.have.count === 1_000)
    expect(refused).toBeGreaterThan(0)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect(copy.store.repeated).toBe(0)
    expect([...source.ended, ...other.ended, ...clone.ended]).toEqual([])
  })

  it('of a peer that takes nothing are said when it does', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(300, 10))
    const copy = reader(writer.replica.name, { mode: 'sparse' })
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const said: (readonly number[])[] = []
    world.connect(source, clone, {
      tamper: (from, op, payload) => {
        const message = decodeFeedMessage(op, payload)
        if (from === 'source' && message.name === 'unhave') said.push(message.value.runs)
        return payload
      },
    })
    world.run(100)
    const [peer] = source.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    peer.isWritable = false
    lose(source, writer, 290, 295, world.now)
    lose(source, writer, 295, 300, world.now)
    lose(source, writer, 280, 285, world.now)
    clone.synchronizer.want(copy.replica, 270, 300, world.now)
    world.run(100)
    expect(said).toEqual([])
    source.synchronizer.ready(peer, world.now)
    world.run(100)
    expect(said).toEqual([[280, 285, 290, 300]])
    expect([copy.replica.have.count, copy.replica.inFlight.count]).toEqual([15, 0])
  })
})
