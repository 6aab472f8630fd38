import { canAnswer, type AnyRequest } from './answering.ts'
import type { RemotePeer, SharedFeed } from './shared-feed.ts'

/** How many times as long as another peer one may take for what is left to it. */
const factor = 4
/** What will be there so soon stays where it is. */
const soonMs = 200

/** A request that a faster peer, which has nothing to do, should answer. */
export interface HandOver {
  readonly shared: SharedFeed
  readonly request: AnyRequest
  readonly to: RemotePeer
}

/** Near the end of a download nothing is left to ask the fast peers for: of each that is much slower, the last request. */
export function findHandOvers(peers: readonly RemotePeer[], now: number): readonly HandOver[] {
  const idle = peers.filter(
    ({ owedBytes, restsUntil, window }) => owedBytes === 0 && restsUntil <= now && window.rate > 0,
  )
  if (idle.length === 0) return []
  return peers.flatMap((peer) => {
    const last = lastRequest(peer)
    if (last === undefined) return []
    const leftMs = timeLeft(peer, last.request, now)
    const to = idle.find((other) => {
      const { roundTripMs, rate } = other.window
      const isFaster = leftMs > Math.max(soonMs, factor * (roundTripMs + last.request.owedBytes / rate))
      return isFaster && canAnswer(other.byReplica.get(last.shared.replica), last.request)
    })
    return to === undefined ? [] : [{ ...last, to }]
  })
}

function lastRequest(peer: RemotePeer): { readonly shared: SharedFeed; readonly request: AnyRequest } | undefined {
  let last: { readonly shared: SharedFeed; readonly request: AnyRequest } | undefined
  for (const shared of peer.byReplica.values())
    for (const request of [...shared.requests.values(), ...shared.chunkRequests.values()])
      if (last === undefined || request.sentAt >= last.request.sentAt) last = { shared, request }
  return last
}

/** By the best rate of late; as long again as nothing has come, at least. */
function timeLeft(peer: RemotePeer, { sentAt, progressAt }: AnyRequest, now: number): number {
  let owedBytes = 0
  let lastAt = Math.max(sentAt, progressAt)
  for (const { requests, chunkRequests } of peer.byReplica.values()) {
    for (const request of [...requests.values(), ...chunkRequests.values()]) {
      owedBytes += request.owedBytes
      lastAt = Math.max(lastAt, request.progressAt)
    }
  }
  const { rate } = peer.window
  return Math.max(now - lastAt, rate > 0 ? owedBytes / rate : 0)
}
