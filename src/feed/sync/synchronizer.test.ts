import { describe, expect, it } from 'vitest'
import { SlowStore } from '../../../test/feed/slow-store.ts'
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
import { encodeHex } from '../../base/bytes.ts'
import { encodeFeedMessage, feedOps } from '../messages.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'

describe('a feed', () => {
  it('is cloned from one source, in few batches and hardly more bytes than it has', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(10_000, 100))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    world.run(10_000, () => copy.replica.have.count === 10_000)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect(copy.store.repeated).toBe(0)
    expect(copy.store.commits).toBeLessThan(200)
    expect(clone.receivedBytes).toBeLessThan(10_000 * 100 * 1.05)
    expect([...source.ended, ...clone.ended]).toEqual([])
    expect(clone.synchronizer.snapshot()).toMatchObject([
      {
        id: 'source',
        owedBytes: 0,
        strikes: 0,
        feeds: [{ isShared: true, length: 10_000, have: 10_000, inFlight: 0, theirLength: 10_000, requests: 0 }],
      },
    ])
  })

  it('reaches who knows only a holder, and follows there what is appended', () => {
    const world = new SyncWorld()
    const [source, middle, end] = [world.node('source'), world.node('middle'), world.node('end')]
    const writer = new Writer(1, blocksOf(300, 100))
    const copies = [reader(writer.replica.name), reader(writer.replica.name)] as const
    source.synchronizer.add(writer.replica, 0)
    middle.synchronizer.add(copies[0].replica, 0)
    end.synchronizer.add(copies[1].replica, 0)
    world.connect(source, middle)
    world.connect(middle, end)
    world.run(1_000)
    for (let turn = 0; turn < 20; turn += 1) {
      writer.append(source, blocksOf(1 + (turn % 5), 50, turn), world.now)
      world.run(turn % 7)
    }
    world.run(1_000, () => copies[1].replica.have.count === writer.replica.length)
    expect(copies.map(({ store }) => hasAll(writer, store))).toEqual([true, true])
    expect(copies.map(({ store }) => store.repeated)).toEqual([0, 0])
    expect([...middle.ended, ...end.ended]).toEqual([])
  })

  it('goes on after a break where it was', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(4_000, 1_000))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    for (let turn = 0; turn < 10; turn += 1) {
      const part = world.connect(source, clone, { delayMs: 5, bytesPerMs: 10_000 })
      world.run(70)
      part()
      world.run(3)
    }
    world.connect(source, clone)
    world.run(5_000, () => copy.replica.have.count === 4_000)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect(copy.store.repeated).toBe(0)
    // F3: each break costs what was on its way, at most a window.
    expect(clone.receivedBytes).toBeLessThan(4_000_000 * 1.1 + 10 * 512 * 1024)
  })
})

describe('F2b distance', () => {
  const far = { delayMs: 25, bytesPerMs: 125_000 }

  it('costs 10,000 small blocks no more than 15 round trips', () => {
    const { ms } = cloned(10_000, 100, far)
    expect(ms).toBeLessThan(15 * 50)
  })

  it('leaves four fifths of the rate when the window has grown', () => {
    const { ms } = cloned(1_024, 65_536, far)
    const alone = (1_024 * 65_536) / far.bytesPerMs
    // What the first round trips carry is the rest: the window doubles from 256 KiB to what the link holds.
    expect(ms).toBeLessThan(alone / 0.8 + 8 * 50)
  })

  function cloned(count: number, bytes: number, options: object): { readonly ms: number } {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(count, bytes))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone, options)
    const ms = world.run(60_000, () => copy.replica.have.count === count)
    expect(copy.replica.have.count).toBe(count)
    return { ms }
  }
})

