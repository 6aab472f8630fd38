import { describe, expect, it } from 'vitest'
import { CircuitPair } from './circuit-pair.ts'

/** A payload that is sent from where it stands, on its way to the other side. */
function underWay(): { pair: CircuitPair; payload: Uint8Array } {
  const pair = new CircuitPair()
  const [opener, acceptor] = pair.connect()
  acceptor.receive(() => {})
  pair.run(1_000)
  const payload = new Uint8Array(50_000)
  opener.send({ payload })
  pair.step()
  expect(pair.left.session.unacknowledgedBytes).toBeGreaterThan(50_000)
  return { pair, payload }
}

describe('what a session has lent to its link', () => {
  it('must not change before it is acknowledged', () => {
    const { pair, payload } = underWay()
    payload[7] = 1
    expect(() => pair.run(1_000)).toThrow('50000 bytes were changed')
  })

  it('must not change while there is no link', () => {
    const { pair, payload } = underWay()
    payload[7] = 1
    expect(() => pair.cut()).toThrow('50000 bytes were changed')
  })

  it('belongs to its owner again when it has been acknowledged', () => {
    const { pair, payload } = underWay()
    pair.run(1_000)
    expect(pair.left.session.unacknowledgedBytes).toBe(0)
    payload[7] = 1
    pair.run(20_000)
    pair.cut()
    expect(pair.left.error).toBe(undefined)
  })
})
