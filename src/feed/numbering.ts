/**
 * How the nodes of a tree are numbered. A node is the root of a complete subtree: (level, index) stands above the 2^level blocks from
 * index * 2^level on. Its *position* counts nodes in the order in which appending completes them: a block, then every subtree whose last
 * block it is. So a file of nodes only ever grows at its end, what a batch adds to it is one piece, and the nodes below a node
 * stand in one piece right before it.
 *
 * Lengths go up to 2^48, above what the bit operations of JavaScript know: hence divisions.
 */

/** Blocks of the longest feed: 2^48. */
export const lengthMax: number = 2 ** 48

/** Levels of nodes: 0 .. 48. */
export const levels = 49

/** How many nodes there are above and among the first `length` blocks: where the next one will stand. */
export function nodeCount(length: number): number {
  return 2 * length - peakCount(length)
}

/** Where the node stands, counted in nodes. */
export function nodePosition(level: number, index: number): number {
  const lastBlock = (index + 1) * 2 ** level - 1
  return nodeCount(lastBlock) + level
}

/** How many complete subtrees, each as large as can be, make up `length` blocks: the bits that are set in it. */
export function peakCount(length: number): number {
  return bitCount(length % 0x1_0000_0000) + bitCount(Math.floor(length / 0x1_0000_0000))
}

/** The level of the largest complete subtree that begins at block `start` and ends before `end`, no higher than `levelMax`. */
export function levelFrom(start: number, end: number, levelMax: number = levels - 1): number {
  let level = 0
  for (let size = 2; level < levelMax && start % size === 0 && size <= end - start; size *= 2) level += 1
  return level
}

/** Bits that are set in 32. */
export function bitCount(bits: number): number {
  let rest = bits | 0
  rest -= (rest >>> 1) & 0x5555_5555
  rest = (rest & 0x3333_3333) + ((rest >>> 2) & 0x3333_3333)
  return Math.imul((rest + (rest >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24
}
