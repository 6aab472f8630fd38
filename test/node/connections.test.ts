import { describe, expect, test } from 'vitest'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { Link } from '../../src/link/link.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import { formatUrl } from '../../src/node/url.ts'
import { addressOf } from '../../src/testing/process.ts'
import { simulatedTransport } from '../../src/testing/simulated-transport.ts'
import { echo, pair, Town } from './town.ts'

const everyone = { open: 'anyone', start: 'anyone' } as const

describe('one session for each pair of nodes', () => {
  test('is shared by all who open at once, and by the other side', async () => {
    const { town, a, b, hello } = await pair()
    const { world } = town
    const opens = Array.from({ length: 100 }, (_, op) => hello.open(`${town.address('b')}/echo`, { op }))
    const circuits = await world.settle(Promise.all(opens))
    const answers = await world.settle(Promise.all(circuits.map((circuit) => circuit.read())))
    expect(answers.map((answer) => answer?.op)).toEqual(Array.from({ length: 100 }, (_, op) => op))
    a.register('echo', everyone, echo)
    await world.settle(b.peer('back').open(`${town.address('a')}/echo`))
    expect([a.stats().sessions.opened, b.stats().sessions.opened]).toEqual([1, 1])
    expect(world.network.links.size).toBe(1)
  })

  test('survives dials from both sides, at any moment, over any network, and loses nothing (C11)', async () => {
    let doubles = 0
    for (let seed = 1; seed <= 300; seed += 1) {
      const town = new Town(seed, {})
      const { world } = town
      const a = await town.add('a')
      const b = await town.add('b')
      const received: string[] = []
      for (const [name, node] of [
        ['a', a],
        ['b', b],
      ] as const) {
        node.register('count', everyone, async (peer) => {
          for await (const circuit of peer.incoming) {
            for (let first = await circuit.read(); first !== undefined; first = undefined)
              received.push(`${name} ${first.op}`)
          }
        })
      }
      const open = (node: PlaitNode, other: string): Promise<Circuit>[] => {
        const peer = node.peer('x')
        return [0, 1, 2].map((op) => peer.open(`${town.address(other)}/count`, { op }))
      }
      const opens: Promise<Circuit>[] = []
      const before = world.network.links.size
      world.scheduler.at(world.now + world.random.real() * 200, () => opens.push(...open(a, 'b')))
      world.scheduler.at(world.now + world.random.real() * 200, () => opens.push(...open(b, 'a')))
      await world.run(world.now + 200)
      doubles += world.network.links.size - before > 1 ? 1 : 0
      await world.settle(Promise.all(opens), 10_000)
      await world.run(world.now + 8_000)
      const counts = [a, b].map((node) => ({ ...node.stats().sessions, listed: node.snapshot().sessions.length }))
      const one = { opened: 1, closed: 0, live: 1, refused: 0, listed: 1 }
      expect(counts, `seed ${seed}`).toEqual([one, one])
      // The link that was not chosen is gone, at once and without having taken the place of the other.
      expect(world.network.between(world.host('a'), world.host('b')), `seed ${seed}`).toHaveLength(1)
      const resumes = [a, b].map((node) => node.snapshot().sessions[0]?.resumes)
      expect(resumes, `seed ${seed}`).toEqual([0, 0])
      expect(received.toSorted(), `seed ${seed}`).toEqual(['a 0', 'a 1', 'a 2', 'b 0', 'b 1', 'b 2'])
    }
    expect(doubles).toBeGreaterThan(30)
  }, 300_000)

  test('is not taken from one side because the other has changed its mind, at whatever moment', async () => {
    for (let cancelAfterMs = 5; cancelAfterMs < 120; cancelAfterMs += 5) {
      for (const [canceller, other] of ['ab', 'ba'] as const) {
        const town = new Town()
        const { world } = town
        for (const name of ['a', 'b']) await town.add(name, {}, (node) => node.register('echo', everyone, echo))
        const controller = new AbortController()
        const { signal } = controller
        world.scheduler.at(world.now + cancelAfterMs, () => controller.abort(new Error('changed its mind')))
        const cancelled = town
          .node(canceller!)
          .peer('x')
          .open(`${town.address(other!)}/echo`, { op: 1 }, { signal })
        const wanted = town
          .node(other!)
          .peer('x')
          .open(`${town.address(canceller!)}/echo`, { op: 2 })
        cancelled.catch(() => {})
        const circuit = await world.settle(wanted)
        expect((await world.settle(circuit.read()))?.op, `${canceller} cancels after ${cancelAfterMs} ms`).toBe(2)
      }
    }
  })

  test('does not include one with oneself', async () => {
    const { town, b } = await pair()
    expect(await town.outcome(b.peer('x').open(`${town.address('b')}/echo`))).toEqual({ code: 'SELF_DIAL', ms: 0 })
  })
})

