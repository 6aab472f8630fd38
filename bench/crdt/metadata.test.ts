import { expect, test } from 'vitest'
import { encodeEntry } from '../../src/causal/order/entry.ts'
import { FeedTable } from '../../src/causal/order/feed-table.ts'
import { writerFromKey } from '../../src/crdt/dot.ts'
import { varint } from '../../src/wire/schema.ts'
import { FeedMetadata, metadataBytes } from './metadata.ts'

const key = (byte: number): Uint8Array => new Uint8Array(32).fill(byte)
const [ann, bob, eve] = [1, 2, 3].map((byte) => writerFromKey(key(byte))) as [string, string, string]
const one = (): number => 1

test('a feed writes the key of a writer once, then its place, and never what it implies itself', () => {
  const feed = new FeedMetadata(ann)
  const write = (...follows: readonly [string, number][]): number[] => [
    ...feed.write(follows.map(([writer, number]) => ({ writer, number }))).bytes,
  ]
  expect(write()).toEqual([0, 0])
  expect(write([ann, 1], [bob, 5])).toEqual([1, ...key(2), 1, 1, 5])
  expect(write([bob, 6], [eve, 300])).toEqual([1, ...key(3), 2, 1, 6, 1, 0xac, 0x02])
  expect(write([ann, 3])).toEqual([0, 0])
  expect(write([eve, 301])).toEqual([0, 1, 2, 0xad, 0x02])
})

test('it is what an entry of a group says between its kind and its body', () => {
  const [feed, table] = [new FeedMetadata(ann), new FeedTable(ann)]
  for (const follows of [[], [{ writer: bob, number: 200 }], [bob, eve].map((writer) => ({ writer, number: 300 }))]) {
    const { bytes, bodyStart } = encodeEntry(table, 'operation', follows, { schema: () => varint, value: 0 })
    expect([...feed.write(follows).bytes]).toEqual([...bytes.subarray(1, bodyStart)])
  }
})

test('in turn each operation follows one other, and its first in a feed brings a key', () => {
  // The very first follows nothing: 2 bytes, and its writer's key comes with its second.
  expect(metadataBytes(3, { atOnce: one, byChance: false }, 0)).toEqual({
    mean: (2 + 3 * 36 + (300 - 4) * 4) / 300,
    steady: 4,
    most: 36,
    keys: (3 * 32) / 300,
  })
})

test('who writes at once does not follow each other, and the next ones follow all of them', () => {
  const { most, steady } = metadataBytes(20, { atOnce: () => 10, byChance: false }, 0)
  expect(most).toBe(2 + 10 * (32 + 2))
  expect(steady).toBe(2 + 10 * 2)
})

test('chance follows from the seed', () => {
  const bytes = (seed: number): unknown => metadataBytes(10, { atOnce: one, byChance: true }, seed)
  expect(bytes(1)).toEqual(bytes(1))
  expect(bytes(1)).not.toEqual(bytes(2))
})
