import { describe, expect, it } from 'vitest'
import { concatBytes } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'
import { decodeFeedMessage, encodeFeedMessage, feedOps, feedSchemas } from './messages.ts'
import type { FeedMessageName, FeedMessages } from './messages.ts'

const limit = expect.objectContaining({ code: 'LIMIT' })
const malformed = expect.objectContaining({ code: 'PROTOCOL' })
const hash = new Uint8Array(32).fill(1)
const signature = new Uint8Array(64).fill(2)

/** One of each, every field with a value. */
const samples: FeedMessages = {
  open: { feed: 1, tag: hash },
  close: { feed: 16_383 },
  head: { feed: 1, fork: 2, length: 3, bytes: 4, root: hash, signature, known: 2, nodes: concatBytes([hash, hash]) },
  info: { feed: 1, fork: 0, length: 2 ** 48, first: 0, contiguous: 7, flags: 3 },
  have: { feed: 1, runs: [0, 5, 2 ** 47, 2 ** 48] },
  unhave: { feed: 1, runs: [3, 4] },
  want: { feed: 1, start: 0, end: 2 ** 48 },
  unwant: { feed: 1, start: 5, end: 9 },
  request: { feed: 1, request: 8, fork: 0, known: 40, runs: [1, 3, 5, 40], bytes: 65_536 },
  cancel: { feed: 1, request: 8 },
  refuse: { feed: 1, request: 8, reason: 2 },
  proof: { feed: 1, request: 8, fork: 0, length: 41, known: 40, runs: [1, 3], groupLevel: 4, nodes: hash, last: true },
  data: { feed: 1, request: 8, blocks: [new Uint8Array(0), Uint8Array.of(1, 2), new Uint8Array(300).fill(9)] },
  fork: {
    feed: 1,
    fork: 0,
    shorterLength: 1,
    shorterBytes: 1,
    shorterRoot: hash,
    shorterSignature: signature,
    longerLength: 2,
    longerBytes: 2,
    longerRoot: hash,
    longerSignature: signature,
    nodes: hash,
  },
  extension: { feed: 1, name: '__proto__', payload: Uint8Array.of(7) },
  summary: { prints: new Uint8Array(16).fill(5) },
  fetch: {
    feed: 1,
    request: 8,
    bytes: 65_536,
    packings: 1,
    chunks: { hashes: Uint8Array.from({ length: 96 }, (_, index) => index), lengths: [undefined, 0, 300] },
  },
  chunks: { feed: 1, request: 8, last: true, chunks: [undefined, new Uint8Array(0), new Uint8Array(300).fill(9)] },
  packed: { feed: 1, request: 8, last: true, lengths: [undefined, 0, 300], packed: new Uint8Array(20).fill(9) },
}
const names = Object.keys(feedOps) as FeedMessageName[]

describe('messages', () => {
  it.each(names)('%s comes back as it was, and nothing behind it is taken', (name) => {
    const bytes = encodeFeedMessage(name, samples[name])
    const { name: read, value } = decodeFeedMessage(feedOps[name], bytes)
    expect([read, value]).toEqual([name, samples[name]])
    expect(() => decodeFeedMessage(feedOps[name], concatBytes([bytes, Uint8Array.of(0)]))).toThrow(malformed)
    for (let cut = 0; cut < bytes.length; cut += 1)
      expect(() => decodeFeedMessage(feedOps[name], bytes.subarray(0, cut))).toThrow(malformed)
  })

  it('leave out what may be absent', () => {
    const { signature: _signed, nodes: _nodes, ...sealed } = samples.head
    expect(decodeFeedMessage(feedOps.head, encodeFeedMessage('head', sealed)).value).toEqual(sealed)
    const { groupLevel: _level, ...pure } = samples.proof
    expect(decodeFeedMessage(feedOps.proof, encodeFeedMessage('proof', pure)).value).toEqual(pure)
  })

  it('of no kind are refused', () => {
    for (const op of [0, 20, -1, 0.5]) expect(() => decodeFeedMessage(op, new Uint8Array(0))).toThrow(malformed)
  })

  it('give blocks as views, so that many of them cost one buffer', () => {
    const bytes = encodeFeedMessage('data', samples.data)
    const message = decodeFeedMessage(feedOps.data, bytes)
    if (message.name !== 'data') throw new Error(message.name)
    expect(message.value.blocks.every((block) => block.buffer === bytes.buffer)).toBe(true)
  })

  it('cost a block one byte more than it has, up to 127', () => {
    const blocks = Array.from({ length: 600 }, () => new Uint8Array(100))
    expect(encodeFeedMessage('data', { feed: 1, request: 1, blocks }).length).toBe(600 * 101 + 4)
  })
})

