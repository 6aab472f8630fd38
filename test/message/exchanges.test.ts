import { expect, test } from 'vitest'
import { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import { createMessageCounters } from '../../src/message/counters.ts'
import type { ExchangeHandler } from '../../src/message/exchange.ts'
import { Exchanges } from '../../src/message/exchanges.ts'
import { kinds } from '../../src/message/frame.ts'
import type { Kind } from '../../src/message/frame.ts'

const first = { content: 0, encoding: 0 as const, payload: new Uint8Array(0) }
const nobody: ExchangeHandler = { answered() {}, item() {}, ended() {}, failed() {}, drained() {} }

function exchanges(): { readonly table: Exchanges; readonly say: (kind: Kind, number: number) => void } {
  const probe = { sometimes: () => {} }
  const counters = createMessageCounters()
  const host = { limits: defaultLimits, probe, counters, now: 0, roomy: true, choked: false }
  const table = new Exchanges({ ...host, send: () => true, asked: () => {}, settled: () => {} })
  return {
    table,
    say: (kind, number) =>
      table.receive({ kind, number, initiator: false, content: 0, encoding: 0 }, 0, first.payload, Infinity),
  }
}

test.each(['answered', 'cancelled', 'lost with its circuit'])('an exchange that is %s stands on no wheel', (how) => {
  const { table, say } = exchanges()
  const exchange = table.begin(4_096, false, first, nobody, 60_000)
  expect([table.timed, table.live]).toEqual([1, 1])
  if (how === 'answered') say(kinds.response, 1)
  else if (how === 'cancelled') table.reset(exchange, new PlaitError('CANCELLED', ''))
  else table.fail(new PlaitError('LINK_LOST', ''))
  expect(table.timed).toBe(0)
})

test('a stream that both have ended stands on no wheel', () => {
  const { table, say } = exchanges()
  const exchange = table.begin(4_096, true, first, nobody, 60_000)
  table.end(exchange)
  expect(table.timed).toBe(1)
  say(kinds.end, 1)
  expect([table.timed, table.live]).toEqual([0, 0])
})