describe('the room for sessions', () => {
  test('is not taken by those that have lost their link and have no circuit to come back to', async () => {
    const town = new Town()
    const { world } = town
    const b = await town.add('b', { maxInbound: 2 })
    b.register('echo', everyone, echo)
    const [idle, busy, late] = [await town.add('c'), await town.add('d'), await town.add('e')]
    const open = (node: typeof idle): Promise<Circuit> => node.peer('x').open(`${town.address('b')}/echo`)
    await world.settle((await world.settle(open(idle))).close())
    const kept = await world.settle(open(busy))
    await world.run(1_000)
    world.crash('c')
    world.partition(['b'], ['d'])
    await world.run(20_000)
    expect(b.snapshot().sessions.map(({ state }) => state)).toEqual(['lost', 'lost'])
    expect(await town.outcome(open(late))).toMatchObject({ code: 'ok' })
    world.heal()
    kept.send({ op: 7 })
    expect((await world.settle(kept.read()))?.op).toBe(7)
  })

  test.each([2, 1])(
    'is taken by those whose other end has not heard how a circuit ended, unless there is none else: room for %i',
    async (maxInbound) => {
      const town = new Town()
      const { world } = town
      const b = await town.add('b', { maxInbound })
      b.register('echo', everyone, echo)
      const [idle, asking, late] = [await town.add('c'), await town.add('d'), await town.add('e')]
      const open = (node: typeof idle, service = 'echo'): Promise<Circuit> =>
        node.peer('x').open(`${town.address('b')}/${service}`)
      if (maxInbound === 2) {
        await world.settle((await world.settle(open(idle))).close())
        await world.run(1_000)
        world.crash('c')
      }
      await world.settle((await world.settle(open(asking))).close())
      await world.run(world.now + 1_000)
      // The request arrives, and the answer does not.
      world.halfOpen('b', 'd', true)
      const answer = open(asking, 'nobody').catch((error: { code: string }) => error.code)
      await world.run(world.now + 100)
      world.cut('b', 'd')
      const states = (): Set<string> =>
        new Set(b.snapshot().sessions.map(({ state, circuits }) => `${state} ${circuits.length}`))
      await world.run(() => !states().has('ready 0'), 100)
      world.partition(['b'], ['d'])
      expect(states()).toEqual(new Set(['lost 0']))
      expect(await town.outcome(open(late))).toMatchObject({ code: 'ok' })
      world.heal()
      expect(await world.settle(answer)).toBe(maxInbound === 2 ? 'UNKNOWN_SERVICE' : 'LINK_LOST')
    },
  )

  test('maxInbound: the third is refused typed, and the two others do not notice', async () => {
    const town = new Town()
    const { world } = town
    const b = await town.add('b', { maxInbound: 2 })
    b.register('echo', everyone, echo)
    const nodes = [await town.add('c'), await town.add('d'), await town.add('e')]
    const opens = nodes.map((node) => node.peer('x').open(`${town.address('b')}/echo`, { op: 1 }))
    const results = await world.settle(Promise.allSettled(opens))
    expect(
      results
        .map((result) => (result.status === 'rejected' ? (result.reason as { code: string }).code : 'ok'))
        .toSorted(),
    ).toEqual(['TOO_MANY_SESSIONS', 'ok', 'ok'])
    for (const result of results) {
      if (result.status === 'rejected') continue
      result.value.send({ op: 2 })
      expect(
        [await world.settle(result.value.read()), await world.settle(result.value.read())].map((one) => one?.op),
      ).toEqual([1, 2])
    }
    expect(b.stats().sessions).toEqual({ opened: 2, closed: 0, live: 2, refused: 1 })
    expect(town.events.filter((event) => event.includes('end'))).toEqual([])
    await world.settle(nodes[0]!.close())
    await world.settle(nodes[1]!.close())
    expect(await town.outcome(nodes[2]!.peer('y').open(`${town.address('b')}/echo`))).toMatchObject({ code: 'ok' })
  })

  test('maxOutbound: one more fails at once, sessions that others opened do not count', async () => {
    const town = new Town()
    const a = await town.add('a', { maxOutbound: 1 })
    for (const name of ['b', 'c']) (await town.add(name)).register('echo', everyone, echo)
    a.register('echo', everyone, echo)
    await town.world.settle(
      town
        .node('c')
        .peer('x')
        .open(`${town.address('a')}/echo`),
    )
    const hello = a.peer('hello')
    const first = hello.open(`${town.address('b')}/echo`)
    const d = await town.add('d')
    expect(await town.outcome(hello.open(`${town.address('d')}/echo`))).toEqual({ code: 'TOO_MANY_SESSIONS', ms: 0 })
    expect(await town.outcome(first)).toMatchObject({ code: 'ok' })
    expect(await town.outcome(hello.open(`${town.address('c')}/echo`))).toMatchObject({ code: 'ok' })
    expect(d.stats().sessions.opened).toBe(0)
  })

  test('links that never greet are gone after 5 s, the oldest gives way, and an honest dial is not held up (X2)', async () => {
    const town = new Town()
    const { world } = town
    const b = await town.add('b', { limits: { pendingHandshakesPerAddress: 8 } })
    b.register('echo', everyone, echo)
    const a = await town.add('a')
    await town.add('staller')
    const closedAfter: number[] = []
    const stall = async (): Promise<void> => {
      const transport = simulatedTransport(world.network, world.host('staller').process!)
      const link: Link = await transport.dial(addressOf(world.host('b')), { remoteId: b.id })
      const startedAt = world.now
      link.attach({ data() {}, drain() {}, close: () => closedAfter.push(Math.round(world.now - startedAt)) })
    }
    for (let index = 0; index < 20; index += 1) await world.settle(stall())
    expect(b.snapshot().sessions.filter((session) => session.state === 'connecting').length).toBeLessThanOrEqual(8)
    const honest = await town.outcome(a.peer('x').open(`${town.address('b')}/echo`))
    expect(honest).toEqual({ code: 'ok', ms: 80 })
    await world.run(world.now + 5_500)
    expect(closedAfter).toHaveLength(20)
    expect(closedAfter.filter((ms) => ms < 1_000)).toHaveLength(12)
    expect(closedAfter.filter((ms) => ms > 4_900 && ms < 5_200)).toHaveLength(8)
    expect(b.stats().sessions).toEqual({ opened: 1, closed: 0, live: 1, refused: 20 })
  })
})

