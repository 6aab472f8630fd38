import { assert } from '../base/assert.ts'
import { Frontier } from './frontier.ts'
import { copyHash, hashBytes, type TreeHash } from './hash.ts'
import { proofPositions, type ProofShape } from './proof-shape.ts'

/** A whole tree in memory: one buffer of 32 bytes for each node, in the order of positions. For small sealed feeds, and for tests. */
export class Tree {
  readonly #frontier: Frontier
  #nodes = new Uint8Array(64 * hashBytes)
  #bytesUsed = 0

  constructor(hash: TreeHash) {
    this.#frontier = new Frontier(hash)
  }

  /** In blocks. */
  get length(): number {
    return this.#frontier.length
  }

  append(blocks: readonly Uint8Array[]): void {
    const added = this.#frontier.append(blocks)
    const used = this.#bytesUsed + added.length
    if (used > this.#nodes.length) {
      const larger = new Uint8Array(Math.max(used, this.#nodes.length * 2))
      larger.set(this.#nodes.subarray(0, this.#bytesUsed))
      this.#nodes = larger
    }
    this.#nodes.set(added, this.#bytesUsed)
    this.#bytesUsed = used
  }

  root(): Uint8Array {
    return this.#frontier.root()
  }

  peaks(): Uint8Array {
    return this.#frontier.peaks()
  }

  /** The nodes at these positions, one behind the other; fresh. */
  nodesAt(positions: readonly number[]): Uint8Array {
    const nodes = new Uint8Array(positions.length * hashBytes)
    positions.forEach((position, index) => {
      assert(position * hashBytes < this.#bytesUsed, 'a node of this tree')
      copyHash(this.#nodes, position * hashBytes, nodes, index * hashBytes)
    })
    return nodes
  }

  /** The nodes that prove what `shape` says. */
  prove(shape: ProofShape): Uint8Array {
    return this.nodesAt(proofPositions(shape))
  }
}
