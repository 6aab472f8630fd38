import { varintLength, writeVarint } from '../base/varint.ts'
import { refuse } from '../wire/field-path.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import { compareDots, sameDot } from './dot.ts'
import type { Dot } from './dot.ts'
import type { DotSet, DotSink } from './dot-set.ts'
import type { WriterTable } from './writers.ts'

/** Few dots, in their order, each once. */
export type DotList = readonly Dot[]

/** The list with one more dot. */
export function withDot(dots: DotList, dot: Dot): DotList {
  const at = dots.findIndex((other) => compareDots(other, dot) >= 0)
  if (at < 0) return [...dots, dot]
  return sameDot(dots[at] as Dot, dot) ? dots : dots.toSpliced(at, 0, dot)
}

/** Adds the dots of a list to a set. */
export function addDots(set: DotSink, dots: DotList): void {
  for (const dot of dots) set.add(dot)
}

export function includesDot(dots: DotList, dot: Dot): boolean {
  return dots.some((other) => sameDot(other, dot))
}

/**
 * What remains of the dots of one thing when two sides that know of it meet: a dot that both have stays; one that only one of them has
 * stays unless the other has seen it, which then has removed it. `seen` and `bothSeen` are as in `Crdt.merge`. Returns `mine` when nothing
 * changes.
 */
export function mergeDots(mine: DotList, seen: DotSet, theirs: DotList, bothSeen: DotSet): DotList {
  if (isUnchanged(mine, theirs, bothSeen)) return mine
  let merged: DotList = mine.filter((dot) => includesDot(theirs, dot) || !bothSeen.has(dot))
  for (const dot of theirs) if (!seen.has(dot)) merged = withDot(merged, dot)
  return merged
}

/** Nearly always, and cheap to see. */
function isUnchanged(mine: DotList, theirs: DotList, bothSeen: DotSet): boolean {
  const [dot] = mine
  if (dot === undefined || mine.length > 1) return false
  const [other] = theirs
  return other === undefined ? !bothSeen.has(dot) : theirs.length === 1 && sameDot(dot, other)
}

/** A dot: the place of its writer in the table, and its number, LEB128 both. */
export function dotSchema(writers: WriterTable): Schema<Dot> {
  return {
    bytesMin: 2,
    openEnded: false,
    measure: (dot) => varintLength(writers.indexOf(dot.writer)) + varintLength(numberIn(dot)),
    write: (dot, out, offset) => writeVarint(out, writeVarint(out, offset, writers.indexOf(dot.writer)), dot.number),
    read: (reader) => ({ writer: writers.at(reader.varint()), number: readNumber(reader) }),
    describe: () => ({ type: 'dot', bound: '' }),
  }
}

/**
 * Dots: their LEB128 count, then for each how far its writer's place is from that of the one before (or 0), and its number; in ascending
 * order of place and number.
 */
export function dotList(writers: WriterTable): Schema<DotList> {
  return {
    bytesMin: 1,
    openEnded: false,
    measure(dots) {
      if (dots.length > bounds.dots) refuse(`${dots.length} dots are more than ${bounds.dots}`)
      let length = varintLength(dots.length)
      let before = 0
      for (const [index, number] of placed(dots, writers)) {
        length += varintLength(index - before) + varintLength(number)
        before = index
      }
      return length
    },
    write(dots, out, offset) {
      let at = writeVarint(out, offset, dots.length)
      let before = 0
      for (const [index, number] of placed(dots, writers)) {
        at = writeVarint(out, writeVarint(out, at, index - before), number)
        before = index
      }
      return at
    },
    read: (reader) => readDots(reader, writers),
    describe: () => ({ type: 'dots', bound: `at most ${bounds.dots}` }),
  }
}

function readDots(reader: Reader, writers: WriterTable): DotList {
  const count = reader.varint()
  if (count > bounds.dots) throw beyond(count, bounds.dots)
  if (count * 2 > reader.remaining) throw malformed(`${count} dots in ${reader.remaining} bytes`)
  const dots: Dot[] = []
  let index = 0
  let before = 0
  for (let read = 0; read < count; read += 1) {
    const step = reader.varint()
    const number = readNumber(reader)
    if (read > 0 && step === 0 && number <= before) throw malformed('dots that are not in order')
    index += step
    before = number
    dots.push({ writer: writers.at(index), number })
  }
  return dots.sort(compareDots)
}

/** By place in the table, which need not be the order of the writers. */
function placed(dots: DotList, writers: WriterTable): readonly (readonly [number, number])[] {
  const places = dots.map((dot) => [writers.indexOf(dot.writer), numberIn(dot)] as const)
  return places.sort((left, right) => left[0] - right[0] || left[1] - right[1])
}

function readNumber(reader: Reader): number {
  const number = reader.varint()
  if (number > bounds.number) throw beyond(number, bounds.number)
  if (number === 0) throw malformed('a dot with the number 0')
  return number
}

function numberIn({ number }: Dot): number {
  if (!Number.isInteger(number) || number < 1 || number > bounds.number) refuse(`${number} is not in 1 .. 2^48`)
  return number
}
