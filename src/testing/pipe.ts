import { Queue } from '../base/queue.ts'
import type { Timer } from '../runtime/timers.ts'
import type { SeededRandom } from '../runtime/simulated/random.ts'
import type { Scheduler } from '../runtime/simulated/scheduler.ts'
import type { Path } from './path.ts'
import { checksum, type Trace } from './trace.ts'

/** What one direction of a link needs of the world around it. */
export interface PipeParts {
  readonly scheduler: Scheduler
  readonly random: SeededRandom
  readonly path: Path
  readonly trace: Trace
  /** Where arriving bytes are put before they are lent; shared by all pipes, which deliver one after the other. */
  readonly slab: Uint8Array
  readonly link: number
  /** Number of the node that writes. */
  readonly source: number
  readonly violation: (text: string) => void
}

/** The end at which the bytes arrive, and what the writer is told. */
export interface PipeEnds {
  /** False before somebody listens: what arrives waits. */
  readonly isReading: () => boolean
  readonly data: (bytes: Uint8Array) => void
  /** Everything has arrived, and no more will come. */
  readonly finished: () => void
  /** Some of what was written has been taken. */
  readonly taken: () => void
}

interface Segment {
  bytes: Uint8Array
  /** What the bytes summed up to when they were lent; undefined for a copy. */
  sum: number | undefined
  readonly arrivesAt: number
}

/** Copies of what was written share memory: each would cost an allocation of its own. */
const arenaBytesMin = 1024
const arenaBytesMax = 16 * 1024

/** What a lent buffer is overwritten with when the handler has returned. */
const scribble = 0xdb

/** One direction of a link: bytes in order, after a delay, in chunks that have nothing to do with how they were written. */
export class Pipe {
  readonly #parts: PipeParts
  readonly #ends: PipeEnds
  readonly #segments = new Queue<Segment>()
  #arena: Uint8Array = new Uint8Array(0)
  #arenaUsed = 0
  #offset = 0
  #undelivered = 0
  #freeAt = 0
  #lastArrival = 0
  #timer: Timer | undefined
  #finishAt: number | undefined
  #stopped = false
  /** Waits for the end of a blockade. */
  #isHeld = false
  #isDelivering = false
  /** Bytes that are written from now on never arrive, and nobody is told: a half-open link. */
  vanishes = false

  constructor(parts: PipeParts, ends: PipeEnds) {
    this.#parts = parts
    this.#ends = ends
  }

  /** Written and not yet read at the other end. */
  get undeliveredBytes(): number {
    return this.#undelivered
  }

