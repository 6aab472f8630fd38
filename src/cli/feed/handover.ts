import { setTimeout as delay } from 'node:timers/promises'
import type { Feed } from '../../feed/feed-api.ts'
import type { PlaitNode } from '../../node/node-api.ts'

const lookMs = 20
/** Whoever has been sent nothing for so long does not want more, or cannot take it. */
const quietMs = 500

/**
 * Resolves when all who share the feed and are connected have all of it as far as they say, or nothing is on its way any more, or time is
 * up: what was appended last would otherwise be nowhere else when the program ends.
 */
export async function handedOver(
  node: Pick<PlaitNode, 'stats'>,
  feed: Feed,
  { timeoutMs, signal }: { timeoutMs: number; signal: AbortSignal },
): Promise<void> {
  let sentBefore = 0
  let quietSinceMs = performance.now()
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline && !signal.aborted;) {
    if (feed.status().peers.every(({ contiguousLength }) => contiguousLength >= feed.length)) return
    // Of those who follow a part nobody knows here what they have.
    const sent = node.stats().fragments.sent
    if (sent !== sentBefore) quietSinceMs = performance.now()
    else if (performance.now() - quietSinceMs > quietMs) return
    sentBefore = sent
    await delay(lookMs)
  }
}
