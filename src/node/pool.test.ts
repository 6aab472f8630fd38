import { expect, test } from 'vitest'
import { defaultLimits } from '../base/limits.ts'
import type { NodeId } from '../identity/node-id.ts'
import { addressFull, noRoom, pendingFull } from './pool.ts'
import type { Occupant } from './pool.ts'

const one = (remoteId: string, dialled = false, remoteAddress = '10.0.0.1:5000'): Occupant => ({
  remoteId: remoteId as NodeId,
  dialled,
  remoteAddress,
})
const pool = { maxInbound: 2, maxOutbound: 2, sessions: 4 }

test('maxInbound counts nodes whose sessions others have opened', () => {
  const candidate = one('new')
  expect(noRoom([one('a'), one('b', true)], candidate, pool)).toBe(undefined)
  expect(noRoom([one('a'), one('a')], candidate, pool)).toBe(undefined)
  expect(noRoom([one('a'), one('b')], candidate, pool)).toMatchObject({
    code: 'TOO_MANY_SESSIONS',
    facts: { limit: 2 },
  })
})

test('a link of a node that has a session, and comes anew, needs no room', () => {
  expect(noRoom([one('a'), one('b')], one('b'), pool)).toBe(undefined)
  const limits = { ...defaultLimits, sessionsPerAddress: 1 }
  expect(addressFull([one('a')], one('a'), limits)).toBe(undefined)
  expect(addressFull([one('a')], one('b'), limits)).toMatchObject({ code: 'TOO_MANY_SESSIONS' })
})

test('the limit on all sessions counts both directions', () => {
  const dialled = ['a', 'b', 'c'].map((id) => one(id, true))
  expect(noRoom(dialled, one('new'), pool)).toBe(undefined)
  expect(noRoom([...dialled, one('d')], one('new'), pool)).toMatchObject({
    code: 'TOO_MANY_SESSIONS',
    facts: { limit: 4 },
  })
})

test('an address has its own share: the limit, one more, and its neighbours', () => {
  const limits = { ...defaultLimits, sessionsPerAddress: 3 }
  const at = (address: string, count: number): Occupant[] =>
    Array.from({ length: count }, (_, index) => one(`n${index}`, false, address))
  const candidate = one('new', false, '10.0.0.1:9')
  expect(addressFull(at('10.0.0.1:5', 2), candidate, limits)).toBe(undefined)
  expect(addressFull(at('10.0.0.1:5', 3), candidate, limits)).toMatchObject({
    code: 'TOO_MANY_SESSIONS',
    facts: { limit: 3 },
  })
  expect(addressFull(at('10.0.0.2:5', 300), candidate, limits)).toBe(undefined)
  const six = one('new', false, '[2001:db8:1:2:3::4]:9')
  expect(addressFull(at('[2001:db8:1:2:ffff::1]:5', 3), six, limits)).toMatchObject({ code: 'TOO_MANY_SESSIONS' })
  expect(addressFull(at('[2001:db8:1:3::1]:5', 3), six, limits)).toBe(undefined)
})

test('of the links of one address that are not ready the oldest gives way, and a crowd of others keeps a stranger out', () => {
  const limits = { ...defaultLimits, pendingHandshakes: 4, pendingHandshakesPerAddress: 2 }
  const [old, young] = [one('a'), one('b')]
  expect(pendingFull([one('d', true), old], '10.0.0.1:9', limits)).toBe(undefined)
  expect(pendingFull([old, young], '10.0.0.1:9', limits)).toMatchObject({ oldest: old })
  const others = ['2', '3', '4', '5'].map((host) => one(host, false, `10.0.0.${host}:5`))
  expect(pendingFull(others.slice(1), '10.0.0.1:9', limits)).toBe(undefined)
  const crowd = pendingFull(others, '10.0.0.1:9', limits)
  expect(crowd).toMatchObject({ error: { code: 'TOO_MANY_SESSIONS', facts: { limit: 4 } }, oldest: undefined })
})