describe('F4 sparse and live', () => {
  it('ten blocks of many are fetched with their proofs alone', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(50_000, 100))
    const copy = reader(writer.replica.name, { mode: 'sparse' })
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    const places = [3, 4, 77, 1_000, 20_000, 25_000, 33_333, 40_000, 49_998, 49_999]
    for (const place of places) clone.synchronizer.want(copy.replica, place, place + 1, world.now)
    world.run(1_000, () => copy.replica.have.count === 10)
    expect([...copy.store.blocks.keys()].sort((a, b) => a - b)).toEqual(places)
    expect(clone.receivedBytes).toBeLessThan(10 * 100 + 20_000)
    // What it has it can prove to others, also when the feed has grown.
    const third = world.node('third')
    const another = reader(writer.replica.name, { mode: 'sparse' })
    third.synchronizer.add(another.replica, 0)
    another.replica.wanted.add(33_333, 33_334)
    world.connect(clone, third)
    world.run(1_000)
    expect([...another.store.blocks.keys()]).toEqual([33_333])
  })

  it('what is not wanted any more is given up, and neither fetched again nor heard of', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(100, 10))
    const copy = reader(writer.replica.name, { mode: 'sparse' })
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    world.connect(source, clone)
    clone.synchronizer.want(copy.replica, 10, 30, world.now)
    world.run(1_000)
    expect(copy.replica.have.count).toBe(20)
    clone.synchronizer.unwant(copy.replica, 10, 20, world.now)
    lose(clone, copy, 10, 20, world.now)
    lose(clone, copy, 25, 30, world.now)
    world.run(1_000)
    expect(copy.replica.have.runs(0, 100, 9)).toEqual([20, 30])
    expect([...source.ended, ...clone.ended]).toEqual([])
  })

  it('what was appended while an answer was prepared, which has proven it without its blocks, is told of', () => {
    for (let seed = 1; seed <= 20; seed += 1) {
      const world = new SyncWorld()
      const [source, clone] = [world.node('source'), world.node('clone')]
      const random = new SeededRandom(`answers ${seed}`)
      const writer = new Writer(1, blocksOf(20, 100), (store) => new SlowStore(store, world, random, 0))
      const copy = reader(writer.replica.name)
      source.synchronizer.add(writer.replica, 0)
      clone.synchronizer.add(copy.replica, 0)
      world.connect(source, clone)
      for (let step = 0; step < 4; step += 1) {
        world.run(1 + (seed % 7))
        writer.append(source, blocksOf(3, 100, step), world.now)
      }
      world.run(5_000)
      expect([seed, hasAll(writer, copy.store)]).toEqual([seed, true])
    }
  })

  it('a push whose blocks never come is given up, and asked for elsewhere', () => {
    const world = new SyncWorld()
    const [source, other, clone] = [world.node('source'), world.node('other'), world.node('clone')]
    const writer = new Writer(1, blocksOf(3, 100))
    const [copy, middle] = [reader(writer.replica.name), reader(writer.replica.name)]
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    other.synchronizer.add(middle.replica, 0)
    let isSilent = false
    const tamper = (from: string, op: number, payload: Uint8Array): Uint8Array | undefined =>
      isSilent && from === 'source' && op === feedOps.data ? undefined : payload
    world.connect(source, clone, { tamper })
    world.connect(source, other)
    world.connect(other, clone)
    world.run(500)
    isSilent = true
    writer.append(source, blocksOf(2, 100), world.now)
    world.run(5_000, () => copy.replica.have.count === 5)
    expect([copy.replica.have.count, copy.replica.inFlight.count]).toEqual([5, 0])
  })

  it('a follower has what is appended after one way, and does not ask', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(3, 100))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const ops: number[] = []
    world.connect(source, clone, {
      delayMs: 20,
      tamper: (from, op, payload) => (from === 'clone' && ops.push(op), payload),
    })
    world.run(1_000)
    ops.length = 0
    for (let turn = 0; turn < 30; turn += 1) {
      writer.append(source, blocksOf(1, 100, turn), world.now)
      const ms = world.run(
        500,
        () => copy.replica.length === writer.replica.length && copy.replica.have.has(writer.replica.length - 1),
      )
      expect(ms).toBeLessThan(21)
    }
    // While one is on its way the next ones follow.
    for (let turn = 0; turn < 30; turn += 1) writer.append(source, blocksOf(1, 100, turn), world.now)
    expect(world.run(500, () => copy.replica.have.count === 63)).toBeLessThan(21)
    expect(ops.filter((op) => op === feedOps.request)).toEqual([])
    expect(hasAll(writer, copy.store)).toBe(true)
  })
})

