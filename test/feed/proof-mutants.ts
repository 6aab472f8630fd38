import { bytesEqual } from '../../src/base/bytes.ts'
import { PlaitError } from '../../src/base/error.ts'
import { checkHead, signHead, type SignedHead } from '../../src/feed/head.ts'
import { sha256 } from '../../src/feed/node/sha256.ts'
import { blockCount, hashGroup, verifyProof } from '../../src/feed/proof.ts'
import { groupsOf, type ProofShape } from '../../src/feed/proof-shape.ts'
import { sameHash } from '../../src/feed/hash.ts'
import { Tree } from '../../src/feed/tree.ts'
import { simulatedIdentity, simulatedVerify } from '../../src/identity/simulated.ts'
import type { Random } from '../../src/runtime/random.ts'

/** All that a peer sends for some blocks, and what the receiver knows by itself. */
interface Answer {
  readonly head: SignedHead
  readonly shape: ProofShape
  readonly nodes: Uint8Array
  readonly blocks: readonly Uint8Array[]
  readonly peaks: Uint8Array
}

/** What came of mutated answers. */
export interface Tally {
  readonly tried: number
  readonly accepted: readonly string[]
  /** By the code of the refusal. */
  readonly refused: ReadonlyMap<string, number>
}

const writer = simulatedIdentity(Uint8Array.of(1))
const blocks = Array.from({ length: 200 }, (_, index) => new Uint8Array(3 + (index % 40)).fill(index))
const lengths = [1, 2, 3, 7, 8, 13, 64, 100, 127, 200]
const trees = lengths.map((length) => {
  const tree = new Tree(sha256)
  tree.append(blocks.slice(0, length))
  const bytes = blocks.slice(0, length).reduce((sum, block) => sum + block.length, 0)
  return { tree, head: signHead(writer, { fork: 0, length, bytes, root: tree.root() }) }
})

/** Verifies honest answers, each with one thing changed, `amount` times. Throws when an honest one is refused. */
export function mutateProofs(random: Random, amount: number): Tally {
  const accepted: string[] = []
  const refused = new Map<string, number>()
  let tried = 0
  while (tried < amount) {
    const honest = honestAnswer(random)
    verify(honest)
    for (let turn = 0; turn < 20 && tried < amount; turn += 1) {
      const [what, mutant] = mutate(random, honest)
      if (same(mutant, honest)) continue
      tried += 1
      try {
        verify(mutant)
        accepted.push(`${what}: ${JSON.stringify(mutant.shape)} of ${JSON.stringify(honest.shape)}`)
      } catch (error) {
        if (!PlaitError.is(error)) throw error
        refused.set(error.code, (refused.get(error.code) ?? 0) + 1)
      }
    }
  }
  return { tried, accepted, refused }
}

/** As a receiver does it: the head first, then the shape and the nodes, then the blocks. */
function verify({ head, shape, nodes, blocks, peaks }: Answer): void {
  checkHead(simulatedVerify, head)
  if (!head.key.every((byte, index) => byte === writer.publicKey[index]))
    throw new PlaitError('CORRUPT', 'another feed')
  if (head.fork !== 0 || shape.length !== head.length) throw new PlaitError('PROTOCOL', 'not the length of the head')
  const trust = { peaks, root: head.root }
  if (shape.groupLevel === undefined) {
    verifyProof(sha256, shape, nodes, trust, blocks)
    return
  }
  const { groups } = verifyProof(sha256, shape, nodes, trust)
  if (blockCount(shape) !== blocks.length) throw new PlaitError('PROTOCOL', 'not the blocks of the proof')
  let at = 0
  groupsOf(shape).forEach((level, index, all) => {
    if (index % 2 !== 0) return
    const group = hashGroup(sha256, all[index + 1] as number, blocks.slice(at, at + 2 ** level))
    at += 2 ** level
    const isSame = sameHash(group.nodes, group.nodes.length - 32, groups, index * 16)
    if (!isSame) throw new PlaitError('CORRUPT', 'other blocks')
  })
}

function honestAnswer(random: Random): Answer {
  const { tree, head } = pick(random, trees)
  const { length } = head
  const start = below(random, length)
  const end = start + 1 + below(random, Math.min(length - start, 20))
  const ranges = [start, end]
  if (end + 1 < length && below(random, 2) === 0) ranges.push(end + 1, end + 2)
  const known =
    below(random, 3) === 0
      ? pick(
          random,
          lengths.filter((one) => one <= length),
        )
      : 0
  const shape: ProofShape = { known, length, ranges, groupLevel: below(random, 2) === 0 ? undefined : below(random, 4) }
  const ours = ranges.flatMap((from, at) => (at % 2 === 0 ? blocks.slice(from, ranges[at + 1]) : []))
  const peaks = known === 0 ? new Uint8Array(0) : (trees[lengths.indexOf(known)]?.tree.peaks() as Uint8Array)
  return { head, shape, nodes: tree.prove(shape), blocks: ours, peaks }
}

type Mutation = (random: Random, answer: Answer) => Answer