describe('a dial', () => {
  test('goes on until the node is there', async () => {
    const { town, hello } = await pair()
    town.world.crash('b', { power: false })
    const open = hello.open(`${town.address('b')}/echo`)
    await town.world.run(town.world.now + 3_000)
    town.world.restart('b')
    await town.world.run(() => town.has('b'), 1_000)
    town.node('b').register('echo', everyone, echo)
    const { code, ms } = await town.outcome(open)
    expect(code).toBe('ok')
    expect(ms).toBeLessThan(4_000)
  })

  test('that reaches nobody ends when its caller wants, each at its own time', async () => {
    const { town, b, hello } = await pair()
    town.world.crash('b')
    const url = `plait://${b.id}@${new URL(town.address('b')).host}/echo`
    const short = town.world.settle(
      Promise.allSettled([hello.open(url, {}, { timeoutMs: 700 }), hello.open(url, {}, { timeoutMs: 1_500 })]),
    )
    const results = await short
    expect(
      results.map((result) => (result.status === 'rejected' ? (result.reason as { code: string }).code : 'ok')),
    ).toEqual(['UNREACHABLE', 'UNREACHABLE'])
    expect(await town.outcome(hello.open(url, {}, { timeoutMs: 700 }))).toEqual({ code: 'UNREACHABLE', ms: 700 })
    expect(await town.outcome(hello.open(url))).toEqual({ code: 'UNREACHABLE', ms: 10_000 })
    expect(await town.outcome(hello.open(`plait://${b.id}/echo`))).toEqual({ code: 'UNREACHABLE', ms: 0 })
    await town.world.run(town.world.now + 60_000)
    expect(town.world.scheduler.waiting).toBe(0)
  })

  test('takes the first address that answers, and remembers it', async () => {
    const { town, b, hello } = await pair({ a: { resumeMs: 0 }, b: { resumeMs: 0 } })
    const { world } = town
    const dark = await town.add('dark')
    world.crash('dark', { power: true })
    const other = await town.add('other')
    const at = (...names: string[]): string =>
      formatUrl({ nodeId: b.id, addresses: names.map((name) => addressOf(world.host(name))), service: 'echo' })
    expect(await town.outcome(hello.open(at('other'), {}, { timeoutMs: 5_000 }))).toEqual({ code: 'WRONG_KEY', ms: 20 })
    const first = await town.outcome(hello.open(at('dark', 'other', 'b')))
    expect(first).toEqual({ code: 'ok', ms: 250 + 20 + 80 })
    world.cut('a', 'b')
    await world.run(world.now + 100)
    expect(await town.outcome(hello.open(at('dark', 'other', 'b')))).toEqual({ code: 'ok', ms: 80 })
    world.cut('a', 'b')
    await world.run(world.now + 100)
    expect(await town.outcome(hello.open(`plait://${b.id}/echo`))).toEqual({ code: 'ok', ms: 80 })
    expect([dark.stats().sessions.opened, other.stats().sessions.opened]).toEqual([0, 0])
  })
})

