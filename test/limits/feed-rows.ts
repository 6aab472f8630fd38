import { concatBytes } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { defaultLimits } from '../../src/base/limits.ts'
import type { Limits } from '../../src/base/limits.ts'
import { varintLength, writeVarint } from '../../src/base/varint.ts'
import { Bitmap } from '../../src/feed/bitmap.ts'
import { feedTag } from '../../src/feed/feed-tag.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps, refusals } from '../../src/feed/messages.ts'
import type { FeedMessage, FeedMessageName, FeedMessages, RefuseMessage } from '../../src/feed/messages.ts'
import { Frontier } from '../../src/feed/frontier.ts'
import { signHead } from '../../src/feed/head.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { blockCount } from '../../src/feed/proof.ts'
import { ChunkServing } from '../../src/feed/sync/chunk-serving.ts'
import type { FeedStore } from '../../src/feed/sync/feed-store.ts'
import { MemoryStore } from '../../src/feed/sync/memory-store.ts'
import { News } from '../../src/feed/sync/news.ts'
import { Replica } from '../../src/feed/sync/replica.ts'
import { Serving } from '../../src/feed/sync/serving.ts'
import { RemotePeer, SharedFeed, type Say } from '../../src/feed/sync/shared-feed.ts'
import { Synchronizer, type SynchronizerEvents } from '../../src/feed/sync/synchronizer.ts'
import { simulatedIdentity, simulatedVerify } from '../../src/identity/simulated.ts'
import { capping, type Outcome, type Row } from './row.ts'

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

/** Somebody is answered by this side, out of a store that never does. */
function serves(
  length: number,
  measure: FeedStore['measure'],
): { serving: Serving; shared: SharedFeed; say: Say; said: Said } {
  const store = new MemoryStore()
  store.measure = measure
  const have = new Bitmap()
  have.add(0, length)
  const head = { fork: 0, length, bytes: 1, root: new Uint8Array(32) }
  const replica = new Replica({ name: new Uint8Array(32), store, head, have })
  const port = { send: () => true, end: () => {} }
  const peer = new RemotePeer(port, { id: 'a', binding: new Uint8Array(16), role: 'chair' })
  const shared = new SharedFeed(replica, peer, 0, new Uint8Array(32))
  shared.theirs = 0
  const said: Said = { refused: undefined }
  const say: Say = (_shared, name, value) => {
    if (name === 'refuse') said.refused = (value as unknown as RefuseMessage).reason
  }
  return { serving: new Serving(peer, say, new News(say)), shared, say, said }
}

interface Said {
  refused: number | undefined
}

/** Somebody asks so often for blocks that are long in coming; what becomes of the last request. */
function asks(amount: number): Outcome {
  const { serving, shared, said } = serves(1, () => {})
  for (let request = 1; request <= amount; request += 1) {
    said.refused = undefined
    serving.answer(shared, { feed: 0, request, fork: 0, known: 0, runs: [0, 1], bytes: 1 })
  }
  if (serving.waiting !== Math.min(amount, defaultLimits.servedRequests)) throw new Error(`${serving.waiting} wait`)
  return said.refused === refusals.busy ? { closed: 'nothing', code: 'BUSY' } : { closed: 'nothing' }
}

/** The same for chunks. */
function fetches(amount: number): Outcome {
  const { shared, say, said } = serves(1, () => {})
  shared.replica.chunkReader = { read: () => () => {} }
  const serving = new ChunkServing(shared.peer, say)
  const chunks = { hashes: new Uint8Array(32), lengths: [undefined] }
  for (let request = 1; request <= amount; request += 1) {
    said.refused = undefined
    serving.answer(shared, { feed: 0, request, bytes: 1, packings: 0, chunks }, 0)
  }
  const { servedFetches } = shared.peer
  if (servedFetches !== Math.min(amount, defaultLimits.servedRequests)) throw new Error(`${servedFetches} wait`)
  return said.refused === refusals.busy ? { closed: 'nothing', code: 'BUSY' } : { closed: 'nothing' }
}