const mutations: Readonly<Record<string, Mutation>> = {
  'a bit of a node': (random, answer) => ({ ...answer, nodes: flipped(random, answer.nodes) }),
  'a node less': (random, answer) => ({
    ...answer,
    nodes: without(answer.nodes, below(random, 1 + answer.nodes.length / 32)),
  }),
  'a node more': (random, answer) => ({ ...answer, nodes: withOne(random, answer.nodes) }),
  'a byte less': (_random, answer) => ({ ...answer, nodes: answer.nodes.slice(0, -1) }),
  'nodes in another order': (random, answer) => ({ ...answer, nodes: rotated(random, answer.nodes) }),
  'a bit of a block': (random, answer) => changedBlock(random, answer, (block) => flipped(random, block)),
  'a block cut': (random, answer) => changedBlock(random, answer, (block) => block.slice(0, -1)),
  'two nodes as a block': (random, answer) => changedBlock(random, answer, () => answer.nodes.slice(0, 64)),
  'a block less': (_random, answer) => ({ ...answer, blocks: answer.blocks.slice(1) }),
  'a block twice': (_random, answer) => ({ ...answer, blocks: [...answer.blocks, answer.blocks[0] as Uint8Array] }),
  'a block as a node': (random, answer) => changedBlock(random, answer, (block) => leafOf(block)),
  'another place': (random, answer) => {
    const shift = 1 + below(random, 5)
    return withShape(answer, { ranges: answer.shape.ranges.map((bound) => bound + shift) })
  },
  'another range': (random, answer) => {
    const ranges = [...answer.shape.ranges]
    const at = below(random, ranges.length)
    ranges[at] = (ranges[at] as number) + (below(random, 2) === 0 ? 1 : -1)
    return withShape(answer, { ranges })
  },
  'another known length': (random, answer) => withShape(answer, { known: below(random, 200) }),
  'another length': (random, answer) => withShape(answer, { length: below(random, 250) }),
  'another length in head and proof': (random, answer) => {
    const length = Math.max(1, answer.head.length + below(random, 5) - 2)
    return { ...withShape(answer, { length }), head: { ...answer.head, length } }
  },
  'an absurd length': (_random, answer) => ({
    ...withShape(answer, { length: 2 ** 53 - 1 }),
    head: { ...answer.head, length: 2 ** 53 - 1 },
  }),
  'the head of another length': (random, answer) => ({ ...answer, head: pick(random, trees).head }),
  'another root': (random, answer) => withHead(answer, { root: flipped(random, answer.head.root) }),
  'another fork': (random, answer) => withHead(answer, { fork: 1 + below(random, 9) }),
  'other bytes': (random, answer) => withHead(answer, { bytes: answer.head.bytes + 1 + below(random, 9) }),
  'another key': (random, answer) => withHead(answer, { key: flipped(random, answer.head.key) }),
  'another signature': (random, answer) => withHead(answer, { signature: flipped(random, answer.head.signature) }),
  'a shorter signature': (_random, answer) => withHead(answer, { signature: answer.head.signature.slice(1) }),
}

const names = Object.keys(mutations)

function mutate(random: Random, answer: Answer): readonly [what: string, mutant: Answer] {
  const what = pick(random, names)
  return [what, (mutations[what] as Mutation)(random, answer)]
}

function withHead(answer: Answer, head: Partial<SignedHead>): Answer {
  return { ...answer, head: { ...answer.head, ...head } }
}

function withShape(answer: Answer, shape: Partial<ProofShape>): Answer {
  return { ...answer, shape: { ...answer.shape, ...shape } }
}

function changedBlock(random: Random, answer: Answer, change: (block: Uint8Array) => Uint8Array): Answer {
  const at = below(random, answer.blocks.length)
  return { ...answer, blocks: answer.blocks.map((block, index) => (index === at ? change(block) : block)) }
}

function leafOf(block: Uint8Array): Uint8Array {
  const leaf = new Uint8Array(32)
  sha256.leaf(block, leaf, 0)
  return leaf
}

function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  if (copy.length > 0)
    copy[below(random, copy.length)] = (copy[below(random, copy.length)] ?? 0) ^ (1 << below(random, 8))
  return copy
}

function without(nodes: Uint8Array, at: number): Uint8Array {
  return Uint8Array.of(...nodes.subarray(0, at * 32), ...nodes.subarray(at * 32 + 32))
}

function withOne(random: Random, nodes: Uint8Array): Uint8Array {
  const at = 32 * below(random, 1 + nodes.length / 32)
  const one = below(random, 2) === 0 ? nodes.subarray(0, 32) : random.bytes(32)
  return Uint8Array.of(...nodes.subarray(0, at), ...(one.length === 32 ? one : random.bytes(32)), ...nodes.subarray(at))
}

function rotated(random: Random, nodes: Uint8Array): Uint8Array {
  const at = 32 * below(random, 1 + nodes.length / 32)
  return Uint8Array.of(...nodes.subarray(at), ...nodes.subarray(0, at))
}

/** Whether nothing has changed. */
function same(mutant: Answer, honest: Answer): boolean {
  if (mutant.shape !== honest.shape && JSON.stringify(mutant.shape) !== JSON.stringify(honest.shape)) return false
  const { length, bytes, fork } = mutant.head
  if (length !== honest.head.length || bytes !== honest.head.bytes || fork !== honest.head.fork) return false
  const theirs = partsOf(honest)
  const ours = partsOf(mutant)
  return ours.length === theirs.length && ours.every((part, index) => bytesEqual(part, theirs[index] as Uint8Array))
}

function partsOf({ head, nodes, blocks }: Answer): readonly Uint8Array[] {
  return [head.key, head.root, head.signature, nodes, ...blocks]
}

function below(random: Random, bound: number): number {
  return random.uint32() % bound
}

function pick<One>(random: Random, all: readonly One[]): One {
  return all[below(random, all.length)] as One
}
