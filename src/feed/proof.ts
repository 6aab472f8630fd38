import { PlaitError } from '../base/error.ts'
import { lengthMax, levels, nodePosition, peakCount } from './numbering.ts'
import { Frontier, type NodeVisitor } from './frontier.ts'
import { copyHash, hashBytes, sameHash, type TreeHash } from './hash.ts'
import { groupsOf, proofNodeCount, walkShape, type ProofShape } from './proof-shape.ts'
import { malformed } from '../wire/reader.ts'

/** What a receiver holds a proof against. */
export interface Trust {
  /** The peaks of the length that it knows, the largest first; absent when it knows none. */
  readonly peaks?: Uint8Array | undefined
  /** The root of the whole length, from a head or a name that has been verified; may be absent when the length is the known one. */
  readonly root?: Uint8Array | undefined
}

/** Nodes that are proven. */
export interface ProvenNodes {
  /** Where each of them stands, in no order; those below a group are not among them. */
  readonly positions: readonly number[]
  /** 32 bytes for each. */
  readonly hashes: Uint8Array
  /** The peaks of the whole length, the largest first: what the receiver knows from now on. */
  readonly peaks: Uint8Array
  /** The nodes by which the blocks of the ranges are verified, from left to right, 32 bytes for each. */
  readonly groups: Uint8Array
  /** What stands below each group, when its blocks were verified with the proof. */
  readonly hashed: readonly HashedGroup[]
}

/**
 * Verifies a proof, and returns all nodes that it proves. `nodes`: 32 bytes for each node that stands in it. `blocks`: those of the ranges,
 * in order, when the shape has no groups, for they are verified with it then; else each group is verified when its blocks have
 * come, by `hashGroup`. Throws `PROTOCOL` for a shape that cannot be, and for nodes or blocks that are missing or too many, before
 * anything is hashed; `CORRUPT` when they do not lead to what is trusted.
 */
export function verifyProof(
  hash: TreeHash,
  shape: ProofShape,
  nodes: Uint8Array,
  trust: Trust,
  blocks: readonly Uint8Array[] = [],
): ProvenNodes {
  checkShape(shape)
  checkCount(shape, nodes)
  if (shape.length > shape.known && trust.root === undefined) throw malformed('a proof without a head')
  const announced = shape.groupLevel === undefined ? blockCount(shape) : 0
  if (blocks.length !== announced) throw malformed(`${blocks.length} blocks where ${announced} were announced`)
  const hashed = shape.groupLevel === undefined ? hashGroups(hash, shape, blocks) : []
  const walk = new ProofWalk(hash, shape, nodes, trust.peaks ?? noPeaks, hashed)
  const peaks = walk.run()
  if (trust.root !== undefined && !sameHash(walk.whole.root(), 0, trust.root, 0)) throw corrupt()
  const { positions, hashes, groups } = walk
  return { positions, hashes: hashes.subarray(0, positions.length * hashBytes), peaks, groups, hashed }
}

/** Throws `PROTOCOL` unless the numbers of the shape can be. */
export function checkShape({ known, length, ranges }: ProofShape): void {
  if (!(known <= length && length <= lengthMax)) throw malformed(`a proof from length ${known} to length ${length}`)
  let before = -1
  for (const bound of ranges) {
    if (bound <= before) throw malformed('ranges that are empty or not in order')
    before = bound
  }
  if (ranges.length % 2 !== 0 || before > length) throw malformed('ranges beyond the length')
}

/**
 * What stands below one node of a group, hashed; `nodes` in the order of their positions, from `position` on. The last one is the
 * group's.
 */
export interface HashedGroup {
  readonly position: number
  readonly nodes: Uint8Array
}

/** Hashes the blocks below the node (level, index), all 2^level of them. */
export function hashGroup(hash: TreeHash, index: number, blocks: readonly Uint8Array[]): HashedGroup {
  return { position: nodePosition(0, index * blocks.length), nodes: new Frontier(hash).append(blocks) }
}

/** Blocks in the ranges of a shape. */
export function blockCount({ ranges }: Pick<ProofShape, 'ranges'>): number {
  return ranges.reduce((sum, bound, index) => (index % 2 === 0 ? sum - bound : sum + bound), 0)
}

