import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mutateProofs } from '../../test/feed/proof-mutants.ts'
import { inclusionPath, pairHash } from '../../test/feed/rfc-tree.ts'
import { VirtualTree } from '../../test/feed/virtual-tree.ts'
import { bytesEqual } from '../base/bytes.ts'
import { defaultLimits } from '../base/limits.ts'
import { SeededRandom } from '../runtime/simulated/random.ts'
import { hashBytes } from './hash.ts'
import { sha256 } from './node/sha256.ts'
import { nodePosition, peakCount } from './numbering.ts'
import { hashGroup, verifyProof } from './proof.ts'
import { groupsOf, proofNodeCount, proofPositions, type ProofShape } from './proof-shape.ts'
import { Tree } from './tree.ts'

const blocks = Array.from({ length: 300 }, (_, index) => Uint8Array.of(index & 255, index >> 8))
const whole = treeOf(300)
const corrupt = expect.objectContaining({ code: 'CORRUPT' })
const malformed = expect.objectContaining({ code: 'PROTOCOL' })

function treeOf(length: number): Tree {
  const tree = new Tree(sha256)
  tree.append(blocks.slice(0, length))
  return tree
}

function blocksOf(ranges: readonly number[]): readonly Uint8Array[] {
  return ranges.flatMap((start, index) => (index % 2 === 0 ? blocks.slice(start, ranges[index + 1]) : []))
}

/** Proves and verifies from the known length on; whether all that is proven stands in the tree. */
function holds(shape: ProofShape, tree: Tree = treeOf(shape.length)): boolean {
  const trust = { root: tree.root(), peaks: treeOf(shape.known).peaks() }
  const proven = verifyProof(sha256, shape, tree.prove(shape), trust, blocksOf(shape.ranges))
  const below = proven.hashed.every(({ position, nodes }) => {
    const positions = Array.from({ length: nodes.length / hashBytes }, (_, index) => position + index)
    return bytesEqual(tree.nodesAt(positions), nodes)
  })
  return below && bytesEqual(tree.nodesAt(proven.positions), proven.hashes) && bytesEqual(proven.peaks, tree.peaks())
}

describe('inclusion', () => {
  it('of every block of every length up to 300 is proven', () => {
    let verified = 0
    for (let length = 1; length <= 300; length += 1) {
      const tree = treeOf(length)
      const root = tree.root()
      for (let index = 0; index < length; index += 1) {
        const shape = { known: 0, length, ranges: [index, index + 1] }
        verifyProof(sha256, shape, tree.prove(shape), { root }, [blocks[index] as Uint8Array])
        verified += 1
      }
    }
    expect(verified).toBe(45_150)
  })

  it('has the nodes of the path in RFC 9162, those at the right edge unfolded', () => {
    for (const length of [1, 2, 3, 7, 8, 21, 64, 100]) {
      const tree = treeOf(length)
      for (let index = 0; index < length; index += 1) {
        const nodes = tree.prove({ known: 0, length, ranges: [index, index + 1] })
        const ours = Array.from({ length: nodes.length / 32 }, (_, at) => nodes.slice(at * 32, at * 32 + 32))
        // Peaks right of the one that the block is in are one node there: fold them.
        let folded = 0
        for (let rest = length, level = 8, start = 0; level >= 0; level -= 1) {
          if (rest < 2 ** level) continue
          if (start > index) folded += 1
          start += 2 ** level
          rest -= 2 ** level
        }
        const edge: Uint8Array[] = ours.splice(ours.length - folded)
        while (edge.length > 1) edge.push(pairHash(...(edge.splice(edge.length - 2) as [Uint8Array, Uint8Array])))
        const expected = inclusionPath(index, blocks.slice(0, length)).map(String)
        expect([...ours, ...edge].map(String).sort()).toEqual(expected.sort())
      }
    }
  })
})

