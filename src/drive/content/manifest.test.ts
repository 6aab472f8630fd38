import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytesEqual, encodeHex } from '../../base/bytes.ts'
import { PlaitError } from '../../base/error.ts'
import { sha256 } from '../../feed/node/sha256.ts'
import { SeededRandom } from '../../runtime/simulated/random.ts'
import { Chunker, chunkBytesMax, chunkBytesMin } from './chunker.ts'
import { ManifestBuilder } from './manifest-builder.ts'
import type { NamedPage } from './manifest-builder.ts'
import { ManifestWalk } from './manifest-walk.ts'
import type { ChunkPlace, ContentName, WalkOptions } from './manifest-walk.ts'
import { decodePage, encodePage, endsPage, pageBytesMax, pageEntriesMax, pageEntriesMin } from './page.ts'

const digest = (bytes: Uint8Array): Uint8Array => sha256.digest(bytes)
const MiB = 1024 * 1024

interface Entry {
  readonly hash: Uint8Array
  readonly length: number
}

interface Manifest extends ContentName {
  readonly entries: readonly Entry[]
  readonly pages: readonly NamedPage[]
}

function manifestOf(entries: readonly Entry[]): Manifest {
  const pages: NamedPage[] = []
  const builder = new ManifestBuilder(digest, (page) => pages.push(page))
  for (const { hash, length } of entries) builder.add(hash, length)
  return { root: builder.finish(), size: entries.reduce((sum, { length }) => sum + length, 0), entries, pages }
}

/** Chunks that nobody has: only their names matter here. */
function randomEntries(count: number, seed: string): readonly Entry[] {
  const random = new SeededRandom(seed)
  return Array.from({ length: count }, (_none, index) => {
    const length = index === count - 1 ? random.integer(1, chunkBytesMax) : random.integer(chunkBytesMin, chunkBytesMax)
    return { hash: random.bytes(32), length: count <= 2 ? chunkBytesMax : length }
  })
}

function chunksOf(bytes: Uint8Array): Entry[] {
  const chunker = new Chunker()
  const entries: Entry[] = []
  let start = 0
  for (
    let cut = chunker.next(bytes, 0, bytes.length);
    cut !== undefined;
    cut = chunker.next(bytes, start, bytes.length)
  ) {
    entries.push({ hash: digest(bytes.subarray(start, cut)), length: cut - start })
    start = cut
  }
  if (start < bytes.length) entries.push({ hash: digest(bytes.subarray(start)), length: bytes.length - start })
  return entries
}

interface Walked {
  readonly places: readonly ChunkPlace[]
  /** Pages that were fetched, in this order, and how many times there was nothing to do but to wait for them. */
  readonly fetched: readonly string[]
  readonly waits: number
}

/** Goes through a manifest; pages come when nothing else can be done, all that were asked for at once. */
function walk(manifest: Manifest, options?: WalkOptions): Walked {
  const pagesByHash = new Map(manifest.pages.map((page) => [encodeHex(page.hash), page.bytes]))
  const walking = new ManifestWalk(manifest, digest, options)
  const places: ChunkPlace[] = []
  const fetched: string[] = []
  let asked: Uint8Array[] = []
  let waits = 0
  while (!walking.isDone) {
    asked.push(...walking.wanted())
    const place = walking.next()
    if (place !== undefined) {
      places.push(place)
      continue
    }
    waits += 1
    expect(asked.length).toBeGreaterThan(0)
    for (const hash of asked) {
      fetched.push(encodeHex(hash))
      walking.give(hash, pagesByHash.get(encodeHex(hash)) as Uint8Array)
    }
    asked = []
  }
  return { places, fetched, waits }
}

/** In one text: to compare lists takes longer than all else. */
const namesOf = (entries: readonly Entry[]): string =>
  entries.map(({ hash, length }) => `${encodeHex(hash)} ${length}`).join()

