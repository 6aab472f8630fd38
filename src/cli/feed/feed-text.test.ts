import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { formatFeedId, type FeedId } from '../../feed/feed-id.ts'
import { createIdentity } from '../../identity/identity.ts'
import type { FeedFacts } from '../control/control-protocol.ts'
import { BlockOutput, blockJson, type BlockFormat } from './block-output.ts'
import { resolveFeed } from './feed-target.ts'
import { feedLines, feedsTable } from './info-command.ts'

const sealed = (name: string): FeedId => `sealed:${name.padEnd(52, 'a')}` as FeedId
const written = formatFeedId({ name: createIdentity().publicKey, isSealed: false })
const list = [{ id: written }, { id: sealed('bcde') }, { id: sealed('bcdf') }]

it('finds a feed by its id, or by a beginning that no other has', () => {
  expect(resolveFeed(written, list)).toBe(written)
  expect(resolveFeed('feed:', list)).toBe(written)
  expect(resolveFeed(` ${written.slice(0, 12)}\n`, list)).toBe(written)
  expect(resolveFeed('bcde', list)).toBe(sealed('bcde'))
  expect(resolveFeed('sealed:bcdf', list)).toBe(sealed('bcdf'))
})

it.each([
  ['sealed:bcd', /several feeds/],
  ['bcdg', /no feed of the store has an id that begins so/],
  ['bcd', /a feed id is feed: or sealed: and 52 characters/],
  ['nonsense!', /a feed id is feed: or sealed: and 52 characters/],
  [formatFeedId({ name: createIdentity().publicKey, isSealed: false }), /not in the store; .*clone LINK/],
  ['plait://x', /this is a link/],
])('says what is wrong with %s', (text, message) => {
  expect(() => resolveFeed(text, list)).toThrow(message)
})

/** What is written in a format, and in how many writes. */
async function writtenAs(format: BlockFormat, blocks: readonly string[]): Promise<{ text: string; writes: number }> {
  let [text, writes] = ['', 0]
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      writes += 1
      done()
    },
  })
  const output = new BlockOutput(stream, format)
  for (const [index, block] of blocks.entries()) await output.write(new TextEncoder().encode(block), index)
  await output[Symbol.asyncDispose]()
  return { text, writes }
}

it('writes blocks as lines, as they are, or as JSON, small ones together', async () => {
  expect(await writtenAs('lines', ['a', '', 'b\n'])).toEqual({ text: 'a\n\nb\n\n', writes: 1 })
  expect(await writtenAs('raw', ['a', '', 'b\n'])).toEqual({ text: 'ab\n', writes: 1 })
  expect((await writtenAs('json', ['a'])).text).toBe('{"event":"block","index":0,"text":"a"}\n')
  expect((await writtenAs('lines', ['x'.repeat(70_000), 'y'])).writes).toBe(2)
  expect(JSON.parse(blockJson(Uint8Array.of(0xff, 0), 7))).toEqual({ event: 'block', index: 7, base64: '/wA=' })
  expect(JSON.parse(blockJson(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61), 0))).toMatchObject({ text: '\ufeffa' })
})

it('notices that nobody reads any more, and does not wait for who does not', async () => {
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(new Error('EPIPE')) })
  const output = new BlockOutput(stream, 'lines')
  await output.write(new Uint8Array(70_000), 0)
  await new Promise(setImmediate)
  expect(output.gone.aborted).toBe(true)
  await output.write(new Uint8Array(70_000), 1)
})

const facts: FeedFacts = {
  id: written,
  length: 1_200,
  bytes: 46_100_000,
  fork: 0,
  contiguousLength: 3,
  held: 1_193,
  holes: [3, 8, 12, 13, 20, 21],
  isFrozen: false,
  isBehind: false,
  isWritable: false,
  isSealed: false,
  peers: [{ nodeId: 'node', length: 1_200, held: 1_100, contiguousLength: 0, requests: 2 }],
}

it('says what there is to say of a feed', () => {
  expect(feedLines(facts)).toEqual([
    written,
    '  length    1,200 blocks, 46.1 MB',
    '  here      1,193 blocks, the first 3 without a hole',
    '  missing   3 to 7, 12, 20',
    '  written   elsewhere',
    '  peer      node  has 1,100 of 1,200 blocks',
  ])
  const own = { ...facts, held: 1_200, holes: [], peers: [], isWritable: true, fork: 1, isFrozen: true, isBehind: true }
  expect(feedLines(own).slice(2)).toEqual([
    '  here      all of it',
    '  written   here',
    '  fork      1',
    '  conflict  its writer has signed two versions of it: nothing more is taken of it',
    '  behind    others have more of it than its writer here; that is being fetched',
    '  peers     none at the moment',
  ])
  const silent = { ...facts, peers: [{ nodeId: 'node', length: 0, held: 0, contiguousLength: 0, requests: 0 }] }
  expect(feedLines(silent).at(-1)).toBe('  peer      node  has not said what it has')
  const many = { ...facts, holes: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13] }
  expect(feedLines(many)[3]).toBe('  missing   0, 2, 4, 6, 8, and 2 more holes')
  expect(feedsTable([facts])).toEqual([
    `FEED${' '.repeat(55)}BLOCKS     SIZE   HERE  PEERS  WRITTEN HERE`,
    `${written}   1,200  46.1 MB  1,193      1  no`,
  ])
})