describe('F4b absurd claims', () => {
  const writer = new Writer(1, blocksOf(3, 10))

  /** What becomes of a peer that knows the feed and says this besides. */
  function says(...messages: readonly (readonly [op: number, payload: Uint8Array])[]): SyncNode {
    const world = new SyncWorld()
    const [liar, clone] = [world.node('liar'), world.node('clone')]
    const copy = reader(writer.replica.name)
    liar.synchronizer.add(holder(writer), 0)
    clone.synchronizer.add(copy.replica, 0)
    let isSaid = false
    world.connect(liar, clone, {
      tamper: (from, op, payload) => {
        if (from === 'liar' && op === feedOps.info && !isSaid) {
          isSaid = true
          const peer = [...clone.synchronizer.peers][0]
          if (peer !== undefined) world.run(5)
          for (const [bad, bytes] of messages)
            if (peer !== undefined) clone.synchronizer.receive(peer, bad, bytes, world.now)
        }
        return payload
      },
    })
    world.run(3_000)
    return clone
  }

  const flood = (): (readonly [number, Uint8Array])[] =>
    Array.from({ length: 10 }, (_, turn) => {
      const runs = Array.from({ length: 8_192 }, (_each, index) => turn * 20_000_000 + index * 2_048)
      return [
        feedOps.want,
        encodeFeedMessage('want', { feed: 0, start: runs[0] as number, end: (runs[0] as number) + 1 }),
      ] as const
    })

  it.each<[string, readonly (readonly [number, Uint8Array])[], string | undefined]>([
    ['2^48 blocks of three', [[feedOps.have, encodeFeedMessage('have', { feed: 0, runs: [0, 2 ** 48] })]], 'PROTOCOL'],
    [
      'one block more than there are',
      [[feedOps.have, encodeFeedMessage('have', { feed: 0, runs: [0, 4] })]],
      'PROTOCOL',
    ],
    ['2^53 - 1 of them', [[feedOps.have, Uint8Array.of(0, 1, 0, 255, 255, 255, 255, 255, 255, 255, 15)]], 'LIMIT'],
    ['a million ranges', [[feedOps.have, Uint8Array.of(0, 0xc0, 0x84, 0x3d, 1, 1)]], 'LIMIT'],
    [
      'a length beyond its head',
      [[feedOps.info, encodeFeedMessage('info', { feed: 0, fork: 0, length: 4, first: 0, contiguous: 0, flags: 1 })]],
      'PROTOCOL',
    ],
    ['a feed that was not opened', [[feedOps.close, encodeFeedMessage('close', { feed: 9 })]], 'PROTOCOL'],
    [
      'the same feed again',
      [[feedOps.open, encodeFeedMessage('open', { feed: 0, tag: new Uint8Array(32) })]],
      'PROTOCOL',
    ],
    ['an op of no kind', [[99, new Uint8Array(0)]], 'PROTOCOL'],
    [
      'a head of nobody',
      [[feedOps.head, encodeFeedMessage('head', { ...headOf(writer), length: 2 ** 48, feed: 0, known: 0 })]],
      'CORRUPT',
    ],
    ['wants of ever new places', flood(), undefined],
  ])('%s', (_what, messages, code) => {
    expect(says(...messages).ended.map((error) => error.code)).toEqual(code === undefined ? [] : [code])
  })
})

