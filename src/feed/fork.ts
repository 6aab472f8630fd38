import { PlaitError } from '../base/error.ts'
import { Frontier } from './frontier.ts'
import { hashBytes, sameHash, type TreeHash } from './hash.ts'
import { headsConflict, type Head } from './head.ts'
import type { FeedHead } from './sync/feed-store.ts'
import { peakCount } from './numbering.ts'
import { proofNodeCount, proofPositions, walkShape, type ProofShape } from './proof-shape.ts'
import { malformed } from '../wire/reader.ts'

/** Two heads that a writer has signed and that do not belong to one feed, and the nodes of `consistencyPositions` that prove it. */
export interface Conflict {
  readonly one: FeedHead
  readonly other: FeedHead
  readonly nodes: Uint8Array
}

/**
 * The positions of the nodes that say whether the feed of length `longer` begins with the one of length `shorter`, to who has only both
 * heads.
 */
export function consistencyPositions(shorter: number, longer: number): readonly number[] {
  return shorter === longer ? [] : proofPositions(consistencyShape(shorter, longer))
}

/**
 * Whether two heads of one feed, both of which have been checked, prove that its writer has forked it: whether the longer one does not
 * go on from the shorter one. `nodes` are those of `consistencyPositions`, in the longer one's tree. Throws `PROTOCOL` when the heads
 * are not of one feed and fork or `nodes` are not as many, and `CORRUPT` when they do not lead to the longer one's root, so that
 * nothing is proven.
 */
export function provesFork(hash: TreeHash, shorter: Head, longer: Head, nodes: Uint8Array): boolean {
  const isSame = shorter.fork === longer.fork && sameHash(shorter.key, 0, longer.key, 0)
  if (!isSame || shorter.length > longer.length) throw malformed('heads that do not belong together')
  if (shorter.length === longer.length) {
    if (nodes.length > 0) throw malformed('nodes where the roots say all')
    return headsConflict(shorter, longer)
  }
  const shape = consistencyShape(shorter.length, longer.length)
  const count = nodes.length / hashBytes
  if (proofNodeCount(shape, Math.ceil(count)) !== count)
    throw malformed(`${count} nodes, which are not those of a proof`)
  const prefixBytes = peakCount(shorter.length) * hashBytes
  const prefix = new Frontier(hash, shorter.length, nodes.subarray(0, prefixBytes)).root()
  const whole = new Frontier(hash)
  let at = 0
  const none = (): void => {}
  const append = (level: number): void => {
    whole.appendSubtree(level, nodes, at)
    at += hashBytes
  }
  walkShape(shape, { known: none, open: none, close: none, outside: append, inside: none })
  if (!sameHash(whole.root(), 0, longer.root, 0)) {
    throw new PlaitError('CORRUPT', 'the nodes do not lead to the root of the longer head', { traced: false })
  }
  return shorter.bytes > longer.bytes || !sameHash(prefix, 0, shorter.root, 0)
}

/** A range of no blocks cuts the nodes at its place and has none itself. */
function consistencyShape(shorter: number, longer: number): ProofShape {
  return { known: 0, length: longer, ranges: [shorter, shorter] }
}
