import type { FeedControl } from '../running-program.ts'
import { appendBlocks } from './append-blocks.ts'
import type { FeedHost } from './feed-host.ts'

/** What the owner of a store does for this user's other programs. */
export function feedControl(host: FeedHost): FeedControl {
  return {
    addresses: () => host.node?.addresses ?? [],
    list: () => host.facts(),
    create: async () => (await host.create()).id,
    append: async (name, blocks) => {
      const feed = await host.writable(name)
      if (blocks.length > 0) await appendBlocks(feed, blocks)
      return { id: feed.id, length: feed.length }
    },
  }
}
