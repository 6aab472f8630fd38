import { formatFeedLink, parseFeedLink } from '../../feed/feed-link.ts'
import type { FeedControl } from '../running-program.ts'
import { appendBlocks } from './append-blocks.ts'
import { fetchFrom } from './feed-peers.ts'
import type { FeedHost } from './feed-host.ts'

/** What the owner of a store does for this user's other programs. */
export function feedControl(host: FeedHost): FeedControl {
  return {
    addresses: () => host.node?.addresses ?? [],
    list: () => host.facts(),
    create: async () => (await host.create()).id,
    clone: async (text) => {
      const link = parseFeedLink(text)
      const feed = await fetchFrom(host, link)
      // All of it, also of a feed that was only looked at before; whoever asks looks how far it is.
      feed.download({ end: feed.length }).catch(() => {})
      return { id: feed.id, length: feed.length, link: formatFeedLink(host.linkTo(feed.id)) }
    },
    append: async (name, blocks) => {
      const feed = await host.writable(name)
      if (blocks.length > 0) await appendBlocks(feed, blocks)
      return { id: feed.id, length: feed.length }
    },
  }
}
