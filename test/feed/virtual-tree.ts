import { hashBytes } from '../../src/feed/hash.ts'
import { Frontier } from '../../src/feed/frontier.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { levelFrom, levels } from '../../src/feed/numbering.ts'
import { walkShape, type ProofShape } from '../../src/feed/proof-shape.ts'

/** A tree of any length up to 2^48 whose blocks are all the same but for a few: its nodes are computed when they are asked for. */
export class VirtualTree {
  readonly length: number
  readonly #blocks: ReadonlyMap<number, Uint8Array>
  /** What stands at each level where no block is special. */
  readonly #plain: Uint8Array[] = []

  constructor(length: number, blocks: ReadonlyMap<number, Uint8Array>) {
    this.length = length
    this.#blocks = blocks
    this.#plain.push(leaf(ordinary))
    while (this.#plain.length < levels) {
      const below = this.#plain.at(-1) as Uint8Array
      this.#plain.push(pair(below, below))
    }
  }

  block(index: number): Uint8Array {
    return this.#blocks.get(index) ?? ordinary
  }

  node(level: number, index: number): Uint8Array {
    const size = 2 ** level
    const isPlain = [...this.#blocks.keys()].every((block) => Math.floor(block / size) !== index)
    if (isPlain) return this.#plain[level] as Uint8Array
    if (level === 0) return leaf(this.block(index))
    return pair(this.node(level - 1, index * 2), this.node(level - 1, index * 2 + 1))
  }

  frontier(length: number): Frontier {
    const frontier = new Frontier(sha256)
    while (frontier.length < length) {
      const level = levelFrom(frontier.length, length)
      frontier.appendSubtree(level, this.node(level, frontier.length / 2 ** level), 0)
    }
    return frontier
  }

  prove(shape: ProofShape): Uint8Array {
    const nodes: Uint8Array[] = []
    const none = (): void => {}
    const one = (level: number, index: number): void => void nodes.push(this.node(level, index))
    const inside = shape.groupLevel === undefined ? none : one
    walkShape(shape, { known: none, open: none, close: none, outside: one, inside })
    return Uint8Array.from(nodes.flatMap((node) => [...node]))
  }
}

const ordinary = Uint8Array.of(1, 2, 3)

function leaf(block: Uint8Array): Uint8Array {
  const node = new Uint8Array(hashBytes)
  sha256.leaf(block, node, 0)
  return node
}

function pair(left: Uint8Array, right: Uint8Array): Uint8Array {
  const node = new Uint8Array(hashBytes)
  sha256.node(left, 0, right, 0, node, 0)
  return node
}
