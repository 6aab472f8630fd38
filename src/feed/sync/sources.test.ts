import { describe, expect, it } from 'vitest'
import { blocksOf, hasAll, holder, reader, SyncWorld, Writer, type SyncNode } from '../../../test/feed/sync-world.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps } from '../messages.ts'

describe('F2 several sources', () => {
  it.each(['next', 'rarest'] as const)('one that lies and one that stalls are done without, %s first', (order) => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(20_000, 100))
    const names = ['honest', 'liar', 'staller']
    const sources = names.map((name) => world.node(name))
    const clone = world.node('clone')
    const copy = reader(writer.replica.name, { order })
    clone.synchronizer.add(copy.replica, 0)
    let stalled = 0
    for (const source of sources) {
      source.synchronizer.add(holder(writer), 0)
      world.connect(source, clone, {
        tamper: (from, op, payload) => {
          if (from === 'liar' && op === feedOps.data)
            return payload.map((byte, at) => (at === payload.length - 1 ? byte ^ 1 : byte))
          if (from === 'staller' && op === feedOps.data && (stalled += 1) > 2) return undefined
          return payload
        },
      })
    }
    world.run(20_000, () => copy.replica.have.count === 20_000)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect(copy.store.repeated).toBe(0)
    expect(clone.ended.map(({ code }) => code)).toContain('CORRUPT')
    expect(world.now).toBeLessThan(6_000)
  })

  it.each(['next', 'rarest'] as const)('are asked for the blocks that the order says: the %s first', (order) => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(2_000, 1_000))
    const [all, some, clone] = [world.node('all'), world.node('some'), world.node('clone')]
    const copy = reader(writer.replica.name, { order })
    const half = reader(writer.replica.name, { mode: 'sparse' })
    half.replica.wanted.add(0, 1_000)
    all.synchronizer.add(writer.replica, 0)
    some.synchronizer.add(half.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(all, some)
    world.run(1_000)
    world.connect(some, clone, {
      delayMs: 0,
      tamper: (_from, op, payload) => (op === feedOps.request ? undefined : payload),
    })
    world.run(10)
    const asked: number[] = []
    world.connect(all, clone, {
      tamper: (from, op, payload) => {
        const message = from === 'clone' ? decodeFeedMessage(op, payload) : undefined
        if (message?.name === 'request') asked.push(...message.value.runs)
        return payload
      },
    })
    // What the other one was asked for and has not answered is left to it for a second.
    world.run(10)
    if (order === 'rarest') expect(Math.min(...asked)).toBeGreaterThanOrEqual(1_000)
    else expect(asked[0]).toBeLessThan(1_000)
    world.run(20_000, () => copy.replica.have.count === 2_000)
    expect(hasAll(writer, copy.store)).toBe(true)
  })

  it.each(['next', 'rarest'] as const)('hand over what a much slower one still owes at the end, %s first', (order) => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(4_000, 1_000))
    const clone = world.node('clone')
    const copy = reader(writer.replica.name, { order })
    clone.synchronizer.add(copy.replica, 0)
    for (const [name, bytesPerMs] of [
      ['slow', 20],
      ['fast', 5_000],
    ] as const) {
      const source = world.node(name)
      source.synchronizer.add(holder(writer), 0)
      world.connect(source, clone, { bytesPerMs })
    }
    // Alone, the fast one takes 800 ms, and the slow one 13 s for its first window.
    world.run(20_000, () => copy.replica.have.count === 4_000)
    expect(world.now).toBeLessThan(1_800)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect(copy.store.repeated).toBe(0)
    world.run(20_000)
    expect([clone.ended.length, copy.replica.inFlight.count]).toEqual([0, 0])
    expect(clone.synchronizer.snapshot().map(({ strikes, owedBytes }) => [strikes, owedBytes])).toEqual([
      [0, 0],
      [0, 0],
    ])
  })

  it('are not searched for more than what is new when one of them says what it has', () => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(40_000, 1))
    const [source, middle, clone] = ['source', 'middle', 'clone'].map((name) => world.node(name)) as [
      SyncNode,
      SyncNode,
      SyncNode,
    ]
    const some = reader(writer.replica.name, { mode: 'sparse' })
    const copy = reader(writer.replica.name)
    for (let block = 0; block < 36_000; block += 2) some.replica.wanted.add(block, block + 1)
    const part = world.connect(source, middle)
    source.synchronizer.add(writer.replica, 0)
    middle.synchronizer.add(some.replica, 0)
    world.run(20_000, () => some.replica.have.count === 18_000)
    part()
    clone.synchronizer.add(copy.replica, world.now)
    world.connect(middle, clone)
    // What is said in many messages is heard to its end: 18,000 runs are more than four of them hold.
    world.run(20_000, () => copy.replica.have.count === 18_000)
    expect(copy.replica.have.count).toBe(18_000)
    let steps = 0
    const { have } = copy.replica
    const nextHole = have.nextHole.bind(have)
    have.nextHole = (from) => {
      steps += 1
      return nextHole(from)
    }
    const [peer] = clone.synchronizer.peers
    if (peer === undefined) throw new Error('not connected')
    const payload = encodeFeedMessage('have', { feed: 0, runs: [34_000, 34_001] })
    for (let turn = 0; turn < 100; turn += 1) clone.synchronizer.receive(peer, feedOps.have, payload, world.now)
    expect(steps).toBeLessThan(1_000)
    expect([...source.ended, ...middle.ended, ...clone.ended]).toEqual([])
  })

  it('share the work', () => {
    const world = new SyncWorld()
    const writer = new Writer(1, blocksOf(2_000, 4_000))
    const clone = world.node('clone')
    const copy = reader(writer.replica.name)
    clone.synchronizer.add(copy.replica, 0)
    const sent = new Map<string, number>()
    for (const name of ['a', 'b', 'c']) {
      const source = world.node(name)
      source.synchronizer.add(holder(writer), 0)
      world.connect(source, clone, {
        bytesPerMs: 5_000,
        tamper: (from, _op, payload) => {
          sent.set(from, (sent.get(from) ?? 0) + payload.length)
          return payload
        },
      })
    }
    world.run(20_000, () => copy.replica.have.count === 2_000)
    expect(hasAll(writer, copy.store)).toBe(true)
    for (const name of ['a', 'b', 'c']) expect(sent.get(name)).toBeGreaterThan(1_500_000)
    // Alone, one of them would take 1,600 ms.
    expect(world.now).toBeLessThan(800)
  })
})
