import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concatBytes, encodeHex } from '../base/bytes.ts'
import { decode, encode } from '../wire/schema.ts'
import { compareDots, dotOf, formatDot, keyFromWriter, parseDot, writerFromKey } from './dot.ts'
import type { Dot, Writer } from './dot.ts'
import { dotList } from './dot-list.ts'
import { DotSet, dotSet } from './dot-set.ts'
import { DottedClock } from './dotted-clock.ts'
import { Frontier } from './frontier.ts'
import { clockSchema, VectorClock } from './vector-clock.ts'
import { withWriters, Writers } from './writers.ts'

const malformed = expect.objectContaining({ code: 'PROTOCOL' })
const limit = expect.objectContaining({ code: 'LIMIT' })
const invalid = expect.objectContaining({ code: 'INVALID_ARGUMENT' })

const writerOf = (number: number): Writer => writerFromKey(new Uint8Array(32).fill(number))
const [ann, bob, cyd] = [writerOf(1), writerOf(2), writerOf(3)]
const table = new Writers([ann, bob, cyd])
const someWriter = fc.constantFrom(ann, bob, cyd)
const someDot: fc.Arbitrary<Dot> = fc.record({ writer: someWriter, number: fc.integer({ min: 1, max: 40 }) })

describe('a dot', () => {
  it('is written for people as NUMBER@WRITER', () => {
    const dot = dotOf(ann, 7)
    expect(parseDot(formatDot(dot))).toEqual(dot)
    for (const text of ['', '7', `0@${ann}`, `07@${ann}`, `7@${ann.slice(1)}`, `7@${ann.slice(1)}b`, `-1@${ann}`])
      expect(() => parseDot(text), text).toThrow(invalid)
  })

  it('has a writer of 32 bytes and a number from 1 to 2^48', () => {
    expect(keyFromWriter(ann)).toEqual(new Uint8Array(32).fill(1))
    for (const number of [0, -1, 1.5, Number.NaN, 2 ** 48 + 1]) expect(() => dotOf(ann, number)).toThrow(invalid)
    expect(() => writerFromKey(new Uint8Array(31))).toThrow(invalid)
    expect(() => keyFromWriter('__proto__')).toThrow(invalid)
  })

  it('comes by writer, then by number', () => {
    const dots = [dotOf(bob, 1), dotOf(ann, 10), dotOf(ann, 9)].sort(compareDots)
    expect(dots.map(formatDot)).toEqual([`9@${ann}`, `10@${ann}`, `1@${bob}`])
  })
})

