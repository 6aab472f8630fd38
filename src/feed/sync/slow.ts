import { canAnswer, requestsOf, type AnyRequest } from './answering.ts'
import type { Peers } from './peers.ts'
import type { RemotePeer, SharedFeed } from './shared-feed.ts'

/** Nothing has come of a request for so long: it is handed to others. */
const stallMsMin = 1_000
/** How slow an answer may be altogether, in bytes for each ms, before others are asked. */
const rateMin = 8
/** What is expected of who has not shown its rate yet. */
const rateGuess = 32
/** Requests of one peer that were taken from it in a row; then it is dead. */
const strikesMax = 4
/** How many times as long a request waits when nobody else could answer it. */
const patience = 10
/** How long a peer that was slow is asked for nothing, for each time in a row. */
const restMs = 2_000

/** A request that others should answer. */
export interface SlowRequest {
  readonly peer: RemotePeer
  readonly shared: SharedFeed
  readonly number: number
  /** It was the last straw. */
  readonly isDead: boolean
}

/** The requests that do not move, or hardly, though others could answer them; or that have not moved for very long. */
export function findSlow(peers: readonly RemotePeer[], now: number): readonly SlowRequest[] {
  const slow: SlowRequest[] = []
  for (const peer of peers) {
    const { roundTripMs } = peer.window
    const stallMs = Math.max(stallMsMin, Number.isFinite(roundTripMs) ? 8 * roundTripMs : 0)
    const last = lastProgress(peer)
    for (const shared of peer.byReplica.values()) {
      for (const request of requestsOf(shared)) {
        // Those behind others of the same peer wait their turn: what counts is that anything comes.
        const silentMs = now - Math.max(request.sentAt, last)
        const trickleMs = stallMs + (request.receivedBytes + peer.owedBytes) / rateMin
        const quietMs = stallMs + wholeMs(peer, request)
        const isSlow = silentMs >= quietMs || now - request.sentAt >= trickleMs
        if (isSlow && (silentMs >= patience * quietMs || hasOther(peers, peer, shared, request, now)))
          slow.push({ peer, shared, number: request.number, isDead: peer.strikes >= strikesMax })
      }
    }
  }
  return slow
}

/** Whether another peer could answer, and is not resting. */
function hasOther(
  peers: readonly RemotePeer[],
  peer: RemotePeer,
  { replica }: SharedFeed,
  request: AnyRequest,
  now: number,
): boolean {
  return peers.some(
    (other) => other !== peer && other.restsUntil <= now && canAnswer(other.byReplica.get(replica), request),
  )
}

/** Takes a request back, and leaves its peer alone for a while. */
export function releaseSlow(peer: RemotePeer, shared: SharedFeed, number: number, now: number, peers: Peers): void {
  if (peer.isGone) return
  if (number !== 0) peers.say(shared, 'cancel', { request: number })
  peers.release(shared, number)
  peer.window.shrink()
  if (peer.restsUntil <= now) peer.strikes += 1
  peer.restsUntil = now + restMs * peer.strikes
}

/** How long the next chunk may take, of which nothing is seen before all of it is there. */
function wholeMs({ window }: RemotePeer, request: AnyRequest): number {
  if (!('fetch' in request)) return 0
  return (2 * (request.sizes[request.answered] ?? 0)) / (window.rate > 0 ? window.rate : rateGuess)
}

function lastProgress(peer: RemotePeer): number {
  let last = -Infinity
  for (const shared of peer.byReplica.values())
    for (const { progressAt } of requestsOf(shared)) last = Math.max(last, progressAt)
  return last
}