  /** Written and not yet taken by the operating system. */
  get pendingBytes(): number {
    return Math.max(0, this.#undelivered - this.#parts.path.conditions.socketBytes)
  }

  write(chunks: readonly Uint8Array[]): void {
    if (this.#stopped || this.#finishAt !== undefined) return
    const { trace, scheduler, source, link, path } = this.#parts
    let length = 0
    trace.record(scheduler.now, source, 'write', link)
    const sums: number[] | undefined = path.conditions.readsLate ? [] : undefined
    for (const chunk of chunks) {
      length += chunk.length
      const sum = trace.bytes(chunk)
      sums?.push(sum)
    }
    if (length === 0) return
    this.#undelivered += length
    if (this.vanishes) return
    const arrivesAt = this.#arrival(length)
    if (sums === undefined) this.#segments.push({ bytes: this.#join(chunks, length), sum: undefined, arrivesAt })
    else
      chunks.forEach((bytes, index) => bytes.length > 0 && this.#segments.push({ bytes, sum: sums[index], arrivesAt }))
    this.#schedule()
  }

  /** Says at the other end, after everything that was written, that no more will come. */
  finish(): void {
    if (this.#stopped || this.#finishAt !== undefined) return
    this.#finishAt = this.#arrival(0)
    this.#schedule()
  }

  /** The writer takes back what it has lent: what is under way is copied. */
  own(): void {
    for (const segment of this.#segments) {
      this.#check(segment)
      segment.bytes = new Uint8Array(segment.bytes)
      segment.sum = undefined
    }
  }

  /** Nothing arrives any more. */
  stop(): void {
    this.#stopped = true
    this.#undelivered = 0
    this.#segments.clear()
    this.#timer?.cancel()
  }

  /** Goes on after a blockade, or when somebody has begun to read. */
  resume(): void {
    this.#schedule()
  }

  #arrival(length: number): number {
    const { scheduler, path } = this.#parts
    const start = Math.max(scheduler.now, this.#freeAt)
    this.#freeAt = start + length / path.conditions.bytesPerMs
    this.#lastArrival = Math.max(this.#lastArrival, path.arrivalMs() + Math.floor(this.#freeAt - scheduler.now))
    return this.#lastArrival
  }

  #schedule(notBefore = 0): void {
    const next = this.#segments.peek()?.arrivesAt ?? this.#finishAt
    const isBusy = this.#timer !== undefined || this.#isHeld || this.#isDelivering
    if (this.#stopped || isBusy || next === undefined || !this.#ends.isReading()) return
    this.#timer = this.#parts.scheduler.at(Math.max(next, notBefore), () => {
      this.#timer = undefined
      this.#arrive()
    })
  }

  #arrive(): void {
    const { path, random, scheduler } = this.#parts
    if (path.isBlocked) return this.#hold()
    const { splits, gridMs } = path.conditions
    const pendingBefore = this.pendingBytes
    let pauseMs = 0
    this.#isDelivering = true
    // What is written meanwhile arrives later.
    let restBytes = this.#arrivedBytes()
    while (!this.#stopped && pauseMs === 0 && restBytes > 0) {
      const arrived = Math.min(restBytes, this.#parts.slab.length)
      const cut = splits > 0 && arrived > 1 && random.chance(splits)
      const length = cut ? random.integer(1, random.chance(0.5) ? Math.min(arrived - 1, 24) : arrived - 1) : arrived
      this.#deliver(length)
      restBytes -= length
      if (cut && random.chance(0.4)) pauseMs = gridMs * random.integer(1, 4)
    }
    this.#isDelivering = false
    if (this.#stopped) return
    if (this.pendingBytes < pendingBefore) this.#ends.taken()
    if (this.#segments.length === 0 && this.#finishAt !== undefined && this.#finishAt <= scheduler.now) {
      this.stop()
      this.#ends.finished()
    } else this.#schedule(scheduler.now + pauseMs)
  }

  #hold(): void {
    this.#isHeld = true
    this.#parts.path.whenFree(() => {
      this.#isHeld = false
      this.#schedule()
    })
  }

  /** How many bytes have arrived and were not delivered. */
  #arrivedBytes(): number {
    const { now } = this.#parts.scheduler
    let sum = 0
    for (let index = 0; index < this.#segments.length; index += 1) {
      const segment = this.#segments.at(index)
      if (segment === undefined || segment.arrivesAt > now) break
      sum += segment.bytes.length
    }
    return sum === 0 ? 0 : sum - this.#offset
  }

  /** Lends `length` bytes to the reader, and overwrites them when it has returned. */
  #deliver(length: number): void {
    const { slab } = this.#parts
    let filled = 0
    while (filled < length) {
      const segment = this.#segments.peek() as Segment
      if (this.#offset === 0) this.#check(segment)
      const isWhole = this.#offset === 0 && segment.bytes.length <= length - filled
      const part = isWhole ? segment.bytes : segment.bytes.subarray(this.#offset, this.#offset + length - filled)
      slab.set(part, filled)
      filled += part.length
      this.#offset += part.length
      if (this.#offset < segment.bytes.length) continue
      this.#segments.shift()
      this.#offset = 0
    }
    this.#undelivered -= length
    const lent = slab.subarray(0, length)
    this.#ends.data(lent)
    lent.fill(scribble)
  }

  /** A copy in one piece, next to others of the same arena. */
  #join(chunks: readonly Uint8Array[], length: number): Uint8Array {
    // All that was in it has been read.
    if (this.#segments.length === 0) this.#arenaUsed = 0
    if (this.#arenaUsed + length > this.#arena.length) {
      const grown = Math.min(arenaBytesMax, Math.max(arenaBytesMin, this.#arena.length * 2))
      this.#arena = new Uint8Array(Math.max(grown, length))
      this.#arenaUsed = 0
    }
    const start = this.#arenaUsed
    for (const chunk of chunks) {
      this.#arena.set(chunk, this.#arenaUsed)
      this.#arenaUsed += chunk.length
    }
    return this.#arena.subarray(start, this.#arenaUsed)
  }

  #check({ bytes, sum }: Segment): void {
    if (sum === undefined || this.#stopped || checksum(bytes) === sum) return
    this.#parts.violation(
      `node ${this.#parts.source} changed ${bytes.length} bytes that it had lent to link ${this.#parts.link}`,
    )
  }
}
