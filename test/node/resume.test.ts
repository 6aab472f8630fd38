import { describe, expect, test } from 'vitest'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import { echo, pair, Town } from './town.ts'

const everyone = { open: 'anyone', start: 'anyone' } as const

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

/** Collects the parts that arrive. */
async function parts(circuit: Circuit, into: number[]): Promise<void> {
  for await (const { op } of circuit) into.push(op)
}

/** Two nodes that have opened a circuit each, and what has come on it at the far end. */
async function flowing(town: Town, options = {}): Promise<{ circuits: Circuit[]; received: number[][] }> {
  const received: number[][] = [[], []]
  for (const [index, name] of ['a', 'b'].entries()) {
    const node = await town.add(name, options)
    node.register('sink', everyone, async (peer) => {
      for await (const circuit of peer.incoming) void parts(circuit, received[1 - index] as number[]).catch(() => {})
    })
  }
  const open = (from: string, to: string) =>
    town
      .node(from)
      .peer('source')
      .open(`${town.address(to)}/sink`)
  const circuits = [await town.world.settle(open('a', 'b')), await town.world.settle(open('b', 'a'))]
  return { circuits, received }
}

describe('a session outlives its link (C4)', () => {
  test('cut every 200 ms for 10 s: everything arrives once, in order, on the same circuits, whoever has dialled', async () => {
    for (const seed of [1, 2, 3, 4, 5, 6, 7, 8]) {
      const town = new Town(seed, seed < 5 ? undefined : {})
      const { world } = town
      const { circuits, received } = await flowing(town)
      for (let cut = 0; cut < 50; cut += 1) {
        for (const circuit of circuits) for (const op of upTo(20)) circuit.send({ op: cut * 20 + op })
        await world.run(world.now + 200)
        world.cut('a', 'b')
      }
      await world.run(world.now + 10_000)
      expect(received, `seed ${seed}`).toEqual([upTo(1_000), upTo(1_000)])
      for (const name of ['a', 'b']) {
        expect(town.node(name).stats().sessions).toMatchObject({ opened: 1, closed: 0, live: 1 })
        expect(town.node(name).snapshot().sessions).toMatchObject([{ state: 'ready', unacknowledgedBytes: 0 }])
      }
      expect(town.node('a').snapshot().sessions[0]?.resumes).toBeGreaterThan(10)
      expect(town.events.filter((event) => event.endsWith(' sessionend'))).toEqual([])
      expect(circuits.map((circuit) => circuit.state)).toEqual(['open', 'open'])
    }
  }, 300_000)

  test('an outage past the window ends the circuits typed, at each end within a second of its own window', async () => {
    const town = new Town()
    const { world } = town
    const { circuits } = await flowing(town, { resumeMs: 5_000 })
    const lostAt = new Map<string, number>()
    const waits: number[] = []
    for (const name of ['a', 'b']) {
      town.node(name).addEventListener('lost', () => lostAt.set(name, world.now))
      town.node(name).addEventListener('sessionend', ({ detail }) => {
        expect(detail.error?.code).toBe('LINK_LOST')
        waits.push(world.now - (lostAt.get(name) ?? Number.NaN))
      })
    }
    world.cut('a', 'b')
    world.partition(['a'], ['b'])
    await world.run(world.now + 4_900)
    expect(waits).toEqual([])
    for (const name of ['a', 'b']) expect(town.node(name).snapshot().sessions[0]?.state).toBe('lost')
    await world.run(() => waits.length === 2, 10_000)
    for (const wait of waits) expect(Math.abs(wait - 5_000)).toBeLessThan(1_000)
    for (const circuit of circuits) expect((await circuit.closed).error?.code).toBe('LINK_LOST')
    world.heal()
    expect(
      await town.outcome(
        town
          .node('a')
          .peer('x')
          .open(`${town.address('b')}/sink`),
      ),
    ).toMatchObject({ code: 'ok' })
  })

  test('a silence within the window is only a delay', async () => {
    const town = new Town()
    const { world } = town
    const { circuits, received } = await flowing(town)
    world.halfOpen('a', 'b')
    for (const circuit of circuits) for (const op of upTo(100)) circuit.send({ op })
    await world.run(world.now + 20_000)
    expect(received).toEqual([upTo(100), upTo(100)])
    for (const event of ['a lost', 'a resumed', 'b lost', 'b resumed']) expect(town.events).toContain(event)
  })

  test('the other end dials when the first one cannot', async () => {
    const { town, a, b, hello } = await pair()
    const { world } = town
    a.register('echo', everyone, echo)
    const circuit = await world.settle(hello.open(`${town.address('b')}/echo`, { op: 1 }))
    world.host('b').process?.acceptsByPort.clear()
    world.cut('a', 'b')
    await world.run(world.now + 3_000)
    circuit.send({ op: 2 })
    expect((await world.settle(circuit.read()))?.op).toBe(1)
    expect((await world.settle(circuit.read()))?.op).toBe(2)
    expect([a.stats().sessions.opened, b.stats().sessions.opened]).toEqual([1, 1])
  })
})

