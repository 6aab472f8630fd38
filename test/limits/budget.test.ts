import { describe, expect, test } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import type { Circuit } from '../../src/circuit/circuit-api.ts'
import type { PlaitNode } from '../../src/node/node-api.ts'
import { Budget } from '../../src/session/budget.ts'
import type { Debtor } from '../../src/session/budget.ts'
import { rawFrame } from '../../src/testing/raw-peer.ts'
import { encodeError } from '../../src/wire/error.ts'
import { frameTypes } from '../../src/wire/frame.ts'
import { echo, Town } from '../node/town.ts'
import { concat, KiB, MiB, openBody, rawFragment, varint } from './bytes.ts'
import { Hostile } from './hostile.ts'

const everyone = { open: 'anyone', start: 'anyone' } as const

/** What somebody owes who does not give it back before `giveWay`. */
function debtor(budget: Budget, usedBytes: number): Debtor & { readonly errors: PlaitError[] } {
  const errors: PlaitError[] = []
  const giveWay = (error: PlaitError): void => {
    errors.push(error)
    budget.release(usedBytes)
  }
  const one = { usedBytes, errors, giveWay }
  budget.enter(one)
  budget.charge(usedBytes)
  return one
}

describe('a budget', () => {
  test('lets the largest give way, and only as many as it takes', () => {
    const budget = new Budget(100)
    const debtors = [20, 40, 30].map((bytes) => debtor(budget, bytes))
    budget.charge(10)
    expect(debtors.map(({ errors }) => errors.length)).toEqual([0, 0, 0])
    budget.charge(1)
    expect(debtors.map(({ errors }) => errors.length)).toEqual([0, 1, 0])
    expect(debtors[1]?.errors[0]).toMatchObject({ code: 'BUDGET', facts: { limit: 100, used: 40 } })
    expect(budget.usedBytes).toBe(61)
    budget.charge(60)
    expect(debtors.map(({ errors }) => errors.length)).toEqual([0, 1, 1])
    expect(budget.usedBytes).toBe(91)
  })

  test('forgets who has left', () => {
    const budget = new Budget(100)
    const [left, stays] = [debtor(budget, 60), debtor(budget, 30)]
    budget.leave(left)
    budget.charge(50)
    expect([left.errors.length, stays.errors.length]).toEqual([0, 1])
  })
})

test('a session that ends otherwise leaves the budget of its node', () => {
  const budget = new Budget(MiB)
  const [one, other] = [new Hostile({}, { budget }), new Hostile({}, { budget })]
  expect(budget.size).toBe(2)
  one.send(0x7f, 0)
  expect(one.outcome()).toEqual({ closed: 'session', code: 'PROTOCOL' })
  expect(budget.size).toBe(1)
  expect(budget.usedBytes).toBe(other.session.account.usedBytes)
})

/** Everything by which a remote can make us hold something, each in the midst of another call. */
const charges: readonly (readonly [string, (hostile: Hostile) => void])[] = [
  ['a circuit', (hostile) => hostile.open(openBody('s'.repeat(255)))],
  ['a fragment that nobody reads', (hostile) => hostile.fragment(hostile.open(), new Uint8Array(10 * KiB))],
  ['a large fragment that is announced', (hostile) => hostile.send(frameTypes.FIRST, hostile.open(), varint(MiB))],
  [
    'a piece that waits',
    (hostile) => {
      const number = hostile.open()
      hostile.send(frameTypes.FIRST, number, varint(4 * MiB))
      hostile.send(frameTypes.MORE, number, new Uint8Array(10 * KiB))
    },
  ],
  [
    'an error that nobody reads',
    (hostile) => {
      const error = { code: 4_096, message: 'no' }
      hostile.fragment(hostile.open(), rawFragment({ error, payload: new Uint8Array(10 * KiB) }))
    },
  ],
  [
    'a refusal',
    (hostile) => {
      hostile.peer.end.onOffer = (channel) => channel.refuse(new PlaitError('FORBIDDEN', 'x'.repeat(1_000)))
      hostile.open()
    },
  ],
  [
    'the beginning of a frame',
    (hostile) => hostile.peer.send(rawFrame(frameTypes.DATA, 1, new Uint8Array(60 * KiB)).subarray(0, 100)),
  ],
]

