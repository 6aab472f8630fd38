import { setTimeout as delay } from 'node:timers/promises'
import type { Feed } from '../../feed/feed-api.ts'

const lookMs = 20
/** Whoever has taken nothing for so long does not want more, or cannot. */
const quietMs = 500

/**
 * Resolves when all who share the feed and are connected have all of it, or nobody takes any more, or time is up: what was appended
 * last would otherwise be nowhere else when the program ends.
 */
export async function handedOver(feed: Feed, timeoutMs: number, signal: AbortSignal): Promise<void> {
  let before = ''
  let quietSinceMs = performance.now()
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline && !signal.aborted;) {
    const { peers } = feed.status()
    if (peers.every(({ contiguousLength }) => contiguousLength >= feed.length)) return
    const now = peers.map(({ nodeId, length, held, requests }) => [nodeId, length, held, requests].join()).join()
    if (now !== before) quietSinceMs = performance.now()
    else if (performance.now() - quietSinceMs > quietMs) return
    before = now
    await delay(lookMs)
  }
}
