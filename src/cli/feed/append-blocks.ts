import { PlaitError } from '../../base/error.ts'
import type { WritableFeed } from '../../feed/feed-api.ts'

export interface AppendOptions {
  readonly signal?: AbortSignal
  /** The feed has less here than others have of it; their blocks are fetched first. */
  readonly onBehind?: () => void
}

/** Appends, and when others have blocks of this feed that are not here, as after a restored backup, waits for these first. */
export async function appendBlocks(
  feed: WritableFeed,
  blocks: readonly Uint8Array[],
  { signal, onBehind }: AppendOptions = {},
): Promise<void> {
  for (;;) {
    try {
      await feed.append(blocks)
      return
    } catch (error) {
      if (!PlaitError.is(error) || error.code !== 'FEED_BEHIND') throw error
    }
    onBehind?.()
    await caughtUp(feed, signal)
  }
}

function caughtUp(feed: WritableFeed, signal: AbortSignal | undefined): Promise<void> {
  if (!feed.status().isBehind) return Promise.resolve()
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      feed.removeEventListener('caughtup', settle)
      signal?.removeEventListener('abort', settle)
      if (signal?.aborted === true) reject(signal.reason as Error)
      else resolve()
    }
    feed.addEventListener('caughtup', settle)
    signal?.addEventListener('abort', settle)
    if (signal?.aborted === true) settle()
  })
}
