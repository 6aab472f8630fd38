import { describe, expect, test } from 'vitest'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { Peer } from '../../src/node/node-api.ts'
import { echo, pair, Town } from './town.ts'

describe('a circuit', () => {
  test('is opened by URL, and starts the service where that is allowed, in one round trip', async () => {
    const { town, b, hello } = await pair()
    const { world } = town
    await world.settle(hello.open(`${town.address('b')}/echo`, { op: 1 }))
    const before = world.now
    const circuit = await world.settle(hello.open(`${town.address('b')}/echo`, { op: 7 }))
    expect(world.now - before).toBe(20)
    const fragment = await world.settle(circuit.read())
    expect(fragment?.op).toBe(7)
    expect(circuit.remote).toMatch(new RegExp(`^${town.address('b')}/echo/[a-z2-7]{26}$`))
    expect(circuit.local).toBe(hello.url)
    expect(b.snapshot().peers).toMatchObject([{ name: 'echo', circuits: 2, waiting: 0 }])
  })

  test('belongs to the peers at both ends while it is open', async () => {
    const town = new Town()
    const a = await town.add('a')
    const b = await town.add('b')
    const taken: Circuit[] = []
    let far: Peer | undefined
    b.register('work', { open: 'anyone', start: 'anyone' }, async (peer) => {
      far = peer
      for await (const circuit of peer.incoming) taken.push(circuit)
    })
    const hello = a.peer('hello')
    const { world } = town
    const first = await world.settle(hello.open(`${town.address('b')}/work`))
    const second = await world.settle(first.open())
    expect([hello.circuits.size, far?.circuits.size]).toEqual([2, 2])
    const incoming = hello.incoming[Symbol.asyncIterator]()
    const theirs = await world.settle(Promise.all([taken[0]!.open({ op: 3 }), incoming.next()]))
    expect([hello.circuits.size, far?.circuits.size]).toEqual([3, 3])
    expect(theirs[1].value?.remote).toBe(far?.url)
    expect(theirs[0].remote).toBe(hello.url)
    await world.settle(Promise.all([second.close(), taken[1]?.read()]))
    await world.run(world.now + 100)
    expect([hello.circuits.size, far?.circuits.size]).toEqual([2, 2])
    await world.settle(Promise.all([taken[0]!.close(), first.read()]))
    await world.run(world.now + 100)
    expect([hello.circuits.size, far?.circuits.size]).toEqual([1, 1])
  })

  test('is refused with what was wrong, and nothing stays behind', async () => {
    const { town, a, b, hello } = await pair()
    b.register('shut', { open: [], start: 'anyone' }, echo)
    b.register('idle', { open: 'anyone' }, echo)
    b.register('once', { open: 'anyone', start: 'anyone', limit: 1 }, async () => {})
    b.register('named', { open: [a.id], start: [a.id], version: 3 }, echo)
    const open = (path: string, options = {}): Promise<{ code: string; ms: number }> =>
      town.outcome(hello.open(`${town.address('b')}${path}`, { op: 1 }, options))
    expect(await open('/echo')).toMatchObject({ code: 'ok' })
    expect(await open('/nobody')).toEqual({ code: 'UNKNOWN_SERVICE', ms: 20 })
    expect(await open('/__proto__')).toEqual({ code: 'UNKNOWN_SERVICE', ms: 20 })
    expect(await open('/echo/constructor')).toEqual({ code: 'UNKNOWN_PEER', ms: 20 })
    expect(await open('/shut')).toEqual({ code: 'FORBIDDEN', ms: 20 })
    expect(await open('/idle')).toEqual({ code: 'FORBIDDEN', ms: 20 })
    expect(await open('/named', { version: 4 })).toEqual({ code: 'VERSION_MISMATCH', ms: 20 })
    expect(await open('/named', { version: 3 })).toEqual({ code: 'ok', ms: 20 })
    expect(await open('/echo', { version: 1 })).toEqual({ code: 'VERSION_MISMATCH', ms: 20 })
    expect(await open('', {})).toEqual({ code: 'INVALID_ADDRESS', ms: 0 })
    expect(await open('/echo', { timeoutMs: -1 })).toEqual({ code: 'INVALID_ARGUMENT', ms: 0 })
    expect(a.stats()).toMatchObject({ circuits: { refused: 7, live: 2 }, sessions: { live: 1 } })
    await town.world.run(town.world.now + 100)
    expect(b.stats()).toMatchObject({ circuits: { refused: 7, live: 2 }, sessions: { live: 1 } })
    expect(a.snapshot().sessions[0]?.circuits).toHaveLength(2)
  })

  test('that nobody takes is refused after 10 s, by name or by id', async () => {
    const { town, b, hello } = await pair()
    const deaf = b.peer('deaf', { id: 'x', open: 'anyone' })
    const refused = await town.outcome(hello.open(`${town.address('b')}/deaf`, { op: 1 }))
    expect(refused.code).toBe('NOT_ACCEPTED')
    expect(refused.ms).toBeGreaterThan(10_000)
    expect(refused.ms).toBeLessThan(12_100)
    const late = hello.open(`${town.address('b')}/deaf/x`, { op: 2 }, { timeoutMs: 500 })
    expect(await town.outcome(late)).toMatchObject({ code: 'TIMEOUT', ms: 500 })
    await town.world.run(town.world.now + 100)
    expect(b.snapshot().peers).toMatchObject([{ id: 'x', circuits: 0, waiting: 0 }])
    expect(deaf.circuits.size).toBe(0)
  })

  test('is not opened when its caller gives up: before the dial, during it, and before the answer', async () => {
    const { town, b, hello } = await pair()
    const url = `${town.address('b')}/echo`
    const reason = new Error('changed my mind')
    await expect(hello.open(url, {}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    for (const ms of [25, 75]) {
      const controller = new AbortController()
      town.world.scheduler.at(town.world.now + ms, () => controller.abort(reason))
      await expect(town.world.settle(hello.open(url, {}, { signal: controller.signal }))).rejects.toBe(reason)
    }
    b.peer('deaf', { open: 'anyone' })
    const controller = new AbortController()
    const waiting = hello.open(`${town.address('b')}/deaf`, {}, { signal: controller.signal })
    town.world.scheduler.at(town.world.now + 3_000, () => controller.abort(reason))
    await expect(town.world.settle(waiting)).rejects.toBe(reason)
    const waits = (): (number | undefined)[] =>
      b
        .snapshot()
        .peers.filter(({ name }) => name === 'deaf')
        .map((peer) => peer.waiting)
    expect(waits()).toEqual([1])
    await town.world.run(town.world.now + 100)
    expect(waits()).toEqual([0])
    expect(b.stats().circuits.live).toBe(0)
    expect(town.events.filter((event) => event.includes('sessionend'))).toEqual([])
  })
})

describe('a service', () => {
  test('is started from afar, here, and never more often than its limit allows', async () => {
    const { town, a, b, hello } = await pair()
    const started: Peer[] = []
    b.register('pair', { open: 'anyone', start: 'anyone', limit: 2 }, async (peer) => {
      started.push(peer)
      for await (const circuit of peer.incoming) await circuit.close()
    })
    const url = await town.world.settle(a.startRemote(town.address('b'), 'pair'))
    expect(started.map((peer) => peer.url)).toEqual([url])
    const local = await b.start('pair')
    await town.world.run(town.world.now + 1)
    expect(started[1]).toBe(local)
    expect(await town.outcome(a.startRemote(town.address('b'), 'pair'))).toEqual({ code: 'BUSY', ms: 20 })
    expect(await town.outcome(b.start('pair'))).toMatchObject({ code: 'BUSY' })
    expect(await town.outcome(b.start('none'))).toMatchObject({ code: 'UNKNOWN_SERVICE' })
    expect(await town.outcome(a.startRemote(`${town.address('b')}/pair`, 'pair'))).toMatchObject({
      code: 'INVALID_ADDRESS',
    })
    expect(await town.outcome(a.startRemote(town.address('b'), 'none'))).toEqual({ code: 'UNKNOWN_SERVICE', ms: 20 })
    const circuit = await town.world.settle(hello.open(url))
    expect(circuit.remote).toBe(url)
    await local.close()
    await town.world.settle(a.startRemote(town.address('b'), 'pair'))
    await town.world.run(town.world.now + 1_000)
    expect(circuit.state).toBe('closed')
    expect([a.stats().circuits.live, b.stats().circuits.live]).toEqual([0, 0])
  })

  test('that throws resets its circuits, is reported, and can be opened again', async () => {
    const { town, b, hello } = await pair()
    b.register('weak', { open: 'anyone', start: 'anyone' }, async (peer) => {
      const { value: circuit } = await peer.incoming[Symbol.asyncIterator]().next()
      for await (const { op } of circuit!) if (op === 2) throw new Error('oh')
    })
    const url = `${town.address('b')}/weak`
    const circuit = await town.world.settle(hello.open(url, { op: 1 }))
    circuit.send({ op: 2 })
    const second = hello.open(url)
    expect(await town.outcome(circuit.read())).toMatchObject({ code: 'SERVICE_FAILED' })
    const again = await town.world.settle(second)
    expect(again.remote).not.toBe(circuit.remote)
    expect(town.events).toContain('b servicefailed oh')
    await town.world.run(town.world.now + 100)
    expect(b.snapshot().peers).toHaveLength(1)
    b.register('weaker', { open: 'anyone', start: 'anyone' }, () => {
      throw new Error('at once')
    })
    expect(await town.outcome(hello.open(`${town.address('b')}/weaker`))).toEqual({ code: 'SERVICE_FAILED', ms: 20 })
    expect(town.events).toContain('b servicefailed at once')
  })

  test('lives until its function has settled and its circuits are closed', async () => {
    const { town, b, hello } = await pair()
    b.register('single', { open: 'anyone', start: 'anyone' }, async (peer) => {
      await peer.incoming[Symbol.asyncIterator]().next()
    })
    const url = `${town.address('b')}/single`
    const [first, second, third] = await town.world.settle(
      Promise.all([hello.open(url), hello.open(url), hello.open(url)]),
    )
    expect(new Set([first.remote, second.remote, third.remote]).size).toBe(3)
    expect(b.snapshot().peers).toHaveLength(3)
    expect(await town.outcome(hello.open(first.remote))).toMatchObject({ code: 'UNKNOWN_PEER' })
    first.abort()
    await town.world.run(town.world.now + 100)
    expect(b.snapshot().peers.map((peer) => peer.url)).toEqual([second.remote, third.remote])
  })

  test('that ends without taking what it was started for does not start for ever', async () => {
    const { town, b, hello } = await pair()
    let runs = 0
    b.register('rude', { open: 'anyone', start: 'anyone' }, async () => void (runs += 1))
    expect(await town.outcome(hello.open(`${town.address('b')}/rude`))).toMatchObject({ code: 'NOT_ACCEPTED' })
    expect(runs).toBe(1)
    expect(b.snapshot().peers).toEqual([])
  })

  test('has a name and options that make sense', async () => {
    const { b } = await pair()
    const invalid = { code: 'INVALID_ARGUMENT' }
    const thrown = (run: () => void): unknown => {
      try {
        run()
      } catch (error) {
        return error
      }
      return undefined
    }
    expect(thrown(() => b.register('', {}, echo))).toMatchObject(invalid)
    expect(thrown(() => b.register('echo', {}, echo))).toMatchObject(invalid)
    expect(thrown(() => b.register('x', { limit: 0 }, echo))).toMatchObject(invalid)
    expect(thrown(() => b.register('x', { version: 1.5 }, echo))).toMatchObject(invalid)
    expect(thrown(() => b.register('x', { open: 'everyone' as never }, echo))).toMatchObject(invalid)
    b.peer('p', { id: 'constructor' })
    expect(thrown(() => b.peer('p', { id: 'constructor' }))).toMatchObject(invalid)
    b.unregister('echo')
    b.register('echo', {}, echo)
  })
})

describe('names that every object has', () => {
  test('are plain values', async () => {
    const { town, b, hello } = await pair()
    for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      b.register(name, { open: 'anyone', start: 'anyone' }, echo)
      b.peer(name, { id: name, open: 'anyone' })
      const circuit = await town.world.settle(
        hello.open(`${town.address('b')}/${name}`, undefined, { timeoutMs: 1_000 }).catch(() => undefined),
      )
      expect(circuit).toBe(undefined)
      const url = await town.world.settle(town.node('a').startRemote(town.address('b'), name))
      const open = await town.world.settle(hello.open(url, { op: 5, args: { [name]: name } }))
      expect((await town.world.settle(open.read()))?.op).toBe(5)
    }
  })
})

describe('a peer without a function', () => {
  test('is open to whom it says, and else to those with whom it has opened a circuit', async () => {
    const { town, a, b, hello } = await pair()
    const other = b.peer('other')
    const open = (url: string): Promise<{ code: string }> =>
      town.outcome(other.open(url, undefined, { timeoutMs: 100 }))
    await town.world.settle(hello.open(`${town.address('b')}/echo`))
    expect((await open(hello.url)).code).toBe('TIMEOUT')
    const closed = a.peer('closed', { open: [] })
    await town.world.settle(closed.open(`${town.address('b')}/echo`))
    expect((await open(closed.url)).code).toBe('FORBIDDEN')
    expect((await open(a.peer('stranger').url)).code).toBe('FORBIDDEN')
    expect((await open(a.peer('friend', { open: [b.id] }).url)).code).toBe('TIMEOUT')
  })

  test('closes with its circuits, and takes nothing more', async () => {
    const { town, hello } = await pair()
    const url = `${town.address('b')}/echo`
    const circuit = await town.world.settle(hello.open(url))
    const waiting = hello.incoming[Symbol.asyncIterator]().next()
    await town.world.settle(hello.close())
    expect(await waiting).toEqual({ value: undefined, done: true })
    expect(hello.signal.aborted).toBe(true)
    await town.world.settle(circuit.closed)
    await expect(hello.open(url)).rejects.toMatchObject({ code: 'UNKNOWN_PEER' })
    await town.world.settle(hello.close())
    expect(town.node('a').snapshot().peers).toEqual([])
  })
})

describe('a node that closes', () => {
  test('delivers what was sent, tells the other side, and leaves nothing', async () => {
    const { town, a, b, hello } = await pair()
    const got: number[] = []
    b.register('sink', { open: 'anyone', start: 'anyone' }, async (peer) => {
      for await (const circuit of peer.incoming) for await (const { op } of circuit) got.push(op)
    })
    const circuit = await town.world.settle(hello.open(`${town.address('b')}/sink`))
    for (let op = 0; op < 10_000; op += 1) circuit.send({ op })
    await town.world.settle(a.close())
    expect(got).toHaveLength(10_000)
    await town.world.run(town.world.now + 1_000)
    expect(town.events.toSorted()).toEqual(['a session', 'a sessionend', 'b session', 'b sessionend'])
    for (const node of [a, b]) {
      expect(node.stats()).toMatchObject({ sessions: { live: 0, opened: 1 }, circuits: { live: 0, opened: 1 } })
      expect(node.snapshot()).toMatchObject({ sessions: [], budget: { usedBytes: 0 } })
    }
    expect(a.snapshot().peers).toEqual([])
    await a.close()
    expect(await town.outcome(a.startRemote(town.address('b'), 'sink'))).toMatchObject({ code: 'NODE_CLOSED' })
    expect(() => a.peer('x')).toThrow('closed')
  })

  test('waits 5 s for a circuit that the other side does not close, or as long as its caller wants', async () => {
    for (const patienceMs of [undefined, 1_000]) {
      const { town, a, b, hello } = await pair()
      b.register('stuck', { open: 'anyone', start: 'anyone' }, async (peer) => {
        for await (const circuit of peer.incoming) void circuit
      })
      const circuit = await town.world.settle(hello.open(`${town.address('b')}/stuck`))
      circuit.send({ op: 1 })
      const controller = new AbortController()
      if (patienceMs !== undefined) town.world.scheduler.at(town.world.now + patienceMs, () => controller.abort())
      const { code, ms } = await town.outcome(a.close({ signal: controller.signal }))
      expect(code).toBe('ok')
      expect(ms - (patienceMs ?? 5_000)).toBeGreaterThanOrEqual(0)
      expect(ms - (patienceMs ?? 5_000)).toBeLessThan(50)
      expect(await town.outcome(circuit.closed)).toMatchObject({ code: 'ok', ms: 0 })
      await town.world.run(town.world.now + 1_000)
      expect(town.events.slice(2)).toEqual(['a sessionend', 'b sessionend'])
    }
  })

  test('gives up its dials, and aborts at once when told to', async () => {
    const { town, a, hello } = await pair()
    const dial = hello.open(`plait://${town.node('b').id}@10.9.9.9:1/echo`)
    const circuit = hello.open(`${town.address('b')}/echo`)
    await town.world.run(town.world.now + 30)
    const before = town.world.now
    const outcomes = Promise.allSettled([dial, circuit])
    a.abort()
    expect(await town.world.settle(outcomes)).toMatchObject([
      { reason: { code: 'NODE_CLOSED' } },
      { reason: { code: 'NODE_CLOSED' } },
    ])
    expect(town.world.now).toBe(before)
    expect(await town.outcome(a.close())).toMatchObject({ code: 'ok' })
    expect(town.world.now).toBeLessThan(100)
    expect(a.snapshot()).toMatchObject({ sessions: [], peers: [] })
  })
})
