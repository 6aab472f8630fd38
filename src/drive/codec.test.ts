import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PlaitError } from '../base/error.ts'
import type { ListingRecord } from './entry.ts'
import { ListingPage, readListingPage } from './listing.ts'
import {
  Pack,
  packBytes,
  packFilesMax,
  readPack,
  readStreamHead,
  smallFileBytes,
  writeStreamHead,
  type PackItem,
} from './pack.ts'
import { readWants, wantsMax, writeWants, type Want } from './want.ts'

const facts = { mode: fc.integer({ min: 0, max: 0o777 }), mtimeNs: fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }) }
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
const record: fc.Arbitrary<ListingRecord> = fc.oneof(
  fc.record({ kind: fc.constant('file' as const), path: text, ...facts, size: fc.maxSafeNat() }),
  fc.record({ kind: fc.constant('directory' as const), path: text, ...facts }),
  fc.record({ kind: fc.constant('symlink' as const), path: text, ...facts, target: text }),
  fc.record({ kind: fc.constant('skipped' as const), path: text, reason: text }),
)

it('brings listings over, whatever the names', () => {
  fc.assert(
    fc.property(fc.array(record, { maxLength: 50 }), (records) => {
      const page = new ListingPage()
      for (const each of records) expect(page.add(each)).toBe(true)
      expect([...readListingPage(page.take())]).toEqual(records)
    }),
  )
})

it('fills a page and no more', () => {
  const page = new ListingPage()
  let count = 0
  while (page.add({ kind: 'file', path: `${'x'.repeat(200)}${count}`, mode: 0, mtimeNs: 0n, size: 0 })) count += 1
  expect(count).toBeGreaterThan(150)
  expect([...readListingPage(page.take())]).toHaveLength(count)
})

it('brings wants over', () => {
  const want: fc.Arbitrary<Want> = fc.oneof(
    fc.record({ id: fc.maxSafeNat(), path: text }),
    fc.record({ id: fc.maxSafeNat(), path: text, hash }),
  )
  fc.assert(
    fc.property(fc.array(want, { maxLength: 50 }), (wants) => {
      expect(readWants(writeWants(wants))).toEqual(wants)
    }),
  )
})

it('takes as many wants as there may be, and not one more', () => {
  const wants = Array.from({ length: wantsMax + 1 }, (_, id) => ({ id, path: 'a' }))
  expect(readWants(writeWants(wants.slice(1)))).toHaveLength(wantsMax)
  expect(() => readWants(writeWants(wants))).toThrow(/more than 256 wants/)
})

it('brings packs over, and forgets what was taken back', () => {
  const version = fc.record(facts)
  const item: fc.Arbitrary<PackItem> = fc.oneof(
    fc.record({
      kind: fc.constant('file' as const),
      id: fc.nat(),
      facts: version,
      content: fc.uint8Array({ maxLength: 100 }),
      hash,
    }),
    fc.record({ kind: fc.constant('same' as const), id: fc.nat(), facts: version }),
    fc.record({ kind: fc.constant('problem' as const), id: fc.nat(), reason: text }),
  )
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), (items) => {
      const pack = new Pack(new Uint8Array(packBytes))
      for (const each of items) {
        pack.file(7, { mode: 0, mtimeNs: 0n }, 50, () => undefined)
        addTo(pack, each)
      }
      expect(pack.count).toBe(items.length)
      expect([...readPack(pack.take())]).toEqual(items)
    }),
  )
})

function addTo(pack: Pack, item: PackItem): void {
  if (item.kind === 'same') return pack.same(item.id, item.facts)
  if (item.kind === 'problem') return pack.problem(item.id, item.reason)
  pack.file(item.id, item.facts, item.content.length, (place) => {
    place.set(item.content)
    return item.hash
  })
}

it('ends a pack by bytes and by files', () => {
  const add = (pack: Pack, size: number): boolean =>
    pack.file(1, { mode: 0o644, mtimeNs: 1n }, size, () => new Uint8Array(32))
  const large = new Pack(new Uint8Array(packBytes))
  let count = 0
  for (; large.fits(smallFileBytes); count += 1) add(large, smallFileBytes)
  expect(count).toBe(3)
  const tiny = new Pack(new Uint8Array(packBytes))
  while (tiny.fits(0)) add(tiny, 0)
  expect(tiny.count).toBe(packFilesMax)
})

it('brings the head of a stream over', () => {
  fc.assert(
    fc.property(fc.nat(), fc.record(facts), fc.maxSafeNat(), (id, version, size) => {
      expect(readStreamHead(writeStreamHead({ id, facts: version, size }))).toEqual({ id, facts: version, size })
    }),
  )
})

it('refuses garbage typed, and allocates nothing for what is only claimed', () => {
  const readers = [readListingPage, readPack, readWants, readStreamHead] as const
  const spread = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && Symbol.iterator in value ? [...(value as Iterable<unknown>)] : value
  fc.assert(
    fc.property(fc.constantFrom(...readers), fc.uint8Array({ maxLength: 200 }), (read, bytes) => {
      try {
        spread(read(bytes))
      } catch (error) {
        expect(PlaitError.is(error) && ['PROTOCOL', 'LIMIT'].includes(error.code)).toBe(true)
      }
    }),
    { numRuns: 5_000 },
  )
  const claims = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)
  expect(() => [...readPack(claims)]).toThrow(expect.objectContaining({ code: 'LIMIT' }) as Error)
})
