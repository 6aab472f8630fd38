import { hashBytes, type TreeHash } from '../hash.ts'
import { nodeCount, nodePosition } from '../numbering.ts'

/** Where nodes and blocks are read from. */
export interface NodeParts {
  readonly hash: TreeHash
  /** The node at a position; undefined when it is not there, or damaged. */
  node(position: number): Promise<Uint8Array | undefined>
  /** A block; undefined when it is not here. */
  block(index: number): Promise<Uint8Array | undefined>
}

/** How many blocks may still be read and hashed. */
export interface Budget {
  blocks: number
}

/** The node at a position: as it is stored, or computed from those below it, down to the blocks. Undefined when neither is possible. */
export async function readNode(parts: NodeParts, position: number, budget: Budget): Promise<Uint8Array | undefined> {
  const stored = await parts.node(position)
  if (stored !== undefined || budget.blocks <= 0) return stored
  const { level, index } = nodeAt(position)
  const out = new Uint8Array(hashBytes)
  if (level === 0) {
    budget.blocks -= 1
    const block = await parts.block(index)
    if (block === undefined) return undefined
    parts.hash.leaf(block, out, 0)
    return out
  }
  const left = await readNode(parts, nodePosition(level - 1, index * 2), budget)
  if (left === undefined) return undefined
  const right = await readNode(parts, nodePosition(level - 1, index * 2 + 1), budget)
  if (right === undefined) return undefined
  parts.hash.node(left, 0, right, 0, out, 0)
  return out
}

/** Which node stands at a position: the one of this level whose last block is the last one that `nodeCount` puts before it. */
export function nodeAt(position: number): { readonly level: number; readonly index: number } {
  let low = Math.floor(position / 2)
  let high = position + 1
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (nodeCount(middle) <= position) low = middle
    else high = middle
  }
  const level = position - nodeCount(low)
  return { level, index: (low + 1) / 2 ** level - 1 }
}