describe('a manifest', () => {
  it('gives back the chunks of a file in order, whatever their number', () => {
    for (const count of [2, 63, 64, 65, 1_000, 1_025, 50_000]) {
      const manifest = manifestOf(randomEntries(count, `count ${count}`))
      const { places, fetched } = walk(manifest)
      expect(namesOf(places) === namesOf(manifest.entries)).toBe(true)
      let offset = 0
      for (const place of places) {
        if (place.offset !== offset) expect(place.offset).toBe(offset)
        offset += place.length
      }
      expect(fetched.length).toBe(manifest.pages.length)
      expect(manifest.pages.at(-1)?.hash).toEqual(manifest.root)
    }
  })

  it('asks for pages ahead: two levels cost a wait each, and then one for every eight pages', () => {
    const manifest = manifestOf(randomEntries(100_000, 'ahead'))
    const { waits } = walk(manifest)
    const leaves = manifest.pages.filter(({ level }) => level === 0).length
    expect(leaves).toBeGreaterThan(200)
    expect(waits).toBeLessThan(leaves / 4)
  })

  it('is one page above chunks, none above a page alone', () => {
    // A level whose only page is cut at its very last entry.
    const entries = [...randomEntries(70, 'cut')].slice(0, 69).map((entry, index) => {
      const hash = entry.hash.slice()
      hash[0] = index === 68 ? 0 : 1
      return { ...entry, hash }
    })
    const manifest = manifestOf(entries)
    expect(manifest.pages).toHaveLength(1)
    expect(manifest.pages[0]?.hash).toEqual(manifest.root)
    expect(walk(manifest).places).toHaveLength(69)
  })

  it('of a file that repeats itself has few pages', () => {
    const entry = { hash: digest(new Uint8Array(chunkBytesMax)), length: chunkBytesMax }
    const manifest = manifestOf(Array.from({ length: 50_000 }, () => entry))
    expect(new Set(manifest.pages.map(({ hash }) => encodeHex(hash))).size).toBeLessThan(6)
    const { places } = walk(manifest)
    expect(places).toHaveLength(50_000)
    expect(places.at(-1)?.offset).toBe(49_999 * chunkBytesMax)
  })

  it('of a file of one chunk is no page, and of an empty one nothing', () => {
    const root = digest(new Uint8Array(3))
    expect([...walk({ root, size: 3, entries: [], pages: [] }).places]).toEqual([{ hash: root, length: 3, offset: 0 }])
    expect(walk({ root, size: 0, entries: [], pages: [] }).places).toEqual([])
  })

  it('gives only what has bytes of a range, by only the pages that lead there', () => {
    const manifest = manifestOf(randomEntries(20_000, 'range'))
    const all = walk(manifest).places
    const place = fc.integer({ min: 0, max: manifest.size })
    fc.assert(
      fc.property(place, fc.integer({ min: 0, max: 10 * MiB }), (start, length) => {
        const end = Math.min(manifest.size, start + length)
        const { places, fetched } = walk(manifest, { range: { start, end } })
        const expected = all.filter(({ offset, length: bytes }) => offset < end && offset + bytes > start)
        expect(places.map(({ offset }) => offset)).toEqual(expected.map(({ offset }) => offset))
        expect(fetched.length).toBeLessThan(8)
      }),
      { numRuns: 100 },
    )
  })
})

