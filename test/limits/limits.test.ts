import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../../src/base/limits.ts'
import { broadcastRows } from './broadcast-rows.ts'
import { circuitRows } from './circuit-rows.ts'
import { fragmentRows } from './fragment-rows.ts'
import { sessionRows } from './session-rows.ts'
import { feedRows } from './feed-rows.ts'
import { groupRows } from './group-rows.ts'
import { driveRows } from './drive-rows.ts'
import { messageRows } from './message-rows.ts'
import { handshakeRows } from './handshake-rows.ts'
import { nodeRows } from './node-rows.ts'
import type { Row } from './row.ts'

const rows: readonly Row[] = [
  ...handshakeRows,
  ...nodeRows,
  ...sessionRows,
  ...fragmentRows,
  ...circuitRows,
  ...messageRows,
  ...feedRows,
  ...driveRows,
  ...groupRows,
  ...broadcastRows,
]

test('every limit has a row, and none has two for the same thing', () => {
  expect([...new Set(rows.map(({ limit }) => limit))].toSorted()).toEqual(Object.keys(defaultLimits).toSorted())
  const titles = rows.map(({ limit, what }) => `${limit} ${what}`)
  expect(new Set(titles).size).toBe(titles.length)
})

describe.each(rows.map((row) => [row.what === undefined ? row.limit : `${row.limit}: ${row.what}`, row] as const))(
  '%s',
  (_title, { limit, limits = {}, attempt, within, beyond, step = 1 }) => {
    const value = { ...defaultLimits, ...limits }[limit]
    test('at the limit', async () => {
      expect(await attempt(value, limits)).toEqual(within(value))
    })
    test('just beyond it', async () => {
      expect(await attempt(value + step, limits)).toEqual(beyond(value + step, value))
    })
    test('a hundred times beyond it', async () => {
      expect(await attempt(value * 100, limits)).toEqual(beyond(value * 100, value))
    })
  },
)
