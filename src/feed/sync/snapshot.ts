import { encodeHex } from '../../base/bytes.ts'
import type { RemotePeer } from './shared-feed.ts'

/** What the synchronizer does with one peer. */
export interface PeerSnapshot {
  readonly id: string
  /** Bytes that may be asked for at once, and those that were and are not stored. */
  readonly windowBytes: number
  readonly owedBytes: number
  /** Undefined before the first answer. */
  readonly roundTripMs: number | undefined
  readonly bytesPerSecond: number
  /** Requests in a row that were taken from it. */
  readonly strikes: number
  /** Opened by the other side, and not known here. */
  readonly strangeFeeds: number
  readonly feeds: readonly FeedSnapshot[]
}

/** One feed with one peer. */
export interface FeedSnapshot {
  /** The first four bytes of its name, in hexadecimal: who has the whole of it can read the feed. */
  readonly name: string
  readonly isShared: boolean
  readonly isFrozen: boolean
  /** Here: blocks, those that are there, those that were asked for. */
  readonly length: number
  readonly have: number
  readonly contiguous: number
  readonly inFlight: number
  /** There, as far as it has said. */
  readonly theirLength: number
  readonly theirHave: number
  readonly requests: number
  /** Those for chunks. */
  readonly chunkRequests: number
}

/** What the synchronizer is doing: values that stay as they are. */
export function snapshotOf(peers: Iterable<RemotePeer>): readonly PeerSnapshot[] {
  return [...peers].map((peer) => ({
    id: peer.options.id,
    windowBytes: peer.window.bytes,
    owedBytes: peer.owedBytes,
    roundTripMs: Number.isFinite(peer.window.roundTripMs) ? peer.window.roundTripMs : undefined,
    bytesPerSecond: peer.window.rate * 1_000,
    strikes: peer.strikes,
    strangeFeeds: peer.strangeTags.size,
    feeds: [...peer.byReplica.values()].map(({ replica, isShared, head, have, requests, chunkRequests }) => ({
      name: encodeHex(replica.name.subarray(0, 4)),
      isShared,
      isFrozen: replica.isFrozen,
      length: replica.length,
      have: replica.have.count,
      contiguous: replica.contiguous,
      inFlight: replica.inFlight.count,
      theirLength: head?.length ?? 0,
      theirHave: have.count,
      requests: requests.size,
      chunkRequests: chunkRequests.size,
    })),
  }))
}