describe('a change', () => {
  it('of 1 KiB in 64 MiB makes at most two new chunks and two new pages', () => {
    const random = new SeededRandom('insertion')
    const bytes = random.bytes(64 * MiB)
    const before = manifestOf(chunksOf(bytes))
    const known = new Set([...before.entries, ...before.pages].map(({ hash }) => encodeHex(hash)))
    const changed = new Uint8Array(bytes.length + 1024)
    for (let round = 0; round < 4; round += 1) {
      const at = random.integer(0, bytes.length)
      changed.set(bytes.subarray(0, at))
      changed.set(random.bytes(1024), at)
      changed.set(bytes.subarray(at), at + 1024)
      const after = manifestOf(chunksOf(changed))
      const isNew = ({ hash }: { readonly hash: Uint8Array }): boolean => !known.has(encodeHex(hash))
      expect(after.entries.filter(isNew).length).toBeLessThanOrEqual(2)
      expect(after.pages.filter(isNew).length).toBeLessThanOrEqual(2)
    }
  })

  it('of one chunk among 100,000 makes new only its page, a neighbour at most, and what is above', () => {
    const entries = randomEntries(100_000, 'change')
    const known = new Set(manifestOf(entries).pages.map(({ hash }) => encodeHex(hash)))
    const random = new SeededRandom('where')
    for (let round = 0; round < 20; round += 1) {
      const changed = [...entries]
      changed.splice(random.integer(0, 99_000), random.integer(0, 1), { hash: random.bytes(32), length: chunkBytesMax })
      const fresh = manifestOf(changed).pages.filter(({ hash }) => !known.has(encodeHex(hash)))
      expect(fresh.filter(({ level }) => level === 0).length).toBeLessThanOrEqual(2)
      expect(fresh.length).toBeLessThanOrEqual(5)
      expect(fresh.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThan(80_000)
    }
  })
})

describe('a hostile page', () => {
  const manifest = manifestOf(randomEntries(5_000, 'hostile'))
  const first = manifest.pages.find(({ level }) => level === 0) as NamedPage
  const firstLength = decodePage(first.bytes, { level: 0, length: lengthOf(first), isLast: false }).lengths.reduce(
    (a, b) => a + b,
    0,
  )
  const place = { level: 0, length: firstLength, isLast: false }

  function lengthOf({ bytes }: NamedPage): number {
    let sum = 0
    for (let at = 1; at < bytes.length;) {
      at += 32
      let scale = 1
      for (let more = true; more; at += 1, scale *= 128) {
        sum += ((bytes[at] as number) & 127) * scale
        more = (bytes[at] as number) >= 128
      }
    }
    return sum
  }

  it('is refused with a code when it is cut short or changed anywhere', () => {
    let kept = 0
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: first.bytes.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: first.bytes.length }),
        (at, change, length) => {
          const bytes = first.bytes.slice(0, length)
          if (at < length) bytes[at] = (bytes[at] as number) ^ change
          try {
            decodePage(bytes, place)
            kept += 1
          } catch (error) {
            expect(PlaitError.is(error) && ['PROTOCOL', 'LIMIT'].includes(error.code)).toBe(true)
          }
        },
      ),
      { numRuns: 5_000 },
    )
    // Another hash is another page, if it is not one that would have been cut there.
    expect(kept).toBeLessThan(50)
  })

  it('is refused when random bytes claim to be one', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.boolean(),
        fc.option(fc.nat(7), { nil: undefined }),
        (bytes, isLast, level) => {
          try {
            decodePage(bytes, { level, length: 1_000_000, isLast })
          } catch (error) {
            expect(PlaitError.is(error)).toBe(true)
          }
        },
      ),
      { numRuns: 5_000 },
    )
  })

  const page = (
    count: number,
    { level = 0, length = chunkBytesMax, last = 0xff }: { level?: number; length?: number; last?: number } = {},
  ): Uint8Array => {
    const hashes = new Uint8Array(32 * count).fill(1)
    hashes[32 * (count - 1)] = last
    return encodePage({ level, hashes, lengths: Array.from({ length: count }, () => length) })
  }
  const cases: readonly (readonly [string, Uint8Array, Parameters<typeof decodePage>[1], string])[] = [
    [
      'of another level',
      page(64, { last: 0, level: 1, length: 64 * chunkBytesMin }),
      { level: 0, length: 64 * 64 * chunkBytesMin, isLast: false },
      'PROTOCOL',
    ],
    ['that is cut before it should be', page(70), { level: 0, length: 70 * chunkBytesMax, isLast: false }, 'PROTOCOL'],
    [
      'that is cut too early by the rule',
      page(63, { last: 0 }),
      { level: 0, length: 63 * chunkBytesMax, isLast: false },
      'PROTOCOL',
    ],
    [
      'that goes on behind its cut',
      encodePage({
        level: 0,
        hashes: new Uint8Array(65 * 32),
        lengths: Array.from({ length: 65 }, () => chunkBytesMax),
      }),
      { level: 0, length: 65 * chunkBytesMax, isLast: true },
      'PROTOCOL',
    ],
    ['of another sum', page(64, { last: 0 }), { level: 0, length: 64 * chunkBytesMax - 1, isLast: false }, 'PROTOCOL'],
    [
      'with a chunk that is too short',
      page(64, { last: 0, length: chunkBytesMin - 1 }),
      { level: 0, length: 64 * (chunkBytesMin - 1), isLast: false },
      'PROTOCOL',
    ],
    [
      'with a chunk that is too long',
      page(2, { length: chunkBytesMax + 1 }),
      { level: undefined, length: 2 * chunkBytesMax + 2, isLast: true },
      'PROTOCOL',
    ],
    ['with an entry of no bytes', page(1, { length: 0 }), { level: 0, length: 0, isLast: true }, 'PROTOCOL'],
    ['as a root above one entry', page(1), { level: undefined, length: chunkBytesMax, isLast: true }, 'PROTOCOL'],
    [
      'of a level that no file needs',
      Uint8Array.of(8, ...new Uint8Array(33)),
      { level: undefined, length: 0, isLast: true },
      'LIMIT',
    ],
    ['without entries', Uint8Array.of(0), { level: undefined, length: 0, isLast: true }, 'PROTOCOL'],
    [
      'with more entries than one has',
      new Uint8Array(1 + 33 * (pageEntriesMax + 1)),
      { level: 0, length: 0, isLast: true },
      'LIMIT',
    ],
    ['that is too long', new Uint8Array(pageBytesMax + 1), { level: 0, length: 0, isLast: true }, 'LIMIT'],
  ]
  it.each(cases)('%s is refused', (_what, bytes, where, code) => {
    expect(() => decodePage(bytes, where)).toThrow(expect.objectContaining({ code }))
  })

  it('is not believed without its hash, nor asked for in other places', () => {
    const walking = new ManifestWalk(manifest, digest)
    const [root] = walking.wanted()
    expect(root).toEqual(manifest.root)
    expect(walking.wanted()).toEqual([])
    const bytes = manifest.pages.at(-1)?.bytes as Uint8Array
    const other = bytes.slice()
    other[5] = (other[5] as number) ^ 1
    expect(() => walking.give(manifest.root, other)).toThrow(expect.objectContaining({ code: 'CORRUPT' }))
    walking.give(first.hash, first.bytes)
    expect(walking.next()).toBeUndefined()
    walking.give(manifest.root, bytes)
    expect(walking.wanted().some((hash) => bytesEqual(hash, first.hash))).toBe(true)
  })

  it('of a size that no file has is refused before anything is asked for', () => {
    for (const size of [-1, 0.5, 2 ** 53, Infinity, Number.NaN])
      expect(() => new ManifestWalk({ size, root: manifest.root }, digest)).toThrow(
        expect.objectContaining({ code: 'LIMIT' }),
      )
  })

  it('ends where the rule says', () => {
    const zero = new Uint8Array(32)
    const one = new Uint8Array(32).fill(1)
    expect([
      endsPage(pageEntriesMin - 2, zero),
      endsPage(pageEntriesMin - 1, zero),
      endsPage(pageEntriesMin - 1, one),
    ]).toEqual([false, true, false])
    expect([endsPage(pageEntriesMax - 2, one), endsPage(pageEntriesMax - 1, one)]).toEqual([false, true])
  })
})
