import { concatBytes } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { varintLength, writeVarint } from '../../src/base/varint.ts'
import { Bitmap } from '../../src/feed/bitmap.ts'
import { feedTag } from '../../src/feed/feed-tag.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps, refusals } from '../../src/feed/messages.ts'
import type { FeedMessageName, RefuseMessage } from '../../src/feed/messages.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { MemoryStore } from '../../src/feed/sync/memory-store.ts'
import { News } from '../../src/feed/sync/news.ts'
import { Replica } from '../../src/feed/sync/replica.ts'
import { Serving } from '../../src/feed/sync/serving.ts'
import { RemotePeer, SharedFeed, type Say } from '../../src/feed/sync/shared-feed.ts'
import { Synchronizer } from '../../src/feed/sync/synchronizer.ts'
import { simulatedVerify } from '../../src/identity/simulated.ts'
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

/** Somebody asks so often for blocks that are long in coming; what becomes of the last request. */
function asks(amount: number): Outcome {
  const store = new MemoryStore()
  store.measure = () => {}
  const have = new Bitmap()
  have.add(0, 1)
  const head = { fork: 0, length: 1, bytes: 1, root: new Uint8Array(32) }
  const replica = new Replica({ name: new Uint8Array(32), store, head, have })
  const port = { send: () => true, end: () => {} }
  const peer = new RemotePeer(port, { id: 'a', binding: new Uint8Array(16), role: 'chair' })
  const shared = new SharedFeed(replica, peer, 0, new Uint8Array(32))
  shared.theirs = 0
  let refused: number | undefined
  const say: Say = (_shared, name, value) => {
    if (name === 'refuse') refused = (value as unknown as RefuseMessage).reason
  }
  const serving = new Serving(peer, say, new News(say))
  for (let request = 1; request <= amount; request += 1) {
    refused = undefined
    serving.answer(shared, { feed: 0, request, fork: 0, known: 0, runs: [0, 1], bytes: 1 })
  }
  if (serving.waiting !== Math.min(amount, defaultLimits.servedRequests)) throw new Error(`${serving.waiting} wait`)
  return refused === refusals.busy ? { closed: 'nothing', code: 'BUSY' } : { closed: 'nothing' }
}

/** Somebody wants to know of so many places of one feed. */
function scatters(amount: number): Outcome {
  let ended: PlaitError | undefined
  const synchronizer = new Synchronizer({ hash: sha256, verify: simulatedVerify })
  const name = new Uint8Array(32)
  synchronizer.add(new Replica({ name, store: new MemoryStore() }), 0)
  const binding = new Uint8Array(16)
  const port = { send: () => true, end: (error: PlaitError) => void (ended = error) }
  const peer = synchronizer.connect(port, { id: 'a', binding, role: 'chair' }, 0)
  if (peer === undefined) throw new Error('not connected')
  const tag = feedTag(sha256, name, binding, 'guest')
  synchronizer.receive(peer, feedOps.open, encodeFeedMessage('open', { feed: 0, tag }), 0)
  for (let place = 0; place < amount && ended === undefined; place += 1) {
    const want = { feed: 0, start: place * 2_048, end: place * 2_048 + 1 }
    synchronizer.receive(peer, feedOps.want, encodeFeedMessage('want', want), 0)
  }
  return ended === undefined ? { closed: 'nothing' } : { closed: 'circuit', code: ended.code }
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
  {
    limit: 'servedRequests',
    attempt: asks,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUSY' }),
  },
  row('feedExtents', 'in WANT', scatters),
  row('sharedFeeds', 'by their number', (amount) => reads('close', numbers(amount - 1))),
]