/** Somebody asks for so many blocks, or bytes, at once; how many are looked for. */
function asksFor(blocks: number, bytes: number): { readonly blocks: number; readonly bytes: number } {
  let found = { blocks: 0, bytes: 0 }
  const { serving, shared } = serves(blocks, (runs, most) => {
    found = { blocks: blockCount({ ranges: runs }), bytes: most }
  })
  serving.answer(shared, { feed: 0, request: 1, fork: 0, known: 0, runs: [0, blocks], bytes })
  return found
}

/** A node with an empty copy of a feed, and a peer that knows the feed. */
class Meeting {
  readonly identity: ReturnType<typeof simulatedIdentity> = simulatedIdentity(Uint8Array.of(1))
  readonly replica: Replica = new Replica({ name: this.identity.publicKey, store: new MemoryStore() })
  readonly synchronizer: Synchronizer
  readonly said: FeedMessage[] = []
  ended: PlaitError | undefined
  readonly #peer: RemotePeer

  constructor(events: SynchronizerEvents = {}) {
    const { publicKey: name } = this.identity
    const binding = new Uint8Array(16)
    this.synchronizer = new Synchronizer({ hash: sha256, verify: simulatedVerify, events })
    this.synchronizer.add(this.replica, 0)
    const send = (op: number, payload: Uint8Array): boolean => {
      this.said.push(decodeFeedMessage(op, payload))
      return true
    }
    const end = (error: PlaitError): void => void (this.ended = error)
    const peer = this.synchronizer.connect({ send, end }, { id: 'a', binding, role: 'chair' }, 0)
    if (peer === undefined) throw new Error('not connected')
    this.#peer = peer
    this.says('open', { feed: 0, tag: feedTag(sha256, name, binding, 'guest') })
  }