describe('a vector clock', () => {
  const clock = (a: number, b: number): VectorClock =>
    new VectorClock([
      [ann, a],
      [bob, b],
    ])

  it('is before, after, equal or concurrent', () => {
    expect(clock(1, 2).compare(clock(1, 2))).toBe('equal')
    expect(clock(1, 2).compare(clock(1, 3))).toBe('before')
    expect(clock(1, 2).compare(clock(0, 2))).toBe('after')
    expect(clock(1, 2).compare(clock(2, 1))).toBe('concurrent')
    expect(new VectorClock().compare(clock(0, 0))).toBe('equal')
  })

  it('has what came up to its numbers, and takes over what another one has', () => {
    const merged = clock(1, 5)
    merged.merge(clock(3, 2))
    expect([...merged]).toEqual([...clock(3, 5)])
    expect(merged.has(dotOf(ann, 3))).toBe(true)
    expect(merged.has(dotOf(ann, 4))).toBe(false)
    expect(merged.has(dotOf(cyd, 1))).toBe(false)
    expect(merged.total()).toBe(8)
    expect(merged.covers(clock(3, 1))).toBe(true)
    expect(merged.covers(clock(4, 1))).toBe(false)
  })

  it('has one encoding, whatever the order of what it saw', () => {
    const [one, other] = [clock(300, 2), new VectorClock()]
    other.advance(dotOf(bob, 2))
    other.advance(dotOf(ann, 300))
    expect(encodeHex(other.encode())).toBe(encodeHex(one.encode()))
    expect(one.encode()).toHaveLength(1 + 64 + 1 + 3 + 2)
    expect(VectorClock.decode(one.encode()).compare(one)).toBe('equal')
  })

  it('costs two or three bytes for each writer where the writers are known', () => {
    const members = Array.from({ length: 1_000 }, (_none, index) => writerFromKey(keyOf(index)))
    const full = new VectorClock(members.map((member, index) => [member, 100 + index]))
    expect(encode(clockSchema(new Writers(members)), full).length).toBeLessThanOrEqual(2 + 3 * 1_000)
  })

  it.each([
    ['more writers than there can be', Uint8Array.of(0x81, 0x80, 1), limit],
    ['more than there are bytes', Uint8Array.of(3, 0, 1, 1, 1), malformed],
    ['a number of nothing', Uint8Array.of(1, 0, 0), malformed],
    ['a writer twice', Uint8Array.of(2, 0, 1, 0, 1), malformed],
    ['a writer who is not there', Uint8Array.of(1, 3, 1), malformed],
    ['a number above 2^48', Uint8Array.of(1, 0, ...encodedVarint(2 ** 48 + 1)), limit],
  ])('is refused with %s', (_what, bytes, error) => {
    expect(() => decode(clockSchema(table), bytes)).toThrow(error)
  })

  it('is refused with writers out of order, twice, or for nothing', () => {
    const [a, b] = [keyFromWriter(ann), keyFromWriter(bob)]
    const numbers = Uint8Array.of(2, 0, 1, 1, 1)
    expect(VectorClock.decode(concatBytes([Uint8Array.of(2), a, b, numbers])).size).toBe(2)
    for (const keys of [
      [b, a],
      [a, a],
    ])
      expect(() => VectorClock.decode(concatBytes([Uint8Array.of(2), ...keys, numbers]))).toThrow(malformed)
    expect(() => VectorClock.decode(concatBytes([Uint8Array.of(2), a, b, Uint8Array.of(1, 0, 1)]))).toThrow(malformed)
  })
})

describe('a set of dots', () => {
  it('holds what a set of texts holds, and comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(someDot, { maxLength: 60 }), fc.array(someDot, { maxLength: 60 }), (some, others) => {
        const set = new DotSet(some)
        const texts = new Set(some.map(formatDot))
        expect(set.size).toBe(texts.size)
        for (const dot of others) expect(set.has(dot)).toBe(texts.has(formatDot(dot)))
        expect([...set].map(formatDot).sort()).toEqual([...texts].sort())
        const common = set.intersection(new DotSet(others))
        const both = new Set(others.map(formatDot).filter((text) => texts.has(text)))
        expect(new Set([...common].map(formatDot))).toEqual(both)
        expect(decode(dotSet(table), encode(dotSet(table), set)).equals(set)).toBe(true)
        const all = new DotSet(others)
        all.addAll(set)
        expect(all.equals(new DotSet([...some, ...others]))).toBe(true)
      }),
    )
  })

  it('costs a few bytes for a million dots of one writer', () => {
    const set = new DotSet()
    set.addRun(ann, 1, 1_000_000)
    expect(set.size).toBe(1_000_000)
    expect(encode(dotSet(table), set)).toHaveLength(7)
  })

  it.each([
    ['more runs than there are bytes', Uint8Array.of(1, 0, 3, 0, 0), malformed],
    ['no run', Uint8Array.of(1, 0, 0), malformed],
    ['runs that touch', Uint8Array.of(1, 0, 2, 0, 0, 0, 0), malformed],
    ['more runs than there can be', Uint8Array.of(1, 0, ...encodedVarint(16_777_217)), limit],
    ['a run beyond 2^48', Uint8Array.of(1, 0, 1, 0, ...encodedVarint(2 ** 48)), limit],
    ['a writer twice', Uint8Array.of(2, 0, 1, 0, 0, 0, 1, 1, 0), malformed],
  ])('is refused with %s', (_what, bytes, error) => {
    expect(() => decode(dotSet(table), bytes)).toThrow(error)
  })
})