describe('silence', () => {
  test('makes a session suspect after two heartbeats and loses its link after three; a word in time saves it', async () => {
    const { town, hello } = await pair({ a: { resumeMs: 0 }, b: { resumeMs: 0 } })
    const { world } = town
    const circuit = await world.settle(hello.open(`${town.address('b')}/echo`, { op: 1 }))
    await world.run(world.now + 5_000)
    world.pause('a', 'b', 3_100)
    await world.run(() => town.events.length === 4, 3_099)
    expect(town.events.slice(2).toSorted()).toEqual(['a suspect', 'b suspect'])
    expect(town.node('a').snapshot().sessions[0]?.state).toBe('suspect')
    await world.run(() => town.events.length === 6, 1_000)
    expect(town.events.slice(4).toSorted()).toEqual(['a recovered', 'b recovered'])
    circuit.send({ op: 2 })
    expect([await world.settle(circuit.read()), await world.settle(circuit.read())].map((one) => one?.op)).toEqual([
      1, 2,
    ])
    const pending = circuit.read()
    const before = world.now
    world.halfOpen('a', 'b')
    expect(await town.outcome(pending)).toMatchObject({ code: 'LINK_LOST' })
    expect(world.now - before).toBeGreaterThan(2_000)
    expect(world.now - before).toBeLessThan(5_000)
    await world.run(world.now + 2_000)
    for (const name of ['a', 'b']) {
      expect(town.events).toContain(`${name} sessionend LINK_LOST`)
      expect(town.node(name).snapshot()).toMatchObject({ sessions: [], budget: { usedBytes: 0 } })
    }
  })
})

describe('a session that has ended at one end only', () => {
  for (const [dialler, listener] of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    test(`gives way when ${dialler} comes anew: ended there, half-open here`, async () => {
      const town = new Town(7)
      const { world } = town
      for (const name of ['a', 'b']) {
        const isDialler = name === dialler
        const limits = { heartbeatMs: isDialler ? 200 : 60_000 }
        const node = await town.add(name, { limits, ...(isDialler ? { resumeMs: 0 } : {}) })
        node.register('echo', everyone, echo)
      }
      const circuit = await world.settle(
        town
          .node(listener)
          .peer('y')
          .open(`${town.address(dialler)}/echo`, { op: 1 }),
      )
      world.halfOpen('a', 'b')
      await world.run(() => town.events.includes(`${dialler} sessionend LINK_LOST`), 2_000)
      expect(town.node(listener).snapshot().sessions[0]?.state).toBe('ready')
      const { code, ms } = await town.outcome(
        town
          .node(dialler)
          .peer('x')
          .open(`${town.address(listener)}/echo`, { op: 2 }),
      )
      expect(code).toBe('ok')
      expect(ms).toBeLessThan(2_500)
      expect((await world.settle(circuit.closed)).error?.code).toBe('LINK_LOST')
      await world.run(world.now + 10_000)
      for (const name of ['a', 'b']) expect(town.node(name).stats().sessions).toMatchObject({ opened: 2, live: 1 })
    })

    test(`gives way when ${dialler} has been started anew, and says so`, async () => {
      const town = new Town(7)
      const { world } = town
      for (const name of ['a', 'b']) (await town.add(name)).register('echo', everyone, echo)
      const circuit = await world.settle(
        town
          .node(listener)
          .peer('y')
          .open(`${town.address(dialler)}/echo`, { op: 1 }),
      )
      world.halfOpen('a', 'b')
      world.crash(dialler, { power: true })
      world.restart(dialler)
      await world.run(() => town.has(dialler), 1_000)
      expect(
        await town.outcome(
          town
            .node(dialler)
            .peer('x')
            .open(`${town.address(listener)}/echo`, { op: 2 }),
        ),
      ).toEqual({ code: 'ok', ms: 80 })
      expect((await world.settle(circuit.closed)).error?.code).toBe('PEER_RESTARTED')
      expect(town.events).toContain(`${listener} sessionend PEER_RESTARTED`)
      expect(town.node(listener).stats().sessions).toMatchObject({ opened: 2, live: 1 })
    })
  }
})