describe('F4c a thousand feeds', () => {
  it('who lacks a key learns none, nor anything of the feed', () => {
    const world = new SyncWorld()
    const [source, stranger] = [world.node('source'), world.node('stranger')]
    const writers = Array.from({ length: 20 }, (_, index) => new Writer(index + 1, blocksOf(3, 10)))
    for (const writer of writers) source.synchronizer.add(writer.replica, 0)
    const other = new Writer(99, blocksOf(3, 10))
    stranger.synchronizer.add(other.replica, 0)
    const seen: string[] = []
    const ops = new Set<number>()
    world.connect(source, stranger, {
      tamper: (from, op, payload) => {
        if (from === 'source') {
          ops.add(op)
          seen.push(encodeHex(payload))
        }
        return payload
      },
    })
    world.run(1_000)
    expect([...ops]).toEqual([feedOps.open])
    for (const writer of writers) {
      const secrets = [writer.replica.name, writer.replica.head?.root as Uint8Array].map((bytes) => encodeHex(bytes))
      expect(seen.some((text) => secrets.some((secret) => text.includes(secret.slice(0, 16))))).toBe(false)
    }
    expect([...source.ended, ...stranger.ended]).toEqual([])
  })

  it.each([0, 1, 5])(
    'of which %i have changed are found out by a few bytes, and fetched in three round trips',
    (changed) => {
      const world = new SyncWorld()
      const [source, clone] = [world.node('source'), world.node('clone')]
      const writers = Array.from({ length: 1_000 }, (_, seed) => new Writer(seed, blocksOf(seed < changed ? 4 : 3, 10)))
      const copies = writers.map((writer, seed) => holder(seed < changed ? new Writer(seed, blocksOf(3, 10)) : writer))
      for (const { replica } of writers) source.synchronizer.add(replica, 0)
      for (const replica of copies) clone.synchronizer.add(replica, 0)
      world.connect(source, clone, { delayMs: 50 })
      const grown = (): number => copies.filter(({ have }) => have.count === 4).length
      const ms = world.run(changed === 0 ? 500 : 5_000, () => changed > 0 && grown() === changed)
      expect(grown()).toBe(changed)
      if (changed > 0) expect(ms).toBeLessThan(3 * 100 + 10)
      expect(source.receivedBytes + clone.receivedBytes).toBeLessThan(4_500 + changed * 3_500)
      expect([...source.ended, ...clone.ended]).toEqual([])
      // What stayed quiet is opened when it changes.
      writers[999]?.append(source, blocksOf(1, 10), world.now)
      world.run(500)
      expect(copies[999]?.have.count).toBe(4)
    },
  )

  it('of which each side has some that the other does not: what both have is found', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writers = Array.from({ length: 120 }, (_, seed) => new Writer(seed, blocksOf(3, 10)))
    const copies = writers.slice(40).map(({ replica }) => reader(replica.name))
    for (const { replica } of writers.slice(0, 80)) source.synchronizer.add(replica, 0)
    for (const { replica } of copies) clone.synchronizer.add(replica, 0)
    world.connect(source, clone)
    world.run(1_000)
    expect(copies.map(({ replica }) => replica.have.count)).toEqual(copies.map((_, index) => (index < 40 ? 3 : 0)))
    expect([...source.ended, ...clone.ended]).toEqual([])
  })

  it('a feed that is added later is shared by who had it before', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(30, 10))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    world.connect(source, clone)
    world.run(100)
    clone.synchronizer.add(copy.replica, world.now)
    world.run(100)
    expect(hasAll(writer, copy.store)).toBe(true)
    clone.synchronizer.remove(copy.replica)
    writer.append(source, blocksOf(3, 10), world.now)
    world.run(100)
    expect(copy.replica.have.count).toBe(30)
    expect([...source.ended, ...clone.ended]).toEqual([])
  })

  it('a feed that is closed before the other side has answered ends nobody', () => {
    const world = new SyncWorld()
    const [source, clone] = [world.node('source'), world.node('clone')]
    const writer = new Writer(1, blocksOf(30, 10))
    const copy = reader(writer.replica.name)
    source.synchronizer.add(writer.replica, 0)
    clone.synchronizer.add(copy.replica, 0)
    const part = world.connect(source, clone, { delayMs: 20 })
    for (let turn = 0; turn < 10; turn += 1) {
      clone.synchronizer.remove(copy.replica)
      world.run(7)
      clone.synchronizer.add(copy.replica, world.now)
      world.run(7)
    }
    part()
    world.connect(source, clone)
    world.run(100)
    expect(hasAll(writer, copy.store)).toBe(true)
    expect([...source.ended, ...clone.ended]).toEqual([])
  })
})

describe('F5 fork', () => {
  it.each([
    [40, 40],
    [40, 55],
    [41, 64],
  ])(
    'a writer restored from a copy writes on, up to %i and %i: proven, frozen everywhere, other feeds go on',
    (one, other) => {
      const world = new SyncWorld()
      const names = ['writer', 'copy', 'reader'] as const
      const [a, b, c] = names.map((name) => world.node(name)) as [SyncNode, SyncNode, SyncNode]
      const common = blocksOf(30, 20)
      const [mine, theirs] = [
        new Writer(1, [...common, ...blocksOf(one - 30, 20, 1)]),
        new Writer(1, [...common, ...blocksOf(other - 30, 20, 2)]),
      ]
      const copy = reader(mine.replica.name)
      const second = new Writer(2, blocksOf(100, 20))
      const secondCopy = reader(second.replica.name)
      a.synchronizer.add(mine.replica, 0)
      b.synchronizer.add(theirs.replica, 0)
      c.synchronizer.add(copy.replica, 0)
      b.synchronizer.add(second.replica, 0)
      c.synchronizer.add(secondCopy.replica, 0)
      world.connect(a, c)
      world.run(100)
      expect(hasAll(mine, copy.store)).toBe(true)
      world.connect(b, c)
      world.run(1_000)
      expect([a, b, c].map(({ forked }) => forked.length)).toEqual([1, 1, 1])
      expect(copy.replica.isFrozen).toBe(true)
      expect(hasAll(mine, copy.store)).toBe(true)
      expect(hasAll(second, secondCopy.store)).toBe(true)
      expect([a, b, c].flatMap(({ ended }) => ended)).toEqual([])
    },
  )
})

function headOf({ replica }: Writer): NonNullable<Writer['replica']['head']> {
  return replica.head as NonNullable<Writer['replica']['head']>
}