describe('a session ends typed at both ends, and leaves nothing, in the midst of', () => {
  test.each(charges)('%s', (_, charge) => {
    let reached = 0
    // Whatever it costs, some limit is exceeded by its last byte.
    for (let roomBytes = 0; roomBytes < 5_000; roomBytes += 97) {
      const budget = new Budget(100 * KiB)
      const limits = { reservedBytesPerSession: MiB }
      const [hostile, other] = [new Hostile(limits, { budget }), new Hostile(limits, { budget })]
      hostile.fill(hostile.open(), 40 * KiB)
      budget.charge(100 * KiB - budget.usedBytes - roomBytes)
      const rest = budget.usedBytes - hostile.session.account.usedBytes - other.session.account.usedBytes
      charge(hostile)
      // Frames that come after the end say nothing any more.
      hostile.fragment(1, rawFragment({ op: 1 }))
      hostile.send(frameTypes.RESET, 1, encodeError(new PlaitError('ABORTED', 'never mind')))
      if (hostile.peer.end.error !== undefined) {
        reached += 1
        expect(hostile.outcome()).toEqual({ closed: 'session', code: 'BUDGET' })
        expect(hostile.session.channelsByNumber.size).toBe(0)
        expect(hostile.session.account.usedBytes).toBe(0)
        expect(budget.size).toBe(1)
      }
      expect(other.outcome()).toEqual({ closed: 'nothing' })
      expect(budget.usedBytes - rest).toBe(hostile.session.account.usedBytes + other.session.account.usedBytes)
    }
    expect(reached).toBeGreaterThan(0)
  })

  test('what another session receives, which goes on as if nothing had happened', () => {
    const budget = new Budget(300 * KiB)
    const [greedy, modest] = [new Hostile({}, { budget }), new Hostile({}, { budget })]
    greedy.fill(greedy.open(), 200 * KiB)
    const number = modest.open()
    const bytes = rawFragment({ payload: new Uint8Array(50 * KiB) })
    // All in one call: the second fragment ends the other session.
    const frame = rawFrame(frameTypes.DATA, number, bytes)
    modest.peer.send(concat(frame, frame, frame))
    expect(greedy.outcome()).toEqual({ closed: 'session', code: 'BUDGET' })
    expect(modest.outcome(number)).toEqual({ closed: 'nothing' })
    expect(modest.circuit(number).inbound.unreadFragments).toBe(3)
    expect(budget.usedBytes).toBe(modest.session.account.usedBytes)
  })

  test('a large fragment of another one that is done', async () => {
    const budget = new Budget(2 * MiB)
    const limits = { reservedBytesPerSession: MiB }
    const [greedy, modest] = [new Hostile(limits, { budget }), new Hostile({}, { budget })]
    const [first, second] = [greedy.open(), greedy.open()]
    const large = rawFragment({ payload: new Uint8Array(MiB - 1) })
    greedy.send(frameTypes.FIRST, first, varint(large.length))
    greedy.send(frameTypes.FIRST, second, varint(large.length))
    greedy.fill(greedy.open(), 100 * KiB)
    modest.fragment(modest.open(), rawFragment({ payload: new Uint8Array(800 * KiB) }))
    expect(greedy.outcome()).toEqual({ closed: 'nothing' })
    // The last piece frees the place of the first one for the second, which is more than there is.
    for (let at = 0; at < large.length; at += 60 * KiB) {
      greedy.send(frameTypes.MORE, first, large.subarray(at, at + 60 * KiB))
    }
    expect(greedy.outcome()).toEqual({ closed: 'session', code: 'BUDGET' })
    expect(modest.outcome()).toEqual({ closed: 'nothing' })
    expect(budget.usedBytes).toBe(modest.session.account.usedBytes)
  })
})

describe('the budget of a node', () => {
  /** The service takes circuits and does not read. */
  async function hoard(node: PlaitNode): Promise<Circuit[]> {
    const circuits: Circuit[] = []
    node.register('hoard', everyone, async (peer) => {
      for await (const circuit of peer.incoming) circuits.push(circuit)
    })
    return circuits
  }

  test('ends the session of whoever makes it hold the most, at both ends, and no other one', async () => {
    const town = new Town()
    const { world } = town
    const b = await town.add('b', { limits: { budgetBytes: MiB } })
    b.register('echo', everyone, echo)
    await hoard(b)
    const [greedy, modest] = [await town.add('greedy'), await town.add('modest')]
    const echoing = await world.settle(modest.peer('x').open(`${town.address('b')}/echo`))
    const held = await world.settle(modest.peer('x').open(`${town.address('b')}/hoard`))
    held.send({ payload: new Uint8Array(200 * KiB) })
    const circuits: Circuit[] = []
    for (let index = 0; index < 5; index += 1) {
      const circuit = await world.settle(greedy.peer('x').open(`${town.address('b')}/hoard`))
      circuit.send({ payload: new Uint8Array(100 * KiB) })
      circuits.push(circuit)
    }
    await world.run(world.now + 1_000)
    expect(b.snapshot().budget.usedBytes).toBeGreaterThan(700 * KiB)
    expect(town.events.filter((event) => event.includes('sessionend'))).toEqual([])
    circuits[0]?.send({ payload: new Uint8Array(MiB) })
    const reasons = await world.settle(Promise.all(circuits.map(({ closed }) => closed)))
    expect(reasons.map(({ error }) => error?.code)).toEqual(Array(5).fill('BUDGET'))
    await world.run(world.now + 1_000)
    expect(town.events.filter((event) => event.includes('sessionend')).toSorted()).toEqual([
      'b sessionend BUDGET',
      'greedy sessionend BUDGET',
    ])
    echoing.send({ op: 7 })
    expect((await world.settle(echoing.read()))?.op).toBe(7)
    expect(held.state).toBe('open')
    expect(b.snapshot().budget.usedBytes).toBeLessThan(250 * KiB)
    expect(b.snapshot().sessions.map(({ state }) => state)).toEqual(['ready'])
    const again = await world.settle(greedy.peer('x').open(`${town.address('b')}/echo`, { op: 8 }))
    expect((await world.settle(again.read()))?.op).toBe(8)
    expect(world.violations).toEqual([])
  })
})
