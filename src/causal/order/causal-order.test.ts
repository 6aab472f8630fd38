import { afterEach, describe, expect, it, vi } from 'vitest'
import { Queue } from '../../base/queue.ts'
import { writerFromKey } from '../../crdt/dot.ts'
import type { Writer } from '../../crdt/dot.ts'
import { emptyBody } from './bodies.ts'
import { CausalOrder } from './causal-order.ts'
import { encodeEntry } from './entry.ts'
import { FeedTable } from './feed-table.ts'

const body = { schema: () => emptyBody, value: undefined }
const writers = (count: number): readonly Writer[] =>
  Array.from({ length: count }, (_, index) =>
    writerFromKey(
      new Uint8Array(32)
        .fill(1)
        .fill(index >> 8, 30, 31)
        .fill(index, 31),
    ),
  )

afterEach(() => {
  vi.restoreAllMocks()
})

describe('the causal order', () => {
  it('looks at what waits when the dot comes for which it waits, and at no other time', () => {
    const delivered: Writer[] = []
    const order = new CausalOrder({ delivered: ({ writer }) => delivered.push(writer), awaited: () => undefined })
    const [awaited, ...followers] = writers(301) as [Writer, ...Writer[]]
    const source = order.open(awaited)
    for (const [index, writer] of followers.entries()) {
      const follows = [{ writer: awaited, number: index + 1 }]
      order.receive(order.open(writer), encodeEntry(new FeedTable(writer), 'operation', follows, body).bytes)
    }
    expect(delivered).toEqual([])
    const looks = vi.spyOn(Queue.prototype, 'peek')
    const table = new FeedTable(awaited)
    for (const _follower of followers) order.receive(source, encodeEntry(table, 'operation', [], body).bytes)
    // Each follower stands behind what it follows.
    expect(delivered).toEqual(followers.flatMap((writer) => [awaited, writer]))
    // Two looks for each entry: at it, and at what comes behind it.
    expect(looks.mock.calls.length).toBeLessThanOrEqual(2 * delivered.length)
  })
})
