import { concatBytes } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import type { Limits } from '../../src/base/limits.ts'
import { varintLength, writeVarint } from '../../src/base/varint.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps } from '../../src/feed/messages.ts'
import type { FeedMessageName } from '../../src/feed/messages.ts'
import type { Outcome, Row } from './row.ts'

/** What becomes of a message that somebody has written by hand: whoever reads it ends the circuit with that code. */
function reads(name: FeedMessageName, ...parts: readonly Uint8Array[]): Outcome {
  const neighbour = encodeFeedMessage('close', { feed: 1 })
  try {
    decodeFeedMessage(feedOps[name], concatBytes(parts))
    return { closed: 'nothing' }
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    return { closed: 'circuit', code: error.code }
  } finally {
    decodeFeedMessage(feedOps.close, neighbour)
  }
}

function numbers(...values: readonly number[]): Uint8Array {
  return concatBytes(
    values.map((value) => {
      const out = new Uint8Array(varintLength(value))
      writeVarint(out, 0, value)
      return out
    }),
  )
}

function row(limit: keyof Limits, what: string, attempt: (amount: number) => Outcome): Row {
  return {
    limit,
    what,
    attempt,
    within: () => ({ closed: 'nothing' }),
    // What no number of this protocol can be is malformed before it is too much.
    beyond: (amount) => ({ closed: 'circuit', code: amount > Number.MAX_SAFE_INTEGER ? 'PROTOCOL' : 'LIMIT' }),
  }
}

/** So many runs of one block each, and as many between them. */
function alternating(count: number): Uint8Array {
  return concatBytes([numbers(count), new Uint8Array(2 * count).fill(1)])
}

/** Messages about feeds: what they may claim. */
export const feedRows: readonly Row[] = [
  row('feedBlockBytes', 'in DATA', (amount) => reads('data', numbers(1, 1, 1, amount), new Uint8Array(amount))),
  row('feedBlocks', 'in INFO', (amount) => reads('info', numbers(1, 0, amount, 0, 0))),
  row('feedBlocks', 'in a run', (amount) => reads('have', numbers(1, 1, amount - 1, 1))),
  row('proofNodes', 'in PROOF', (amount) =>
    reads('proof', numbers(1, 1, 0, 9, 0, 0, 0, amount), new Uint8Array(amount * 32), Uint8Array.of(1)),
  ),
  row('feedRuns', 'in HAVE', (amount) => reads('have', numbers(1), alternating(amount))),
  row('feedRuns', 'blocks in DATA', (amount) => reads('data', numbers(1, 1, amount), new Uint8Array(amount))),
  row('requestRuns', 'in REQUEST', (amount) => reads('request', numbers(1, 1, 0, 9), alternating(amount), numbers(9))),
  row('sharedFeeds', 'by their number', (amount) => reads('close', numbers(amount - 1))),
]