describe('ranges', () => {
  it('[a, b) of every length up to 40 are proven, and all that the proof says is true', () => {
    const refuted: ProofShape[] = []
    for (let length = 0; length <= 40; length += 1) {
      const tree = treeOf(length)
      for (let start = 0; start < length; start += 1) {
        for (let end = start + 1; end <= length; end += 1) {
          const shape = { known: 0, length, ranges: [start, end] }
          if (!holds(shape, tree)) refuted.push(shape)
        }
      }
    }
    expect(refuted).toEqual([])
  })

  it('of any number and from any known length are proven', () => {
    const bounds = fc.uniqueArray(fc.nat(300), { minLength: 0, maxLength: 9 }).map((all) => all.sort((a, b) => a - b))
    fc.assert(
      fc.property(bounds, fc.nat(300), fc.nat(300), (all, one, other) => {
        const [known, length] = one < other ? [one, other] : [other, one]
        const inside = all.filter((bound) => bound <= length)
        expect(holds({ known, length, ranges: inside.slice(0, inside.length - (inside.length % 2)) })).toBe(true)
      }),
      { numRuns: 150 },
    )
  })

  it('in groups are proven before their blocks are there, and each group by its own', () => {
    for (const groupLevel of [0, 1, 3, 48]) {
      const shape = { known: 13, length: 300, ranges: [5, 77, 200, 222], groupLevel }
      const trust = { peaks: treeOf(13).peaks(), root: whole.root() }
      const { groups } = verifyProof(sha256, shape, whole.prove(shape), trust)
      const shapes = groupsOf(shape)
      expect(groups.length).toBe(shapes.length * 16)
      shapes.forEach((level, at) => {
        if (at % 2 !== 0) return
        expect(level).toBeLessThanOrEqual(groupLevel)
        const index = shapes[at + 1] as number
        const { position, nodes } = hashGroup(sha256, index, blocks.slice(index * 2 ** level, (index + 1) * 2 ** level))
        expect(position).toBe(nodePosition(0, index * 2 ** level))
        expect(nodes.slice(-32)).toEqual(groups.slice(at * 16, at * 16 + 32))
      })
    }
  })

  it('need no node where the blocks follow on what is known', () => {
    for (let known = 0; known < 100; known += 1) {
      expect(proofNodeCount({ known, length: known + 7, ranges: [known, known + 7] }, 9)).toBe(0)
    }
  })
})

