import type { FeedStatus } from '../../feed/feed-api.ts'
import type { ProgressSource } from '../progress-report.ts'
import { formatBytes, formatCount, formatDuration } from '../units.ts'

/** How far a copy of a feed is, now and when it was begun. */
export interface FeedProgress extends ProgressSource {
  /** Blocks that have come, and their bytes by estimate: nobody knows how many bytes missing blocks have. */
  done(): { readonly items: number; readonly bytes: number }
}

export type FeedCounts = Pick<FeedStatus, 'id' | 'length' | 'bytes' | 'held'>

export function feedProgress(counts: () => FeedCounts, opening: string): FeedProgress {
  const heldBefore = counts().held
  const done = (): { items: number; bytes: number } => {
    const items = counts().held - heldBefore
    return { items, bytes: shareOf(counts(), items) }
  }
  return {
    opening,
    done,
    line: (rate) => {
      const { held, length, bytes } = counts()
      if (length === 0) return undefined
      const heldBytes = shareOf(counts(), held)
      const leftMs = rate.leftMs(length - held, bytes - heldBytes)
      const parts = [
        `${formatCount(held)} of ${formatCount(length)} blocks`,
        `${formatBytes(heldBytes)} of ${formatBytes(bytes)}`,
        `${formatBytes(rate.bytesPerSecond)}/s`,
      ]
      if (leftMs !== undefined) parts.push(`${formatDuration(leftMs)} left`)
      return parts.join(', ')
    },
    facts: () => {
      const { id, length, bytes, held } = counts()
      return { id, length, bytes, held, blocksFetched: done().items, bytesFetched: done().bytes }
    },
  }
}

function shareOf({ length, bytes }: FeedCounts, blocks: number): number {
  return length === 0 ? 0 : Math.round((bytes * blocks) / length)
}
