import { assert } from '../base/assert.ts'
import { bitCount, lengthMax } from './numbering.ts'
import type { Runs } from './runs.ts'

/** Blocks of a page, and words of 32 bits that it takes when some are set and some are not. */
const pageBlocks = 1_024
const pageWords = pageBlocks / 32
/** The slot of an extent of pages that are set as a whole. */
const full = -1

/**
 * A set of block numbers up to 2^48. Pages that are set as a whole are kept as extents of any length; one that is set in part has
 * its bits in a slot of one buffer for all. So a range costs the same however long it is, and a scattered set no more than 200 bytes
 * for each 1,024 blocks in which it has something. Nothing is ever allocated by how large a number is.
 */
export class Bitmap {
  // Extents of pages in ascending order, apart from one another: first page, page behind the last one, slot.
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  readonly #slots: number[] = []
  readonly #freeSlots: number[] = []
  #words = new Uint32Array(0)
  #counts = new Uint16Array(0)
  #slotsUsed = 0
  #count = 0

  /** How many blocks are in it. */
  get count(): number {
    return this.#count
  }

  /** What its memory grows by: extents and pages, some 200 bytes each at most. */
  get extents(): number {
    return this.#starts.length
  }

  has(block: number): boolean {
    const page = Math.floor(block / pageBlocks)
    const at = this.#find(page)
    if (at === this.#starts.length || (this.#starts[at] as number) > page) return false
    const slot = this.#slots[at] as number
    if (slot === full) return true
    const bit = block - page * pageBlocks
    return ((this.#words[slot * pageWords + (bit >>> 5)] as number) & (1 << (bit & 31))) !== 0
  }

  /** Adds the blocks from `start` to before `end`. */
  add(start: number, end: number): void {
    this.#change(start, end, true)
  }

  /** Takes the blocks from `start` to before `end` out. */
  remove(start: number, end: number): void {
    this.#change(start, end, false)
  }

  /** The first block from `from` on that is in it and below `end`. */
  next(from: number, end: number = lengthMax): number | undefined {
    let at = this.#find(Math.floor(from / pageBlocks))
    for (; at < this.#starts.length; at += 1) {
      const base = (this.#starts[at] as number) * pageBlocks
      const first = Math.max(from, base)
      if (first >= end) return undefined
      const slot = this.#slots[at] as number
      if (slot === full) return first
      const bit = this.#scan(slot, first - base, 0)
      if (bit < pageBlocks) return base + bit < end ? base + bit : undefined
    }
    return undefined
  }

  /** The first block from `from` on that is not in it; 2^48 when there is none. */
  nextHole(from: number): number {
    let block = from
    for (let at = this.#find(Math.floor(from / pageBlocks)); at < this.#starts.length; at += 1) {
      const base = (this.#starts[at] as number) * pageBlocks
      if (base > block) return block
      const slot = this.#slots[at] as number
      const bit = slot === full ? pageBlocks : this.#scan(slot, block - base, 0xffff_ffff)
      if (bit < pageBlocks) return base + bit
      block = (this.#ends[at] as number) * pageBlocks
    }
    return Math.min(block, lengthMax)
  }

  /** What is in it from `start` to before `end`, the first `max` runs at most. */
  runs(start: number, end: number, max: number): Runs {
    const bounds: number[] = []
    for (let at = start; bounds.length < max * 2;) {
      const first = this.next(at, end)
      if (first === undefined) break
      at = Math.min(end, this.nextHole(first))
      bounds.push(first, at)
    }
    return bounds
  }

  /** What is in both from `start` to before `end`, the first `max` runs at most. */
  commonRuns(other: Bitmap, start: number, end: number, max: number): Runs {
    const bounds: number[] = []
    for (let at = start; bounds.length < max * 2;) {
      const here = this.next(at, end)
      const first = here === undefined ? undefined : other.next(here, end)
      if (first === undefined) break
      at = Math.min(end, this.nextHole(first), other.nextHole(first))
      if (at > first) bounds.push(first, at)
      else at = first
    }
    return bounds
  }

  clear(): void {
    this.#cut(0, Math.ceil(lengthMax / pageBlocks))
  }

  #change(start: number, end: number, isSet: boolean): void {
    assert(start >= 0 && start <= end && end <= lengthMax, 'a range of blocks')
    if (start === end) return
    let page = Math.floor(start / pageBlocks)
    let behind = Math.ceil(end / pageBlocks)
    if (behind - page === 1 && end - start < pageBlocks) {
      this.#changePage(page, start - page * pageBlocks, end - page * pageBlocks, isSet)
      return
    }
    if (start % pageBlocks !== 0) {
      this.#changePage(page, start % pageBlocks, pageBlocks, isSet)
      page += 1
    }
    if (end % pageBlocks !== 0) {
      behind -= 1
      this.#changePage(behind, 0, end % pageBlocks, isSet)
    }
    if (page >= behind) return
    const at = this.#cut(page, behind)
    if (isSet) this.#insertFull(at, page, behind)
  }

  /** Sets or unsets some blocks of one page, which becomes an extent of its own, or none, or part of a full one. */
  #changePage(page: number, from: number, to: number, isSet: boolean): void {
    let at = this.#find(page)
    const isThere = at < this.#starts.length && (this.#starts[at] as number) <= page
    const before = isThere ? (this.#slots[at] as number) : undefined
    if (before === (isSet ? full : undefined)) return
    if (before === undefined || before === full) {
      at = this.#cut(page, page + 1)
      this.#insert(at, page, page + 1, this.#takeSlot(before === full))
    }
    const slot = this.#slots[at] as number
    const count = this.#counts[slot] as number
    const after = this.#paint(slot, from, to, isSet)
    this.#counts[slot] = after
    this.#count += after - count
    if (after === 0) this.#cut(page, page + 1)
    if (after === pageBlocks) this.#insertFull(this.#cut(page, page + 1), page, page + 1)
  }

  /** Changes the bits of a slot; returns how many are set then. */
  #paint(slot: number, from: number, to: number, isSet: boolean): number {
    const words = this.#words
    let count = this.#counts[slot] as number
    for (let word = from >>> 5; word * 32 < to; word += 1) {
      const low = Math.max(0, from - word * 32)
      const high = Math.min(32, to - word * 32)
      const mask = ((high === 32 ? 0 : 1 << high) - (1 << low)) | 0
      const at = slot * pageWords + word
      const before = words[at] as number
      const after = (isSet ? before | mask : before & ~mask) >>> 0
      words[at] = after
      count += bitCount(after) - bitCount(before)
    }
    return count
  }

  /** The first bit of a slot from `from` on that is set in it, after all bits were turned that `turned` says; else `pageBlocks`. */
  #scan(slot: number, from: number, turned: number): number {
    let mask = -1 << (from & 31)
    for (let word = from >>> 5; word < pageWords; word += 1) {
      const bits = ((this.#words[slot * pageWords + word] as number) ^ turned) & mask
      if (bits !== 0) return word * 32 + 31 - Math.clz32(bits & -bits)
      mask = -1
    }
    return pageBlocks
  }

  /** The first extent that ends behind `page`. */
  #find(page: number): number {
    let low = 0
    let high = this.#ends.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] as number) > page) high = middle
      else low = middle + 1
    }
    return low
  }

  /** Takes the pages out; returns where an extent of them would stand. */
  #cut(page: number, behind: number): number {
    let at = this.#find(page)
    if (at === this.#starts.length) return at
    const start = this.#starts[at] as number
    const end = this.#ends[at] as number
    if (start < page) {
      this.#ends[at] = page
      this.#count -= (Math.min(end, behind) - page) * pageBlocks
      at += 1
      if (end > behind) this.#insert(at, behind, end, full)
      if (end >= behind) return at
    }
    let to = at
    for (; to < this.#starts.length && (this.#ends[to] as number) <= behind; to += 1) this.#drop(to)
    if (to < this.#starts.length && (this.#starts[to] as number) < behind) {
      this.#count -= (behind - (this.#starts[to] as number)) * pageBlocks
      this.#starts[to] = behind
    }
    if (to > at) for (const list of [this.#starts, this.#ends, this.#slots]) list.splice(at, to - at)
    return at
  }

  /** Counts an extent out that is about to go. */
  #drop(at: number): void {
    const slot = this.#slots[at] as number
    if (slot === full) {
      this.#count -= ((this.#ends[at] as number) - (this.#starts[at] as number)) * pageBlocks
      return
    }
    this.#count -= this.#counts[slot] as number
    this.#freeSlots.push(slot)
  }

  /** Puts a full extent where nothing is, as one with its neighbours if they are full. */
  #insertFull(at: number, page: number, behind: number): void {
    this.#count += (behind - page) * pageBlocks
    const joinsLeft = at > 0 && this.#slots[at - 1] === full && this.#ends[at - 1] === page
    const joinsRight = this.#slots[at] === full && this.#starts[at] === behind
    if (joinsLeft && joinsRight) {
      this.#ends[at - 1] = this.#ends[at] as number
      for (const list of [this.#starts, this.#ends, this.#slots]) list.splice(at, 1)
    } else if (joinsLeft) this.#ends[at - 1] = behind
    else if (joinsRight) this.#starts[at] = page
    else this.#insert(at, page, behind, full)
  }

  #insert(at: number, start: number, end: number, slot: number): void {
    this.#starts.splice(at, 0, start)
    this.#ends.splice(at, 0, end)
    this.#slots.splice(at, 0, slot)
  }

  /** A slot whose bits are all set or all not. */
  #takeSlot(isSet: boolean): number {
    const slot = this.#freeSlots.pop() ?? this.#slotsUsed++
    if (slot >= this.#counts.length) this.#grow()
    this.#words.fill(isSet ? 0xffff_ffff : 0, slot * pageWords, (slot + 1) * pageWords)
    this.#counts[slot] = isSet ? pageBlocks : 0
    this.#count += isSet ? pageBlocks : 0
    return slot
  }

  #grow(): void {
    const slots = Math.max(2, this.#counts.length * 2)
    const words = new Uint32Array(slots * pageWords)
    words.set(this.#words)
    this.#words = words
    const counts = new Uint16Array(slots)
    counts.set(this.#counts)
    this.#counts = counts
  }
}
