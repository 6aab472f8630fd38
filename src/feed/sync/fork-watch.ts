import { PlaitError } from '../../base/error.ts'
import { consistencyPositions, provesFork, type Conflict } from '../fork.ts'
import type { TreeHash } from '../hash.ts'
import type { Head } from '../head.ts'
import type { ForkMessage } from '../messages.ts'
import type { FeedHead } from './feed-store.ts'
import type { Replica } from './replica.ts'

/**
 * Holds a head that is shorter than the one here against the tree that is stored, as far as its nodes are there. `found` is told the
 * nodes that prove a fork to everybody, if it is one.
 */
export function watchForFork(
  hash: TreeHash,
  replica: Replica,
  shorter: FeedHead,
  found: (longer: FeedHead, nodes: Uint8Array) => void,
): void {
  const { head, name: key, store } = replica
  if (head === undefined || shorter.fork !== head.fork || shorter.length >= head.length) return
  store.readNodes(consistencyPositions(shorter.length, head.length), (nodes) => {
    if (nodes === undefined) return
    if (isProven(hash, { ...shorter, key }, { ...head, key }, nodes)) found(head, nodes)
  })
}

/** Nodes that have rotted here accuse nobody. */
function isProven(hash: TreeHash, shorter: Head, longer: Head, nodes: Uint8Array): boolean {
  try {
    return provesFork(hash, shorter, longer, nodes)
  } catch (error) {
    if (!PlaitError.is(error)) throw error
    return false
  }
}

/** What proves a fork to others; undefined for heads that nobody has signed. */
export function evidenceOf({ one: shorter, other: longer, nodes }: Conflict): Omit<ForkMessage, 'feed'> | undefined {
  if (shorter.signature === undefined || longer.signature === undefined) return undefined
  return {
    fork: shorter.fork,
    shorterLength: shorter.length,
    shorterBytes: shorter.bytes,
    shorterRoot: shorter.root,
    shorterSignature: shorter.signature,
    longerLength: longer.length,
    longerBytes: longer.bytes,
    longerRoot: longer.root,
    longerSignature: longer.signature,
    nodes,
  }
}

/** The heads that somebody holds to be of a fork. */
export function headsOf(message: ForkMessage): readonly [shorter: FeedHead, longer: FeedHead] {
  const { fork, shorterLength, shorterBytes, shorterRoot, shorterSignature } = message
  const { longerLength, longerBytes, longerRoot, longerSignature } = message
  return [
    { fork, length: shorterLength, bytes: shorterBytes, root: shorterRoot, signature: shorterSignature },
    { fork, length: longerLength, bytes: longerBytes, root: longerRoot, signature: longerSignature },
  ]
}