describe('a process that is started anew (C5)', () => {
  test('ends the circuits with PEER_RESTARTED, gets no old byte, and can be opened by name', async () => {
    const town = new Town()
    const { world } = town
    const { circuits, received } = await flowing(town)
    for (const circuit of circuits) for (const op of upTo(100)) circuit.send({ op })
    world.crash('b')
    const former = received[0] as number[]
    received[0] = []
    await world.run(world.now + 500)
    world.restart('b')
    await world.run(() => town.has('b'), 1_000)
    const restartedAt = world.now
    const closed = await world.settle((circuits[0] as Circuit).closed)
    expect(closed.error?.code).toBe('PEER_RESTARTED')
    expect(world.now - restartedAt).toBeLessThan(2_000)
    const fresh: number[] = []
    town.node('b').register('sink', everyone, async (peer) => {
      for await (const circuit of peer.incoming) void parts(circuit, fresh).catch(() => {})
    })
    await world.settle(
      town
        .node('a')
        .peer('x')
        .open(`${town.address('b')}/sink`, { op: 7 }),
    )
    await world.run(world.now + 1_000)
    expect([former.length <= 100, received[0], fresh]).toEqual([true, [], [7]])
  })
})

describe('a node that closes while a link is lost', () => {
  test('still delivers what it has taken', async () => {
    const town = new Town()
    const { world } = town
    const { circuits, received } = await flowing(town)
    for (const op of upTo(500)) circuits[0]?.send({ op })
    world.cut('a', 'b')
    await world.settle(town.node('a').close())
    await world.run(world.now + 1_000)
    expect(received[0]).toEqual(upTo(500))
  })

  test('ends in its own time when nobody comes', async () => {
    const town = new Town()
    const { world } = town
    const { circuits } = await flowing(town)
    circuits[0]?.send({ op: 1 })
    world.cut('a', 'b')
    world.partition(['a'], ['b'])
    const { ms } = await town.outcome(town.node('a').close())
    expect(ms).toBeLessThan(6_000)
  })
})

describe('a link that only one end gives up', () => {
  test('goes on delivering to the other end until the newer one takes its place: nothing is taken twice', async () => {
    let discarded = 0
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const town = new Town(seed, {
        latencyMs: 3,
        jitterMs: 0,
        gridMs: 1,
        splits: 0,
        bytesPerMs: 1_000,
        readsLate: false,
      })
      const { world } = town
      const { circuits, received } = await flowing(town)
      const payload = new Uint8Array(2_000)
      for (const circuit of circuits) for (const op of upTo(300)) circuit.send({ op, payload })
      await world.run(world.now + 20)
      const [from, to] = town.node('a').id < town.node('b').id ? (['a', 'b'] as const) : (['b', 'a'] as const)
      world.cutAt(from, to)
      await world.run(world.now + 10_000)
      expect(received, `seed ${seed}`).toEqual([upTo(300), upTo(300)])
      discarded += world.probe.counts().get('duplicate discarded after resume') ?? 0
    }
    expect(discarded).toBeGreaterThan(0)
  })
})
