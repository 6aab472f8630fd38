import type { Feed } from '../../feed/feed-api.ts'
import type { ProgressSource } from '../progress-report.ts'
import { formatBytes, formatCount, formatDuration } from '../units.ts'

/** How far a copy of a feed is. */
export interface FeedProgress extends ProgressSource {
  /** Blocks that have come, and their bytes. */
  readonly fetched: { readonly items: number; readonly bytes: number }
}

export function feedProgress(feed: Feed, opening: string): FeedProgress {
  const fetched = { items: 0, bytes: 0 }
  feed.addEventListener('download', ({ detail }) => {
    fetched.items += detail.blocks
    fetched.bytes += detail.bytes
  })
  const heldBefore = feed.status().held
  return {
    opening,
    fetched,
    done: () => fetched,
    line: (rate) => {
      const { held, length, bytes } = feed.status()
      if (length === 0) return undefined
      // Nobody knows how many bytes missing blocks have, if some were here before: as many as others, it is assumed.
      const leftBytes = heldBefore === 0 ? bytes - fetched.bytes : (bytes * (length - held)) / length
      const leftMs = rate.leftMs(length - held, Math.max(0, leftBytes))
      const parts = [
        `${formatCount(held)} of ${formatCount(length)} blocks`,
        `${formatBytes(Math.max(0, bytes - leftBytes))} of ${formatBytes(bytes)}`,
        `${formatBytes(rate.bytesPerSecond)}/s`,
      ]
      if (leftMs !== undefined) parts.push(`${formatDuration(leftMs)} left`)
      return parts.join(', ')
    },
    facts: () => {
      const { id, held, length, bytes } = feed.status()
      return { id, length, bytes, held, blocksFetched: fetched.items, bytesFetched: fetched.bytes }
    },
  }
}
