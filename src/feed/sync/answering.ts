import type { ChunkRequest } from './chunk-downloads.ts'
import type { Request, SharedFeed } from './shared-feed.ts'

/** What was asked for, be it blocks or chunks. */
export type AnyRequest = Request | ChunkRequest

/** All requests for a feed that a peer has not answered to their end, and what it sends unasked. */
export function requestsOf({ requests, pushed, chunkRequests }: SharedFeed): readonly AnyRequest[] {
  return [...requests.values(), ...(pushed === undefined ? [] : [pushed]), ...chunkRequests.values()]
}

/** Whether another peer, with whom the feed is shared, could answer what is next of a request. */
export function canAnswer(other: SharedFeed | undefined, request: AnyRequest): boolean {
  if (other?.isShared !== true) return false
  if ('fetch' in request) return !request.fetch.isAbsent(other, request.places[request.answered] as number)
  const block = request.pending.next(0)
  return block !== undefined && other.holds(block)
}
