import { levelFrom, nodePosition } from './numbering.ts'

/**
 * What a proof is about. Everything about it but the hashes follows from this: which nodes it has, how many, and in which order. So a proof
 * has one encoding, and there is no way to say in it what a node is.
 */
export interface ProofShape {
  /** The length whose peaks the receiver has verified already; 0 when it knows nothing. At most `length`. */
  readonly known: number
  /** The length of the tree. */
  readonly length: number
  /** Starts and ends of the ranges of blocks, in turn: ascending, apart from one another, not empty, at most `length`. */
  readonly ranges: readonly number[]
  /**
   * The largest level of the nodes within the ranges, which stand in the proof, so that the blocks below each can be verified when they
   * have come. Undefined: none of them stands in it; the receiver computes them from the blocks, which are all there.
   */
  readonly groupLevel?: number | undefined
}

/** What a tree of `length` blocks is made of, from left to right. */
export interface ShapeVisitor {
  /** A peak that the receiver knows, and below which no range has anything. */
  known(level: number, index: number): void
  /** One below which ranges have something follows in its parts, up to `close`. */
  open(level: number, index: number): void
  close(level: number, index: number): void
  /** A node without blocks of a range below it. */
  outside(level: number, index: number): void
  /** A node with blocks of a range below it and no others. */
  inside(level: number, index: number): void
}

/** Visits the parts; stops early when `done` says so. */
export function walkShape(shape: ProofShape, visitor: ShapeVisitor, done: () => boolean = never): void {
  const { known, length } = shape
  const cursor = { shape, range: 0 }
  for (let at = 0; at < known && !done();) {
    const level = levelFrom(at, known)
    const end = at + 2 ** level
    const index = at / 2 ** level
    if (touches(cursor, at, end)) {
      visitor.open(level, index)
      cover(cursor, at, end, visitor, done)
      visitor.close(level, index)
    } else visitor.known(level, index)
    at = end
  }
  cover(cursor, known, length, visitor, done)
}

/** How many nodes stand in the proof; no more than one above `max` are counted. */
export function proofNodeCount(shape: ProofShape, max: number): number {
  let count = 0
  const one = (): void => void (count += 1)
  const inside = shape.groupLevel === undefined ? nothing : one
  walkShape(shape, { known: nothing, open: nothing, close: nothing, outside: one, inside }, () => count > max)
  return count
}

/** The positions of the nodes that stand in the proof, in its order. */
export function proofPositions(shape: ProofShape): readonly number[] {
  const positions: number[] = []
  const one = (level: number, index: number): void => void positions.push(nodePosition(level, index))
  const inside = shape.groupLevel === undefined ? nothing : one
  walkShape(shape, { known: nothing, open: nothing, close: nothing, outside: one, inside })
  return positions
}

/** The groups of the ranges, each as the level and the index of its node in turn: what blocks are verified by. */
export function groupsOf(shape: ProofShape): readonly number[] {
  const groups: number[] = []
  const inside = (level: number, index: number): void => void groups.push(level, index)
  walkShape(shape, { known: nothing, open: nothing, close: nothing, outside: nothing, inside })
  return groups
}

interface Cursor {
  readonly shape: ProofShape
  /** Of the first range that ends behind what has been visited, twice its number. */
  range: number
}

/** Whether a range has something in `start` .. `end`. */
function touches(cursor: Cursor, start: number, end: number): boolean {
  const { ranges } = cursor.shape
  while (cursor.range < ranges.length && (ranges[cursor.range + 1] as number) <= start) cursor.range += 2
  return cursor.range < ranges.length && (ranges[cursor.range] as number) < end
}

/** Visits `start` .. `end` as nodes that are as large as can be. */
function cover(cursor: Cursor, start: number, end: number, visitor: ShapeVisitor, done: () => boolean): void {
  const { ranges, groupLevel } = cursor.shape
  for (let at = start; at < end && !done();) {
    const next = touches(cursor, at, end) ? (ranges[cursor.range] as number) : end
    const isInside = next <= at
    const stop = isInside ? Math.min(end, ranges[cursor.range + 1] as number) : next
    const level = levelFrom(at, stop, isInside ? groupLevel : undefined)
    if (isInside) visitor.inside(level, at / 2 ** level)
    else visitor.outside(level, at / 2 ** level)
    at += 2 ** level
  }
}

function nothing(): void {}

function never(): boolean {
  return false
}
