import { PlaitError } from '../../base/error.ts'
import { defaultLimits } from '../../base/limits.ts'
import { Frontier } from '../frontier.ts'
import { sealedName } from '../sealed-name.ts'
import type { FeedLog } from './feed-log.ts'
import { FeedWriter } from './feed-writer.ts'
import type { StoredFeed } from './stored-feed.ts'

/** Blocks are appended in batches of so many bytes. */
const batchBytes = 4 * 1024 * 1024

/**
 * Stores blocks under a draft of a feed, and gives it its name when all are there; the one that is here already when it is the same.
 * A draft that was not sealed is gone when the log is opened the next time.
 */
export async function sealBlocks(
  log: FeedLog,
  blocks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<StoredFeed> {
  const draft = await log.addDraft()
  try {
    const writer = new FeedWriter({ feed: draft, behind: () => undefined, signed: () => {} })
    let batch: Uint8Array[] = []
    let bytes = 0
    for await (const block of blocks) {
      if (block.length > defaultLimits.feedBlockBytes) {
        const message = `a block has at most ${defaultLimits.feedBlockBytes} bytes, not ${block.length}`
        throw new PlaitError('INVALID_ARGUMENT', message)
      }
      batch.push(block)
      bytes += block.length
      if (bytes < batchBytes) continue
      await writer.append(batch, bytes)
      batch = []
      bytes = 0
    }
    await writer.append(batch, bytes)
  } catch (error) {
    await log.remove(draft)
    throw error
  }
  const { length, bytes } = draft.tip
  const root = new Frontier(draft.hash, length, draft.tipPeaks).root()
  const name = { name: sealedName(draft.hash, { length, bytes, root }), isSealed: true }
  const present = log.find(name)
  if (present === undefined || !isWhole(present)) return log.seal(draft, name.name, { fork: 0, length, bytes, root })
  await log.remove(draft)
  return present
}

function isWhole({ head, have }: StoredFeed): boolean {
  return head !== undefined && have.count === head.length
}
