import type { FeedPeerStatus, FeedStatus } from './feed-api.ts'
import { lengthMax } from './numbering.ts'
import type { OpenFeed } from './feed.ts'
import type { Replica } from './sync/replica.ts'
import type { Synchronizer } from './sync/synchronizer.ts'

/** Holes that a status names. */
const holesMax = 64

/** What is here of a feed, and what others have of it. */
export function feedStatus(feed: OpenFeed, synchronizer: Synchronizer): FeedStatus {
  const { id, length, bytes, replica, fork } = feed
  const { have } = replica
  const peers: FeedPeerStatus[] = []
  for (const { options, byReplica } of synchronizer.peers) {
    const shared = byReplica.get(replica)
    if (shared?.isShared !== true) continue
    peers.push({
      nodeId: options.id,
      length: shared.head?.length ?? 0,
      held: shared.have.count,
      contiguousLength: shared.contiguous,
      requests: shared.requests.size,
    })
  }
  return {
    id,
    length,
    bytes,
    fork,
    contiguousLength: replica.contiguous,
    held: have.count,
    holes: holesOf(replica, length),
    isFrozen: replica.isFrozen,
    isBehind: replica.isWriter && replica.isBehind,
    peers,
  }
}

function holesOf({ have, first }: Replica, length: number): readonly number[] {
  const holes: number[] = []
  for (let at = have.nextHole(first); at < length && holes.length < 2 * holesMax;) {
    const end = have.next(at, lengthMax) ?? length
    holes.push(at, Math.min(end, length))
    at = have.nextHole(end)
  }
  return holes
}
