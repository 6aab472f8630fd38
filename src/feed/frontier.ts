import { assert } from '../base/assert.ts'
import { copyHash, hashBytes, type TreeHash } from './hash.ts'
import { levels, lengthMax, nodeCount } from './numbering.ts'

/** Is told of each node as it is completed: 32 bytes of `bytes` from `at` on, lent. */
export type NodeVisitor = (level: number, index: number, bytes: Uint8Array, at: number) => void

/**
 * The right edge of a Merkle tree as in RFC 9162, section 2.1: its peaks, which are the complete subtrees that make it up. All that has
 * to be known of a tree to append to it and to have its root, 32 bytes for each level.
 */
export class Frontier {
  readonly #hash: TreeHash
  /** The peak of each level where there is one. */
  readonly #peaks = new Uint8Array(levels * hashBytes)
  readonly #occupied = new Uint8Array(levels)
  readonly #carry = new Uint8Array(hashBytes)
  readonly #fresh = new Float64Array(levels)
  #length = 0

  /** Of no blocks; or of `length` blocks, whose peaks stand in `peaks` one behind the other, the largest first. */
  constructor(hash: TreeHash, length = 0, peaks?: Uint8Array) {
    this.#hash = hash
    if (peaks === undefined) return
    let at = 0
    for (let level = levels - 1; level >= 0; level -= 1) {
      if (Math.floor(length / 2 ** level) % 2 === 0) continue
      copyHash(peaks, at, this.#peaks, level * hashBytes)
      this.#occupied[level] = 1
      at += hashBytes
    }
    assert(at === peaks.length, 'as many peaks as the length has')
    this.#length = length
  }

  /** In blocks. */
  get length(): number {
    return this.#length
  }

  /**
   * Appends blocks, which stay the caller's. Returns the new nodes in the order of their positions, the first one's being
   * `nodeCount` of the length before: a fresh buffer that is the caller's.
   */
  append(blocks: readonly Uint8Array[]): Uint8Array {
    const before = this.#length
    assert(before + blocks.length <= lengthMax, 'a feed has at most 2^48 blocks')
    const nodes = new Uint8Array((nodeCount(before + blocks.length) - nodeCount(before)) * hashBytes)
    // Where the peaks stand that this batch has made: they are copied once, at its end.
    const fresh = this.#fresh.fill(-1)
    let at = 0
    for (const block of blocks) {
      this.#hash.leaf(block, nodes, at)
      let level = 0
      for (; this.#occupied[level] === 1; level += 1) {
        const left = fresh[level] as number
        if (left < 0) this.#hash.node(this.#peaks, level * hashBytes, nodes, at, nodes, at + hashBytes)
        else this.#hash.node(nodes, left, nodes, at, nodes, at + hashBytes)
        this.#occupied[level] = 0
        at += hashBytes
      }
      fresh[level] = at
      this.#occupied[level] = 1
      at += hashBytes
    }
    for (let level = 0; level < levels; level += 1) {
      const from = fresh[level] as number
      if (from >= 0 && this.#occupied[level] === 1) copyHash(nodes, from, this.#peaks, level * hashBytes)
    }
    this.#length = before + blocks.length
    return nodes
  }

  /** Appends the complete subtree whose node is the 32 bytes at `at`. The length has to be a multiple of its blocks. */
  appendSubtree(level: number, bytes: Uint8Array, at: number, visit?: NodeVisitor): void {
    for (let below = 0; below < level; below += 1) assert(this.#occupied[below] === 0, 'a subtree begins at its place')
    let index = this.#length / 2 ** level
    copyHash(bytes, at, this.#carry, 0)
    visit?.(level, index, this.#carry, 0)
    let top = level
    for (; this.#occupied[top] === 1; top += 1) {
      this.#hash.node(this.#peaks, top * hashBytes, this.#carry, 0, this.#carry, 0)
      this.#occupied[top] = 0
      index = Math.floor(index / 2)
      visit?.(top + 1, index, this.#carry, 0)
    }
    copyHash(this.#carry, 0, this.#peaks, top * hashBytes)
    this.#occupied[top] = 1
    this.#length += 2 ** level
  }

  /** The peaks one behind the other, the largest first; fresh. */
  peaks(): Uint8Array {
    const parts: number[] = []
    for (let level = levels - 1; level >= 0; level -= 1) if (this.#occupied[level] === 1) parts.push(level)
    const peaks = new Uint8Array(parts.length * hashBytes)
    parts.forEach((level, index) => copyHash(this.#peaks, level * hashBytes, peaks, index * hashBytes))
    return peaks
  }

  /** The root of all blocks; fresh. Of none it is the hash of nothing. */
  root(): Uint8Array {
    if (this.#length === 0) return this.#hash.digest(nothing)
    const root = new Uint8Array(hashBytes)
    let started = false
    for (let level = 0; level < levels; level += 1) {
      if (this.#occupied[level] === 0) continue
      if (started) this.#hash.node(this.#peaks, level * hashBytes, root, 0, root, 0)
      else copyHash(this.#peaks, level * hashBytes, root, 0)
      started = true
    }
    return root
  }
}

const nothing = new Uint8Array(0)
