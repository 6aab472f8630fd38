import { PlaitError } from '../../base/error.ts'
import { formatFeedLink, parseFeedLink } from '../../feed/feed-link.ts'
import type { StoreControl } from '../running-program.ts'
import { appendBlocks } from './append-blocks.ts'
import { fetchFrom } from './feed-peers.ts'
import type { FeedHost } from './feed-host.ts'

/** What the owner of a store does for this user's other programs. */
export function feedControl(host: FeedHost): StoreControl {
  return async (request, facts) => {
    switch (request.command) {
      case 'feeds':
        return { ...facts, addresses: host.node?.addresses ?? [], feeds: await host.facts() }
      case 'feed-create':
        return { id: (await host.create()).id }
      case 'feed-clone': {
        const link = parseFeedLink(request.link)
        const feed = await fetchFrom(host, link)
        // All of it, also of a feed that was only looked at before; whoever asks looks how far it is.
        feed.download({ end: feed.length }).catch(() => {})
        return { id: feed.id, length: feed.length, link: formatFeedLink(host.linkTo(feed.id)) }
      }
      case 'feed-append': {
        const feed = await host.writable(request.feed)
        const blocks = request.blocks.map((block) => Uint8Array.from(Buffer.from(block, 'base64')))
        if (blocks.length > 0) await appendBlocks(feed, blocks)
        return { id: feed.id, length: feed.length }
      }
      default:
        throw new PlaitError('INVALID_ARGUMENT', 'this program has a store of feeds, and no groups')
    }
  }
}
