import { varintLength, writeVarint } from '../base/varint.ts'
import { refuse } from '../wire/field-path.ts'
import { beyond, malformed } from '../wire/reader.ts'
import type { Reader } from '../wire/reader.ts'
import type { Schema } from '../wire/schema.ts'
import { bounds } from './bounds.ts'
import type { Dot, Writer } from './dot.ts'
import type { WriterTable } from './writers.ts'

/** Takes dots, one after the other, the same one perhaps twice. */
export interface DotSink {
  add(dot: Dot): unknown
}

/** Any number of dots. What is kept is the runs of each writer's, so that a writer's first million costs as much as its first one. */
export class DotSet {
  /** First and last number of each run, one after the other, no two of them touching. */
  readonly #runsByWriter = new Map<Writer, number[]>()

  constructor(dots: Iterable<Dot> = []) {
    for (const dot of dots) this.add(dot)
  }

  get isEmpty(): boolean {
    return this.#runsByWriter.size === 0
  }

  /** How many dots. */
  get size(): number {
    let size = 0
    for (const runs of this.#runsByWriter.values())
      for (let at = 0; at < runs.length; at += 2) size += (runs[at + 1] as number) - (runs[at] as number) + 1
    return size
  }

  has({ writer, number }: Dot): boolean {
    const runs = this.#runsByWriter.get(writer)
    if (runs === undefined) return false
    const at = firstEnding(runs, number)
    return at < runs.length && (runs[at] as number) <= number
  }

  /** Says whether it is new. */
  add(dot: Dot): boolean {
    if (this.has(dot)) return false
    this.addRun(dot.writer, dot.number, dot.number)
    return true
  }

  addAll(other: DotSet): void {
    for (const [writer, runs] of other.#runsByWriter)
      for (let at = 0; at < runs.length; at += 2) this.addRun(writer, runs[at] as number, runs[at + 1] as number)
  }

  /** Adds a writer's dots from `first` to `last`. */
  addRun(writer: Writer, first: number, last: number): void {
    const runs = this.#runsByWriter.get(writer)
    if (runs === undefined) {
      this.#runsByWriter.set(writer, [first, last])
      return
    }
    // From the first run that ends at or touches `first` up to the last that begins at or touches `last`: all of these become one.
    const from = firstEnding(runs, first - 1)
    let to = from
    while (to < runs.length && (runs[to] as number) <= last + 1) to += 2
    if (from === to) {
      runs.splice(from, 0, first, last)
      return
    }
    const start = Math.min(first, runs[from] as number)
    const end = Math.max(last, runs[to - 1] as number)
    runs[from] = start
    runs[from + 1] = end
    if (to > from + 2) runs.splice(from + 2, to - from - 2)
  }

  /** The dots that both have, fresh. */
  intersection(other: DotSet): DotSet {
    const common = new DotSet()
    for (const [writer, runs] of this.#runsByWriter) {
      const others = other.runs(writer)
      for (let at = 0; at < runs.length; at += 2) {
        const [first, last] = [runs[at] as number, runs[at + 1] as number]
        for (let next = firstEnding(others, first); next < others.length; next += 2) {
          if ((others[next] as number) > last) break
          common.addRun(writer, Math.max(first, others[next] as number), Math.min(last, others[next + 1] as number))
        }
      }
    }
    return common
  }

  /** Up to which number a writer's dots are here without a gap; 0 when its first is not. */
  contiguous(writer: Writer): number {
    const runs = this.#runsByWriter.get(writer)
    return runs !== undefined && runs[0] === 1 ? (runs[1] as number) : 0
  }

  writers(): Iterable<Writer> {
    return this.#runsByWriter.keys()
  }

  /** First and last number of each run of a writer, in order, one after the other. */
  runs(writer: Writer): readonly number[] {
    return this.#runsByWriter.get(writer) ?? []
  }

  /** All of them, in their order. */
  *[Symbol.iterator](): Generator<Dot> {
    for (const writer of [...this.#runsByWriter.keys()].sort()) {
      const runs = this.runs(writer)
      for (let at = 0; at < runs.length; at += 2)
        for (let number = runs[at] as number; number <= (runs[at + 1] as number); number += 1) yield { writer, number }
    }
  }

  equals(other: DotSet): boolean {
    if (this.#runsByWriter.size !== other.#runsByWriter.size) return false
    for (const [writer, runs] of this.#runsByWriter) {
      const others = other.runs(writer)
      if (runs.length !== others.length || runs.some((bound, at) => bound !== others[at])) return false
    }
    return true
  }
}

/**
 * Sets of dots: the LEB128 count of their writers; for each, in ascending order of places, how far its place is from that of the one
 * before (or 0), the count of its runs, and for each run how many numbers lie before it and how many it has, less one.
 */
export function dotSet(writers: WriterTable): Schema<DotSet> {
  return {
    bytesMin: 1,
    openEnded: false,
    measure: (set) => walk(set, writers, 0, (_at, value) => varintLength(value)),
    write: (set, out, offset) => walk(set, writers, offset, (at, value) => writeVarint(out, at, value) - at),
    read: (reader) => readSet(reader, writers),
    describe: () => ({ type: 'set of dots', bound: `at most ${bounds.runs} runs` }),
  }
}

/** Gives the numbers that stand for a set to `put`, which says how many bytes each takes; returns where they end. */
function walk(set: DotSet, table: WriterTable, start: number, put: (at: number, value: number) => number): number {
  const places = Array.from(set.writers(), (writer) => ({ index: table.indexOf(writer), runs: set.runs(writer) }))
  places.sort((left, right) => left.index - right.index)
  if (places.reduce((sum, { runs }) => sum + runs.length / 2, 0) > bounds.runs) refuse('too many runs of dots')
  let at = start + put(start, places.length)
  let placeBefore = 0
  for (const { index, runs } of places) {
    at += put(at, index - placeBefore)
    at += put(at, runs.length / 2)
    placeBefore = index
    let before = 0
    for (let run = 0; run < runs.length; run += 2) {
      const [first, last] = [runs[run] as number, runs[run + 1] as number]
      at += put(at, first - before - 1)
      at += put(at, last - first)
      before = last
    }
  }
  return at
}

function readSet(reader: Reader, writers: WriterTable): DotSet {
  const count = reader.varint()
  if (count > bounds.writers) throw beyond(count, bounds.writers)
  const set = new DotSet()
  let index = 0
  let total = 0
  for (let read = 0; read < count; read += 1) {
    const step = reader.varint()
    if (read > 0 && step === 0) throw malformed('a writer twice')
    index += step
    const runs = reader.varint()
    total += runs
    if (total > bounds.runs) throw beyond(total, bounds.runs)
    if (runs === 0 || runs * 2 > reader.remaining) throw malformed(`${runs} runs in ${reader.remaining} bytes`)
    readRuns(reader, set, writers.at(index), runs)
  }
  return set
}

function readRuns(reader: Reader, set: DotSet, writer: Writer, count: number): void {
  let before = 0
  for (let run = 0; run < count; run += 1) {
    const gap = reader.varint()
    if (gap === 0 && run > 0) throw malformed('runs that touch each other')
    const first = before + gap + 1
    const last = first + reader.varint()
    if (last > bounds.number) throw beyond(last, bounds.number)
    set.addRun(writer, first, last)
    before = last
  }
}

/** Where the first run stands that ends at `number` or behind it. */
function firstEnding(runs: readonly number[], number: number): number {
  // New dots come at the end, nearly always.
  let low = 0
  let high = runs.length / 2
  if (high > 0 && (runs[runs.length - 1] as number) < number) return runs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((runs[middle * 2 + 1] as number) < number) low = middle + 1
    else high = middle
  }
  return low * 2
}
