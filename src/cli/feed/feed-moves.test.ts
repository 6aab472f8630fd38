import { expect, it } from 'vitest'
import { PlaitError } from '../../base/error.ts'
import type { FeedPeerStatus, WritableFeed } from '../../feed/feed-api.ts'
import { formatFeedId } from '../../feed/feed-id.ts'
import type { PlaitNode } from '../../node/node-api.ts'
import { Rate } from '../rate.ts'
import { appendBlocks } from './append-blocks.ts'
import { feedProgress } from './feed-progress.ts'
import { handedOver } from './handover.ts'

/** As much of a feed as these parts of the program look at. */
class FakeFeed extends EventTarget {
  length = 3
  peers: readonly Partial<FeedPeerStatus>[] = []
  isBehind = false
  appended: number[] = []

  append(blocks: readonly Uint8Array[]): Promise<number> {
    if (this.isBehind) return Promise.reject(new PlaitError('FEED_BEHIND', 'others have more'))
    this.appended.push(blocks.length)
    return Promise.resolve(0)
  }

  status(): unknown {
    return { isBehind: this.isBehind, peers: this.peers }
  }

  get asFeed(): WritableFeed {
    return this as unknown as WritableFeed
  }
}

const blocks = [new Uint8Array(1), new Uint8Array(2)]

it('waits until a feed has all that others have of it before it appends', async () => {
  const feed = new FakeFeed()
  feed.isBehind = true
  let behind = 0
  const appending = appendBlocks(feed.asFeed, blocks, { onBehind: () => (behind += 1) })
  await new Promise(setImmediate)
  expect([feed.appended, behind]).toEqual([[], 1])
  feed.isBehind = false
  feed.dispatchEvent(new Event('caughtup'))
  await appending
  expect([feed.appended, behind]).toEqual([[2], 1])
})

it('stops waiting for that when it is told to, and waits for no other failure', async () => {
  const feed = new FakeFeed()
  feed.isBehind = true
  const stop = new AbortController()
  const appending = appendBlocks(feed.asFeed, blocks, { signal: stop.signal })
  await new Promise(setImmediate)
  stop.abort(new Error('Ctrl-C'))
  await expect(appending).rejects.toThrow('Ctrl-C')
  await expect(appendBlocks(feed.asFeed, blocks, { signal: stop.signal })).rejects.toThrow('Ctrl-C')
  feed.append = () => Promise.reject(new PlaitError('NO_SPACE', 'the disk is full'))
  await expect(appendBlocks(feed.asFeed, blocks)).rejects.toThrow('the disk is full')
})

it('hands over until all have all, or at once when nobody is there', async () => {
  const feed = new FakeFeed()
  let sent = 0
  const node = { stats: () => ({ fragments: { sent: (sent += 1) } }) } as unknown as PlaitNode
  const options = { timeoutMs: 60_000, signal: new AbortController().signal }
  await handedOver(node, feed.asFeed, options)
  expect(sent).toBe(0)
  feed.peers = [{ contiguousLength: 3 }, { contiguousLength: 2 }]
  const handing = handedOver(node, feed.asFeed, options)
  feed.peers = [{ contiguousLength: 3 }, { contiguousLength: 3 }]
  await handing
  expect(sent).toBe(1)
  feed.peers = [{ contiguousLength: 0 }]
  await handedOver(node, feed.asFeed, { ...options, signal: AbortSignal.abort() })
})

it('says how far a copy is', () => {
  const rate = new Rate()
  rate.add(0, 0, 0)
  rate.add(1_000, 400, 4_000_000)
  const counts = { id: formatFeedId({ name: new Uint8Array(32), isSealed: true }), length: 0, bytes: 0, held: 100 }
  const progress = feedProgress(() => counts, 'connecting')
  expect([progress.line(rate), progress.done()]).toEqual([undefined, { items: 0, bytes: 0 }])
  Object.assign(counts, { length: 1_000, bytes: 10_000_000, held: 500 })
  expect(progress.line(rate)).toBe('500 of 1,000 blocks, 5.00 MB of 10.0 MB, 4.00 MB/s, 1.3 s left')
  expect(progress.facts()).toMatchObject({ held: 500, blocksFetched: 400, bytesFetched: 4_000_000 })
})
