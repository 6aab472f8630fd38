import { describe, expect, it } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { writerFromKey } from '../../crdt/dot.ts'
import type { Writer } from '../../crdt/dot.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { rawBody } from './bodies.ts'
import { decodeEntry, encodeEntry } from './entry.ts'
import { FeedTable } from './feed-table.ts'

const [own, ben, cat] = [1, 2, 3].map((byte) => writerFromKey(new Uint8Array(32).fill(byte))) as [
  Writer,
  Writer,
  Writer,
]
const body = (text: string): { schema: () => typeof rawBody; value: Uint8Array } => ({
  schema: () => rawBody,
  value: new TextEncoder().encode(text),
})

describe('an entry', () => {
  it('names a writer by its key once, and by its place from then on', () => {
    const [written, read] = [new FeedTable(own), new FeedTable(own)]
    const follows = [{ writer: ben, number: 3 }]
    const first = encodeEntry(written, 'operation', follows, body('a')).bytes
    const second = encodeEntry(written, 'operation', [{ writer: ben, number: 300 }], body('b')).bytes
    expect([first.length, second.length]).toEqual([1 + 1 + 32 + 3 + 1, 1 + 1 + 4 + 1])
    expect(decodeEntry(read, first)).toMatchObject({ kind: 'operation', follows })
    expect(decodeEntry(read, second)).toMatchObject({ follows: [{ writer: ben, number: 300 }] })
    expect(read.mentioned(Infinity)).toEqual([ben])
  })

  it('leaves the table as it was when it cannot be written', () => {
    const table = new FeedTable(own)
    const large = { schema: () => rawBody, value: new Uint8Array(defaultLimits.feedBlockBytes) }
    expect(() => encodeEntry(table, 'operation', [{ writer: ben, number: 1 }], large)).toThrow(
      expect.objectContaining({ code: 'LIMIT' }),
    )
    expect(table.size).toBe(1)
    expect(() => table.indexOf(ben)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  it('is refused whole, with nobody mentioned, when it names its own feed, or one writer twice', () => {
    const dots = (...all: readonly Writer[]): Uint8Array => {
      const stranger = new FeedTable(cat)
      return encodeEntry(
        stranger,
        'operation',
        all.map((writer, index) => ({ writer, number: index + 1 })),
        body('x'),
      ).bytes
    }
    for (const bytes of [dots(own), dots(ben, ben), Uint8Array.of(9, 0, 0), Uint8Array.of(1, 255, 255, 255, 127)]) {
      const table = new FeedTable(own)
      expect(() => decodeEntry(table, bytes)).toThrow(PlaitError)
      expect(table.size).toBe(1)
    }
  })

  it('survives changes of its bytes: it is read, or refused with a code', () => {
    const random = new SeededRandom('entries')
    const source = encodeEntry(
      new FeedTable(own),
      'membership',
      [
        { writer: ben, number: 7 },
        { writer: cat, number: 2 ** 40 },
      ],
      body('something'),
    ).bytes
    let refused = 0
    for (let round = 0; round < 20_000; round += 1) {
      const bytes = source.slice(0, random.integer(1, source.length))
      for (let change = random.integer(1, 3); change > 0; change -= 1)
        bytes[random.integer(0, Math.min(bytes.length, 12) - 1)] = random.integer(0, 255)
      const table = new FeedTable(own)
      try {
        decodeEntry(table, bytes)
      } catch (error) {
        expect(PlaitError.is(error)).toBe(true)
        expect(table.size).toBe(1)
        refused += 1
      }
    }
    expect(refused).toBeGreaterThan(5_000)
    expect(refused).toBeLessThan(20_000)
  })
})