describe('a proof in a tree of up to 2^48 blocks', () => {
  const places = fc.uniqueArray(fc.oneof(fc.nat(5_000), fc.integer({ min: 0, max: 2 ** 47 })), {
    minLength: 1,
    maxLength: 5,
  })

  it('has at most 128 nodes, and is verified', () => {
    fc.assert(
      fc.property(places, fc.nat(2 ** 31 - 1), fc.nat(40), (all, more, doublings) => {
        const sorted = all.toSorted((a, b) => a - b)
        const length = Math.min(2 ** 48, (sorted.at(-1) as number) + 1 + (more % 2 ** doublings))
        const special = new Map(sorted.map((place) => [place, Uint8Array.of(place % 251, 9)]))
        const tree = new VirtualTree(length, special)
        const root = tree.frontier(length).root()
        const ours = sorted.map((place) => special.get(place) as Uint8Array)
        const first = [sorted[0] as number, (sorted[0] as number) + 1]
        for (const known of [0, Math.floor(length / 3), length]) {
          const trust = { root, peaks: tree.frontier(known).peaks() }
          const shape = { known, length, ranges: first }
          const nodes = tree.prove(shape)
          expect(nodes.length / hashBytes).toBeLessThanOrEqual(defaultLimits.proofNodes)
          verifyProof(sha256, shape, nodes, trust, ours.slice(0, 1))
          const wrong = () => verifyProof(sha256, shape, nodes, trust, [Uint8Array.of(0)])
          expect(wrong).toThrow(corrupt)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is counted no further than it may be long', () => {
    const shape = { known: 0, length: 2 ** 48, ranges: [0, 2 ** 48], groupLevel: 0 }
    expect(proofNodeCount(shape, 128)).toBe(129)
    const verify = () => verifyProof(sha256, shape, new Uint8Array(128 * 32), { root: new Uint8Array(32) })
    expect(verify).toThrow(malformed)
  })

  it('is never longer than that for one range and a length that is known, nor for what leads to a new one', () => {
    const absurd = 2 ** 48 - 1
    for (const [start, end] of [
      [2 ** 47 - 1 - 2 ** 46, 2 ** 47 - 2],
      [1, absurd],
      [2 ** 46 - 1, 2 ** 46 + 1],
    ] as const) {
      expect(proofNodeCount({ known: absurd, length: absurd, ranges: [start, end] }, 999)).toBeLessThanOrEqual(94)
      expect(proofNodeCount({ known: start, length: absurd, ranges: [] }, 999)).toBeLessThanOrEqual(94)
    }
  })
})

describe('a proof is refused', () => {
  const shape = { known: 0, length: 300, ranges: [17, 19] }
  const nodes = whole.prove(shape)
  const root = whole.root()
  const ours = blocksOf(shape.ranges)
  const verify =
    (change: Partial<ProofShape>, changed = nodes, given = ours, peaks?: Uint8Array) =>
    () =>
      verifyProof(sha256, { ...shape, ...change }, changed, { root, peaks }, given)

  it('with a surplus node, wherever it stands and whatever it is', () => {
    for (let at = 0; at <= nodes.length; at += 32) {
      const surplus = Uint8Array.of(...nodes.slice(0, at), ...nodes.slice(0, 32), ...nodes.slice(at))
      expect(verify({}, surplus)).toThrow(malformed)
    }
    expect(verify({}, Uint8Array.of(...nodes, 0))).toThrow(malformed)
  })

  it('with a node that is missing', () => {
    expect(verify({}, nodes.slice(32))).toThrow(malformed)
    expect(verify({}, nodes.slice(0, -32))).toThrow(malformed)
    expect(verify({}, new Uint8Array(0))).toThrow(malformed)
  })

  it('with a block that is really two nodes', () => {
    // The tree of two blocks, seen as one whose only block is the 64 bytes above them.
    const pair = treeOf(2)
    const block = pair.nodesAt(proofPositions({ known: 0, length: 2, ranges: [0, 2], groupLevel: 0 }))
    const one = { known: 0, length: 1, ranges: [0, 1] }
    expect(() => verifyProof(sha256, one, new Uint8Array(0), { root: pair.root() }, [block])).toThrow(corrupt)
  })

  it('with a node that is really a block', () => {
    // The leaves of a tree, given as the nodes one level higher.
    const four = { known: 0, length: 4, ranges: [0, 1] }
    const leaves = treeOf(4).nodesAt([nodePosition(0, 1), nodePosition(0, 2)])
    const trust = { root: treeOf(3).root() }
    // RFC 9162 does not say the length in the root: this *is* a proof in the tree of 3, and only a head says that it has not 4.
    expect(verifyProof(sha256, four, leaves, trust, blocksOf([0, 1])).peaks).toHaveLength(32)
    expect(() => verifyProof(sha256, four, leaves, { root: treeOf(4).root() }, blocksOf([0, 1]))).toThrow(corrupt)
  })

  it('with other blocks, or more or fewer', () => {
    expect(verify({}, nodes, blocksOf([18, 20]))).toThrow(corrupt)
    expect(verify({}, nodes, ours.toReversed())).toThrow(corrupt)
    expect(verify({}, nodes, ours.slice(1))).toThrow(malformed)
    expect(verify({}, nodes, [...ours, ...ours])).toThrow(malformed)
  })

  it('with another place, another length or a length that is not known', () => {
    expect(verify({ ranges: [16, 18] })).toThrow()
    expect(verify({ ranges: [18, 20] })).toThrow()
    expect(verify({ ranges: [19, 17] })).toThrow(malformed)
    expect(verify({ ranges: [17, 17] })).toThrow(malformed)
    expect(verify({ ranges: [299, 301] })).toThrow(malformed)
    expect(verify({ length: 299 })).toThrow()
    expect(verify({ known: 8 })).toThrow(malformed)
    expect(verify({ known: 301 })).toThrow(malformed)
    expect(verify({ length: 2 ** 53 - 1 })).toThrow(malformed)
    const known = { known: 300, length: 300, ranges: [17, 19] }
    const peaks = treeOf(200).peaks().slice(0, 32)
    const others = Uint8Array.of(...peaks, ...new Uint8Array(32 * (peakCount(300) - 1)))
    expect(() => verifyProof(sha256, known, whole.prove(known), { peaks: others }, ours)).toThrow(corrupt)
  })

  it('when nobody has said what it is to lead to', () => {
    expect(() => verifyProof(sha256, shape, nodes, {}, ours)).toThrow(malformed)
  })
})

describe('F1 mutated proofs', () => {
  it('are refused, every one', () => {
    const { tried, accepted, refused } = mutateProofs(new SeededRandom('F1'), 20_000)
    expect(accepted).toEqual([])
    expect(tried).toBe(20_000)
    expect([...refused.keys()].sort()).toEqual(['CORRUPT', 'PROTOCOL'])
    expect(Math.min(...refused.values())).toBeGreaterThan(4_000)
  })
})
