import { assert } from '../../base/assert.ts'
import type { Random } from '../random.ts'

/**
 * A stream of numbers that depends on its seed alone: xoshiro128** 1.1 by David Blackman and Sebastiano Vigna
 * (https://prng.di.unimi.it/xoshiro128starstar.c), its state filled from two FNV-1a hashes of the seed by the finalizer of
 * MurmurHash3. Not for secrets.
 */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c: number
  #d: number

  /** Any text or safe integer is a seed; 3 and '3' are the same one. */
  constructor(seed: string | number) {
    const text = String(seed)
    const low = hashText(text, 0x811c9dc5)
    const high = hashText(text, 0x2f0b4c47)
    this.#a = finalize(low + 0x9e3779b9)
    this.#b = finalize(high + 0x9e3779b9)
    this.#c = finalize(low + 0x3c6ef372)
    // The state must not be zero throughout.
    this.#d = finalize(high + 0x3c6ef372) | 1
  }

  /** A generator in a given state, to compare it with the published one. */
  static fromState(a: number, b: number, c: number, d: number): SeededRandom {
    const random = new SeededRandom(0)
    random.#a = a | 0
    random.#b = b | 0
    random.#c = c | 0
    random.#d = d | 0
    return random
  }

  uint32(): number {
    const product = Math.imul(this.#b, 5)
    const result = Math.imul((product << 7) | (product >>> 25), 9)
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result >>> 0
  }

  real(): number {
    return ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    const words = new Uint32Array(bytes.buffer, 0, length >>> 2)
    for (let index = 0; index < words.length; index += 1) words[index] = this.uint32()
    for (let index = words.length * 4; index < length; index += 1) bytes[index] = this.uint32()
    return bytes
  }

  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number {
    // Not as an assertion with this text: putting it together would cost more than the number.
    if (low > high) throw new RangeError(`a range from ${low} to ${high} is empty`)
    return low + Math.floor(this.real() * (high - low + 1))
  }

  /** A number from `low` up to `high`, spread evenly over their orders of magnitude. */
  logarithmic(low: number, high: number): number {
    return low * (high / low) ** this.real()
  }

  /** True in a part of all cases, from 0 to 1. */
  chance(part: number): boolean {
    return this.real() < part
  }

  /** One of the items. */
  pick<Item>(items: readonly Item[]): Item {
    assert(items.length > 0, 'there is nothing to pick from')
    return items[this.integer(0, items.length - 1)] as Item
  }

  /** A copy of the items in random order (Fisher and Yates). */
  shuffle<Item>(items: readonly Item[]): Item[] {
    const shuffled = [...items]
    for (let index = shuffled.length - 1; index > 0; index -= 1) {
      const other = this.integer(0, index)
      const item = shuffled[index] as Item
      shuffled[index] = shuffled[other] as Item
      shuffled[other] = item
    }
    return shuffled
  }

  /** A stream of its own that does not move this one when it is used, only when it is made. */
  fork(label: string): SeededRandom {
    return new SeededRandom(`${this.uint32()}/${this.uint32()}/${label}`)
  }
}

/** FNV-1a over the text's units, from one of two beginnings. */
function hashText(text: string, basis: number): number {
  let hash = basis
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}

function finalize(word: number): number {
  let mixed = word
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
