import { createHash } from 'node:crypto'
import { concatBytes } from '../../src/base/bytes.ts'
import { type Dot, keyFromWriter, type Writer, writerFromKey } from '../../src/crdt/dot.ts'
import { dotList, type DotList } from '../../src/crdt/dot-list.ts'
import { Frontier } from '../../src/crdt/frontier.ts'
import { Writers } from '../../src/crdt/writers.ts'
import { array, decode, encode, fixed } from '../../src/wire/schema.ts'

/** How the members of a group take turns. */
export interface Pattern {
  /** How many of so many members write without having seen each other's operation. */
  atOnce(members: number): number
  /** Whether each round has an order of its own; otherwise all have the same one. */
  readonly byChance: boolean
}

export interface MetadataBytes {
  /** Of an operation, over all of them. */
  readonly mean: number
  /** The same over the last tenth of each member's operations. */
  readonly steady: number
  readonly most: number
  /** Of `mean`, what the keys of writers take that a feed mentions for the first time. */
  readonly keys: number
}

/** Operations of each member. */
const rounds = 100
const steadyRounds = 10

/**
 * The bytes that say what an operation follows: in each round each member writes one operation, as many at a time as the pattern says, and
 * before the next ones write they have all been delivered everywhere. What is written is read again and compared.
 */
export function metadataBytes(members: number, pattern: Pattern, seed: number): MetadataBytes {
  const feeds = Array.from({ length: members }, (_, member) => new FeedMetadata(writerOf(member)))
  const atOnce = pattern.atOnce(members)
  const random = mulberry32(seed)
  const frontier = new Frontier()
  const sizes: number[] = []
  let keyBytes = 0
  for (let round = 0; round < rounds; round += 1) {
    const order = pattern.byChance ? shuffled(feeds, random) : feeds
    for (let start = 0; start < members; start += atOnce) {
      const follows = frontier.dots
      for (const feed of order.slice(start, start + atOnce)) {
        const { dot, bytes, newWriters } = feed.write(follows)
        sizes.push(bytes.length)
        keyBytes += newWriters * keyLength
        frontier.deliver(dot, follows)
      }
    }
  }
  return {
    mean: meanOf(sizes),
    steady: meanOf(sizes.slice(-steadyRounds * members)),
    most: sizes.reduce((most, size) => Math.max(most, size), 0),
    keys: keyBytes / sizes.length,
  }
}

/** One member's feed, as the one who writes and those who read it know it. */
export class FeedMetadata {
  readonly #writer: Writer
  /** Its own writer first, then those that it has mentioned. */
  readonly #written: Writers
  readonly #read: Writers
  #number = 0

  constructor(writer: Writer) {
    this.#writer = writer
    this.#written = new Writers([writer])
    this.#read = new Writers([writer])
  }

  /**
   * The next operation, which follows `follows`. Its metadata: the LEB128 count of writers that this feed has not mentioned before and
   * their keys, then the dots by the places of their writers. Its own dot and the one before it follow from the feed.
   */
  write(follows: DotList): { readonly dot: Dot; readonly bytes: Uint8Array; readonly newWriters: number } {
    const dots = follows.filter(({ writer, number }) => writer !== this.#writer || number !== this.#number)
    const added: Writer[] = []
    for (const { writer } of dots) {
      const known = this.#written.size
      if (this.#written.add(writer) === known) added.push(writer)
    }
    const head = encode(keys, added.map(keyFromWriter))
    const bytes = concatBytes([head, encode(dotList(this.#written), dots)])
    this.#check(bytes, head.length, dots)
    this.#number += 1
    return { dot: { writer: this.#writer, number: this.#number }, bytes, newWriters: added.length }
  }

  #check(bytes: Uint8Array, headLength: number, expected: DotList): void {
    for (const key of decode(keys, bytes, 0, headLength)) this.#read.add(writerFromKey(key))
    const dots = decode(dotList(this.#read), bytes, headLength)
    const isSame = dots.every((dot, at) => dot.writer === expected[at]?.writer && dot.number === expected[at].number)
    if (dots.length !== expected.length || !isSame) throw new Error('the dots that were read are not those written')
  }
}

const keyLength = 32
const keys = array(fixed(keyLength), { max: 1_024 })

/** In an order that does not follow from the numbers, as keys are. */
function writerOf(member: number): Writer {
  return writerFromKey(createHash('sha256').update(`member ${member}`).digest())
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function shuffled<Item>(items: readonly Item[], random: () => number): readonly Item[] {
  const order = [...items]
  for (let at = order.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random() * (at + 1))
    ;[order[at], order[other]] = [order[other] as Item, order[at] as Item]
  }
  return order
}

/** Numbers in 0 .. 1 that follow from the seed. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