  says<Name extends FeedMessageName>(name: Name, value: FeedMessages[Name]): void {
    this.synchronizer.receive(this.#peer, feedOps[name], encodeFeedMessage(name, value), 0)
  }

  saysHead(length: number, bytes: number, root: Uint8Array): void {
    this.says('head', { ...signHead(this.identity, { fork: 0, length, bytes, root }), feed: 0, known: 0 })
  }

  get outcome(): Outcome {
    return this.ended === undefined ? { closed: 'nothing' } : { closed: 'circuit', code: this.ended.code }
  }
}

/** Somebody wants to know of so many places of one feed. */
function scatters(amount: number): Outcome {
  const meeting = new Meeting()
  for (let place = 0; place < amount && meeting.ended === undefined; place += 1)
    meeting.says('want', { feed: 0, start: place * 2_048, end: place * 2_048 + 1 })
  return meeting.outcome
}

/** Somebody sends so many bytes to a follower, and one block more. */
function pushes(amount: number): Outcome {
  const meeting = new Meeting()
  const blocks: Uint8Array[] = []
  for (let left = amount; left > 0; left -= 65_536) blocks.push(new Uint8Array(Math.min(left, 65_536)))
  blocks.push(new Uint8Array(0))
  const frontier = new Frontier(sha256)
  frontier.append(blocks)
  const { length } = blocks
  meeting.saysHead(length, amount, frontier.root())
  const nodes = new Uint8Array(0)
  meeting.says('proof', { feed: 0, request: 0, fork: 0, length, known: 0, runs: [0, length], nodes, last: true })
  meeting.says('data', { feed: 0, request: 0, blocks })
  if (meeting.ended === undefined && meeting.replica.have.count !== length) throw new Error('not stored')
  return meeting.outcome
}

/** Somebody sends so many bytes that nobody has asked for. */
function babbles(amount: number): Outcome {
  const meeting = new Meeting()
  const most = 1024 * 1024
  for (let left = amount; left > 0 && meeting.ended === undefined;) {
    const step = left > most && left < most + 64 ? left - 64 : Math.min(left, most)
    meeting.says('data', { feed: 0, request: 9, blocks: [new Uint8Array(step - 64)] })
    left -= step
  }
  return meeting.outcome
}

/** Somebody has so many blocks of a byte; how many it is asked for at once. */
function offers(amount: number): number {
  const meeting = new Meeting()
  meeting.saysHead(amount, amount, new Uint8Array(32))
  meeting.says('have', { feed: 0, runs: [0, amount] })
  const request = meeting.said.find(({ name }) => name === 'request')
  return request?.name === 'request' ? blockCount({ ranges: request.value.runs }) : 0
}

/** Somebody says so much to an extension, all at once. */
function extend(amount: number): number {
  let kept = 0
  const meeting = new Meeting({ extension: () => (kept += 1) })
  for (let message = 0; message < amount; message += 1)
    meeting.says('extension', { feed: 0, name: 'x', payload: new Uint8Array(0) })
  return kept
}

/** Messages about feeds: what they may claim. */
export const feedRows: readonly Row[] = [
  row('feedBlockBytes', 'in DATA', (amount) => reads('data', numbers(1, 1, 1, amount), new Uint8Array(amount))),
  row('feedBlocks', 'in INFO', (amount) => reads('info', numbers(1, 0, amount, 0, 0, 0))),
  row('feedBlocks', 'in a run', (amount) => reads('have', numbers(1, 1, amount - 1, 1))),
  row('proofNodes', 'in PROOF', (amount) =>
    reads('proof', numbers(1, 1, 0, 9, 0, 0, 0, amount), new Uint8Array(amount * 32), Uint8Array.of(1)),
  ),
  row('feedRuns', 'in HAVE', (amount) => reads('have', numbers(1), alternating(amount))),
  row('feedRuns', 'blocks in DATA', (amount) => reads('data', numbers(1, 1, amount), new Uint8Array(amount))),
  row('requestRuns', 'in REQUEST', (amount) => reads('request', numbers(1, 1, 0, 9), alternating(amount), numbers(9))),
  row('requestChunks', 'in FETCH', (amount) =>
    reads('fetch', numbers(1, 1, 9, 0, amount), new Uint8Array(amount * 33)),
  ),
  row('packedChunksBytes', 'in PACKED', (amount) =>
    reads('packed', numbers(1, 1, 1, 1, amount + 1), new Uint8Array(1)),
  ),
  row('requestChunks', 'in PACKED', (amount) => reads('packed', numbers(1, 1, 1, amount), new Uint8Array(amount + 1))),
  row('requestChunks', 'in CHUNKS', (amount) => reads('chunks', numbers(1, 1, 1, amount), new Uint8Array(amount))),
  row('feedBlockBytes', 'in CHUNKS', (amount) =>
    reads('chunks', numbers(1, 1, 1, 1, amount + 1), new Uint8Array(amount)),
  ),
  {
    ...{ limit: 'servedRequests', what: 'for chunks' },
    attempt: fetches,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUSY' }),
  },
  {
    limit: 'servedRequests',
    attempt: asks,
    within: () => ({ closed: 'nothing' }),
    beyond: () => ({ closed: 'nothing', code: 'BUSY' }),
  },
  {
    ...{ limit: 'requestBlocks', what: 'asked of this side' },
    attempt: (amount) => ({ closed: 'nothing', kept: asksFor(amount, 1).blocks }),
    ...capping,
  },
  {
    ...{ limit: 'requestBlocks', what: 'asked by this side' },
    attempt: (amount) => ({ closed: 'nothing', kept: offers(amount) }),
    ...capping,
  },
  { limit: 'answerBytes', attempt: (amount) => ({ closed: 'nothing', kept: asksFor(1, amount).bytes }), ...capping },
  row('pushBytes', 'unasked', pushes),
  row('uselessBytes', 'in DATA', babbles),
  { limit: 'extensionsPerSecond', attempt: (amount) => ({ closed: 'nothing', kept: extend(amount) }), ...capping },
  row('feedExtents', 'in WANT', scatters),
  row('sharedFeeds', 'by their number', (amount) => reads('close', numbers(amount - 1))),
]