describe('claims are refused before anything is allocated for them', () => {
  const huge = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
  it.each<[string, FeedMessageName, readonly number[], unknown]>([
    ['a feed number beyond the limit', 'close', [0x80, 0x80, 1], limit],
    ['2^53 - 1 blocks', 'info', [1, 0, ...huge], limit],
    ['2^53 - 1 ranges', 'have', [1, ...huge], limit],
    ['no range', 'have', [1, 0], malformed],
    ['2^53 - 1 nodes', 'proof', [1, 8, 0, 41, 40, 0, 0, ...huge], limit],
    ['129 nodes', 'proof', [1, 8, 0, 41, 40, 0, 0, 0x81, 1], limit],
    ['128 nodes that are not there', 'proof', [1, 8, 0, 41, 40, 0, 0, 0x80, 1], malformed],
    ['65 ranges', 'request', [1, 8, 0, 40, 65, ...new Array<number>(200).fill(1)], limit],
    ['4,097 blocks', 'data', [1, 8, 0x81, 0x20], limit],
    ['4,096 blocks that are not there', 'data', [1, 8, 0x80, 0x20], malformed],
    ['a block of 1 MiB and a byte', 'data', [1, 8, 1, 0x81, 0x80, 0x40], limit],
    ['1,025 hashes', 'fetch', [1, 8, 9, 0, 0x81, 8], limit],
    ['1,024 hashes that are not there', 'fetch', [1, 8, 9, 0, 0x80, 8], malformed],
    ['no hash', 'fetch', [1, 8, 9, 0, 0], malformed],
    ['the hash of a chunk of 1 MiB and a byte', 'fetch', [1, 8, 9, 0, 1, ...hash, 0x82, 0x80, 0x40], limit],
    ['1,025 chunks', 'chunks', [1, 8, 1, 0x81, 8], limit],
    ['1,024 chunks that are not there', 'chunks', [1, 8, 1, 0x80, 8], malformed],
    ['no chunk', 'chunks', [1, 8, 1, 0], malformed],
    ['a chunk of 1 MiB and a byte', 'chunks', [1, 8, 1, 1, 0x82, 0x80, 0x40], limit],
    ['1,025 packed chunks', 'packed', [1, 8, 1, 0x81, 8], limit],
    ['256 KiB and a byte, packed', 'packed', [1, 8, 1, 1, 0x82, 0x80, 0x10, 0], limit],
    ['256 KiB and a byte, in two packed chunks', 'packed', [1, 8, 1, 2, 2, 0x81, 0x80, 0x10, 0], limit],
    ['a level above the highest', 'proof', [1, 8, 0, 41, 40, 0, 1, 49, 0, 1], limit],
  ])('%s', (_what, name, bytes, error) => {
    expect(() => decodeFeedMessage(feedOps[name], Uint8Array.from(bytes))).toThrow(error)
  })

  it('and are not written', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })
    const { feedBlockBytes, feedRuns, proofNodes } = defaultLimits
    const tooLarge = [new Uint8Array(feedBlockBytes + 1)]
    const tooMany = Array.from({ length: feedRuns + 1 }, () => new Uint8Array(0))
    for (const blocks of [tooLarge, tooMany])
      expect(() => encodeFeedMessage('data', { ...samples.data, blocks })).toThrow(invalid)
    for (const bytes of [(proofNodes + 1) * 32, 31])
      expect(() => encodeFeedMessage('proof', { ...samples.proof, nodes: new Uint8Array(bytes) })).toThrow(invalid)
    const { fetch, chunks } = samples
    expect(() => encodeFeedMessage('chunks', { ...chunks, chunks: tooLarge })).toThrow(invalid)
    for (const length of [0, 1_025]) {
      const none = Array.from({ length }, () => undefined)
      expect(() => encodeFeedMessage('chunks', { ...chunks, chunks: none })).toThrow(invalid)
      const some = { hashes: new Uint8Array(length * 32), lengths: none }
      expect(() => encodeFeedMessage('fetch', { ...fetch, chunks: some })).toThrow(invalid)
    }
    for (const one of [feedBlockBytes + 1, -1])
      expect(() => encodeFeedMessage('fetch', { ...fetch, chunks: { hashes: hash, lengths: [one] } })).toThrow(invalid)
    const short = { hashes: hash.subarray(1), lengths: [1] }
    expect(() => encodeFeedMessage('fetch', { ...fetch, chunks: short })).toThrow(invalid)
    expect(() => encodeFeedMessage('close', { feed: -1 })).toThrow(invalid)
    expect(() => encodeFeedMessage('close', { feed: 16_384 })).toThrow(invalid)
  })

  it('have a schema each', () => {
    expect(Object.keys(feedSchemas)).toEqual(names)
    expect(Object.values(feedOps)).toEqual(names.map((_name, index) => index + 1))
  })
})