/** The groups of a shape without nodes for them, computed from the blocks. */
function hashGroups(hash: TreeHash, shape: ProofShape, blocks: readonly Uint8Array[]): readonly HashedGroup[] {
  const groups = groupsOf(shape)
  const hashed: HashedGroup[] = []
  let at = 0
  for (let group = 0; group < groups.length; group += 2) {
    const size = 2 ** (groups[group] as number)
    hashed.push(hashGroup(hash, groups[group + 1] as number, blocks.slice(at, at + size)))
    at += size
  }
  return hashed
}

/** No surplus, nothing missing: what does not go into the root would be believed for nothing. */
function checkCount(shape: ProofShape, nodes: Uint8Array): void {
  const count = nodes.length / hashBytes
  const expected = proofNodeCount(shape, Math.ceil(count))
  if (count !== expected)
    throw malformed(`a proof of ${count} nodes where it has ${expected > count ? 'more' : expected}`)
}

class ProofWalk {
  readonly positions: number[] = []
  readonly hashes: Uint8Array
  readonly groups: Uint8Array
  readonly whole: Frontier
  readonly #hash: TreeHash
  readonly #shape: ProofShape
  readonly #nodes: Uint8Array
  readonly #peaks: Uint8Array
  readonly #hashed: readonly HashedGroup[]
  #nodeAt = 0
  #peakAt = 0
  #groupAt = 0

  constructor(hash: TreeHash, shape: ProofShape, nodes: Uint8Array, peaks: Uint8Array, hashed: readonly HashedGroup[]) {
    if (peaks.length !== peakCount(shape.known) * hashBytes)
      throw malformed('a proof from a length that is not known here')
    this.#hash = hash
    this.#shape = shape
    this.#nodes = nodes
    this.#peaks = peaks
    this.#hashed = hashed
    this.whole = new Frontier(hash)
    const inside = groupsOf(shape).length / 2
    this.groups = new Uint8Array(inside * hashBytes)
    // Each node that is appended is kept, and each pair that merges: fewer than were appended, the peaks among them.
    this.hashes = new Uint8Array(2 * (nodes.length + inside * hashBytes) + levels * hashBytes)
  }

  /** The peaks of the whole. */
  run(): Uint8Array {
    const keep: NodeVisitor = (level, index, bytes, at) => this.#keep(level, index, bytes, at)
    /** Within a known peak: a tree of its own, which has to come out as that peak. */
    let part: Frontier | undefined
    let start = 0
    const append = (level: number, bytes: Uint8Array, at: number): void => {
      if (part === undefined) this.whole.appendSubtree(level, bytes, at, keep)
      else
        part.appendSubtree(level, bytes, at, (top, index, node, nodeAt) =>
          keep(top, index + start / 2 ** top, node, nodeAt),
        )
    }
    walkShape(this.#shape, {
      known: (level) => this.whole.appendSubtree(level, this.#peaks, this.#takePeak()),
      open: (level, index) => {
        part = new Frontier(this.#hash)
        start = index * 2 ** level
      },
      close: (level) => {
        const at = this.#takePeak()
        if (part === undefined || !sameHash(part.peaks(), 0, this.#peaks, at)) throw corrupt()
        part = undefined
        this.whole.appendSubtree(level, this.#peaks, at)
      },
      outside: (level) => append(level, this.#nodes, this.#takeNode()),
      inside: (level) => {
        const group = this.#hashed[this.#groupAt / hashBytes]?.nodes
        const source = group ?? this.#nodes
        const at = group === undefined ? this.#takeNode() : group.length - hashBytes
        copyHash(source, at, this.groups, this.#groupAt)
        this.#groupAt += hashBytes
        append(level, source, at)
      },
    })
    return this.whole.peaks()
  }

  #keep(level: number, index: number, bytes: Uint8Array, at: number): void {
    copyHash(bytes, at, this.hashes, this.positions.length * hashBytes)
    this.positions.push(nodePosition(level, index))
  }

  #takeNode(): number {
    this.#nodeAt += hashBytes
    return this.#nodeAt - hashBytes
  }

  #takePeak(): number {
    this.#peakAt += hashBytes
    return this.#peakAt - hashBytes
  }
}

function corrupt(): PlaitError {
  return new PlaitError('CORRUPT', 'the nodes of a proof do not lead to the root that was signed', { traced: false })
}

const noPeaks = new Uint8Array(0)