describe('a list of dots', () => {
  it('comes back in order', () => {
    fc.assert(
      fc.property(fc.array(someDot, { maxLength: 20 }), (some) => {
        const dots = [...new DotSet(some)]
        expect(decode(dotList(table), encode(dotList(table), dots))).toEqual(dots)
        const other = new Writers([cyd, ann, bob])
        expect(decode(dotList(other), encode(dotList(other), dots))).toEqual(dots)
        const standalone = withWriters(dotList)
        expect(decode(standalone, encode(standalone, dots))).toEqual(dots)
      }),
    )
  })

  it.each([
    ['dots out of order', Uint8Array.of(2, 0, 2, 0, 1), malformed],
    ['a dot twice', Uint8Array.of(2, 0, 2, 0, 2), malformed],
    ['the number 0', Uint8Array.of(1, 0, 0), malformed],
    ['more than there are bytes', Uint8Array.of(0xff, 0x7f, 0, 1), malformed],
    ['more than there can be', Uint8Array.from(encodedVarint(16_777_217)), limit],
    ['a number above 2^48', Uint8Array.of(1, 0, ...encodedVarint(2 ** 48 + 1)), limit],
  ])('is refused with %s', (_what, bytes, error) => {
    expect(() => decode(dotList(table), bytes)).toThrow(error)
  })
})

describe('a dotted clock', () => {
  it('is a clock, and a cloud of what came early', () => {
    const seen = new DottedClock([dotOf(ann, 1), dotOf(ann, 3), dotOf(ann, 4), dotOf(bob, 2)])
    expect([...seen.clock()]).toEqual([[ann, 1]])
    expect([...seen.cloud()].map(formatDot)).toEqual([`3@${ann}`, `4@${ann}`, `2@${bob}`])
    expect(seen.add(dotOf(ann, 2))).toBe(true)
    expect(seen.add(dotOf(ann, 2))).toBe(false)
    expect(seen.clock().at(ann)).toBe(4)
    expect([...seen.cloud()].map(formatDot)).toEqual([`2@${bob}`])
    expect(seen.copy().equals(seen)).toBe(true)
  })
})

describe('a frontier', () => {
  it('is one dot when all write in turn, and as many as wrote at the same time', () => {
    const frontier = new Frontier()
    frontier.deliver(dotOf(ann, 1), [])
    const seenByBoth = frontier.dots
    frontier.deliver(dotOf(bob, 1), seenByBoth)
    frontier.deliver(dotOf(cyd, 1), seenByBoth)
    expect(frontier.dots.map(formatDot)).toEqual([`1@${bob}`, `1@${cyd}`])
    frontier.deliver(dotOf(ann, 2), frontier.dots)
    expect(frontier.dots).toEqual([dotOf(ann, 2)])
  })

  it('costs at most 25 bytes among 1,000 members who write in turn', () => {
    const members = new Writers(Array.from({ length: 1_000 }, (_none, index) => writerFromKey(keyOf(index))))
    const last = dotOf(members.at(999), 2 ** 32)
    expect(encode(dotList(members), [last])).toHaveLength(8)
    const tenth = Array.from({ length: 100 }, (_none, index) => dotOf(members.at(index * 10), 10_000)).sort(compareDots)
    expect(encode(dotList(members), tenth).length).toBeLessThanOrEqual(1 + 100 * 3)
  })
})

function keyOf(index: number): Uint8Array {
  const key = new Uint8Array(32)
  key[0] = index
  key[1] = index >>> 8
  return key
}

function encodedVarint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128)
  return [...bytes, rest]
}
