import { expect, test } from 'vitest'
import { PlaitError } from '../base/error.ts'
import type { ChannelCircuit } from '../circuit/circuit.ts'
import { CircuitPair } from '../testing/circuit-pair.ts'

const KiB = 1024
const ended = new PlaitError('LIMIT', 'enough')

/** Circuits with unread fragments, one of them with a large one that has begun, one with something to send. */
function crowd(count: number): { pair: CircuitPair; circuits: readonly ChannelCircuit[] } {
  const pair = new CircuitPair()
  const circuits: ChannelCircuit[] = []
  for (let index = 0; index < count; index += 1) {
    const [opener, acceptor] = pair.connect()
    opener.send({ payload: new Uint8Array(2 * KiB) })
    opener.send({ payload: new Uint8Array(2 * KiB) })
    if (index === 1) opener.send({ payload: new Uint8Array(1024 * KiB) })
    pair.settle()
    acceptor.send({ payload: new Uint8Array(KiB) })
    circuits.push(acceptor)
  }
  return { pair, circuits }
}

test('a session that ends gives back all that was charged, to its account and to the node, and ends every circuit', () => {
  const { pair, circuits } = crowd(200)
  const { session, budget } = pair.right
  expect(session.account.usedBytes).toBeGreaterThan(1024 * KiB)
  expect(budget.usedBytes).toBe(session.account.usedBytes)
  session.fail(ended)
  expect([session.account.usedBytes, budget.usedBytes, budget.size]).toEqual([0, 0, 0])
  expect(new Set(circuits.map(({ reason }) => reason?.error))).toEqual(new Set([ended]))
  expect([session.channelsByNumber.size, session.reservations.reservedBytes]).toEqual([0, 0])
  expect(session.counters.circuitsClosed).toBe(200)
  expect(circuits.reduce((bytes, circuit) => bytes + circuit.bufferedBytes, 0)).toBe(0)
})

test('what an application does in the midst of that changes none of it', async () => {
  const { pair, circuits } = crowd(20)
  const { session, budget } = pair.right
  circuits[0]!.signal.addEventListener('abort', () => {
    circuits[5]!.abort(new PlaitError('ABORTED', 'me first'))
    circuits[6]!.receive(() => {})
    void circuits[7]!.read()
    void circuits[8]!.close()
    circuits[1]!.abort(new PlaitError('ABORTED', 'me too'))
    expect(() => session.openChannel(new Uint8Array(8))).toThrow(ended)
  })
  session.fail(ended)
  expect([session.account.usedBytes, budget.usedBytes, session.reservations.reservedBytes]).toEqual([0, 0, 0])
  expect(circuits.map(({ state }) => state)).toEqual(circuits.map(() => 'closed'))
  expect(circuits[5]!.reason?.error?.code).toBe('ABORTED')
  await expect(circuits[9]!.read()).rejects.toBe(ended)
  expect([session.account.usedBytes, budget.usedBytes]).toEqual([0, 0])
})
